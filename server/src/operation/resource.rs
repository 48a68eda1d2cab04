//! The table that a `ResourceArn` names.

use super::{RequestContext, definition::Refusal};
use crate::{
    stator::Stator,
    table::{Arn, ArnError, Namespace},
    wire::Error,
};

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
