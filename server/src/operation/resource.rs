//! The table that a `ResourceArn` names.

use super::{
    Nothing, RequestContext,
    definition::{Refusal, check_usable},
};
use crate::{
    stator::Stator,
    store::Fault,
    table::{Arn, ArnError, Change, Namespace, record::Tag},
    wire::{Error, Operation},
};

/// Changes the tags of the table that `arn` names.
pub(super) async fn change_tags(
    stator: &Stator,
    context: &RequestContext,
    operation: Operation,
    arn: Option<String>,
    change: impl Fn(&mut Vec<Tag>) -> Result<(), Refusal> + Send + 'static,
) -> Result<Nothing, Error> {
    let (owner, context) = (stator.clone(), context.clone());
    let arn = arn.unwrap_or_default();
    let work = move || -> Result<(), Fault> {
        let (namespace, name) = tagged_table(&owner, &context, &arn)?;
        owner
            .catalog()
            .change(&namespace, name, context.now_ms, |table| {
                let table = table.ok_or_else(|| not_found(&context, operation.name(), &arn))?;
                check_usable(table, context.now_ms)?;
                let mut record = Box::new(table.record().clone());
                change(&mut record.tags)?;
                if record.tags == table.record().tags {
                    return Ok((Change::Nothing, ()));
                }
                let dropped = Vec::new();
                Ok((Change::Put { record, dropped }, ()))
            })?;
        Ok(())
    };
    stator.store().run_blocking(work).await?;
    Ok(Nothing)
}

/// Namespace and name of the table that `arn` names: of tagging operations, which know tables only.
pub(super) fn tagged_table<'a>(
    stator: &Stator,
    context: &RequestContext,
    arn: &'a str,
) -> Result<(Namespace, &'a str), Refusal> {
    let given = || arn.to_owned();
    if !arn.starts_with("arn:") {
        return Err(Refusal::ArnScheme { arn: given() });
    }
    match Arn::parse(arn) {
        Ok(Arn { below: None, .. }) => Ok(stator.resolve(context, arn)),
        Ok(_) | Err(ArnError::Resource) => Err(Refusal::ArnResource { arn: given() }),
        Err(ArnError::Shape | ArnError::Service) => Err(Refusal::ArnService { arn: given() }),
    }
}

/// The answer for a table that does not exist. Whether one of another account exists, nobody is
/// told; and the account of zeros, which is ours unless an option says otherwise, is nobody's in AWS
/// (conformance reference, tier2/tags, "rejects ListTagsOfResource with a non-existent ARN").
pub(super) fn not_found(context: &RequestContext, action: &str, arn: &str) -> Error {
    let own = &*context.namespace.account;
    let account = Arn::parse(arn).map_or(own, |arn| arn.account);
    if account == own && account != "000000000000" {
        let message = format!("Requested resource not found: ResourceArn: {arn} not found");
        return Error::ResourceNotFound(message.into());
    }
    let message = format!(
        "User: arn:aws:iam::{own}:root is not authorized to perform: dynamodb:{action} on resource: \
         {arn}"
    );
    Error::AccessDenied(message.into())
}
