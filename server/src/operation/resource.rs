//! What a `ResourceArn` names: of operations on tags and on policies.

use std::sync::Arc;

use super::{
    Nothing, RequestContext,
    definition::{Refusal, check_usable},
};
use crate::{
    stator::Stator,
    store::Fault,
    table::{Change, Namespace, Table, TableStatus, record::Tag},
    wire::{Arn, ArnError, Error, Operation},
};

/// What an ARN may name.
#[derive(Clone, Debug)]
pub(super) enum Resource<'a> {
    /// A table.
    Table(Arn<'a>),
    /// A stream of a table, by its label.
    Stream(Arn<'a>, &'a str),
}

impl<'a> Resource<'a> {
    /// Reads `arn`. An index is a resource too, and not one of those; a backup is none at all
    /// (DDB-TABLE-212, DDB-BACKUP-013).
    pub(super) fn parse(arn: &'a str) -> Result<Self, Refusal> {
        let given = || arn.to_owned();
        if !arn.starts_with("arn:") {
            return Err(Refusal::ArnScheme { arn: given() });
        }
        let parsed = Arn::parse(arn).map_err(|error| match error {
            ArnError::Resource { .. } => Refusal::ArnResource { arn: given() },
            ArnError::Shape | ArnError::Service => Refusal::ArnService { arn: given() },
        })?;
        let Some(below) = parsed.below else {
            return Ok(Self::Table(parsed));
        };
        match below.split_once('/') {
            Some(("stream", label)) => Ok(Self::Stream(parsed, label)),
            Some(("backup", _)) => Err(Refusal::ArnService { arn: given() }),
            _ => Err(Refusal::ArnResource { arn: given() }),
        }
    }
}

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
        let (namespace, name) = tagged_table(&owner, &context, operation.name(), &arn)?;
        owner
            .catalog()
            .change(&namespace, name, context.now_ms, |table| {
                let table = taggable(&context, operation.name(), &arn, table)?;
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

/// Namespace and name of the table that `arn` names: of operations on tags, which only tables have
/// (DDB-TABLE-071).
pub(super) fn tagged_table<'a>(
    stator: &Stator,
    context: &RequestContext,
    action: &str,
    arn: &'a str,
) -> Result<(Namespace, &'a str), Error> {
    match Resource::parse(arn)? {
        Resource::Table(parsed) => Ok((stator.namespace_of(context, &parsed), parsed.table)),
        Resource::Stream(..) => Err(not_found(context, action, arn)),
    }
}

/// `table`, if it can have tags: while it is being created it is as if it were not there
/// (DDB-TABLE-101).
pub(super) fn taggable<'a>(
    context: &RequestContext,
    action: &str,
    arn: &str,
    table: Option<&'a Arc<Table>>,
) -> Result<&'a Arc<Table>, Error> {
    match table {
        None => Err(not_found(context, action, arn)),
        Some(table) if table.status(context.now_ms) == TableStatus::Creating => Err(missing(arn)),
        Some(table) => Ok(table),
    }
}

/// The answer for a table that does not exist. Whether one of another account exists, nobody is
/// told; and the account of zeros, which is ours unless an option says otherwise, is nobody's in AWS
/// (conformance reference, tier2/tags, "rejects ListTagsOfResource with a non-existent ARN").
pub(super) fn not_found(context: &RequestContext, action: &str, arn: &str) -> Error {
    let own = &*context.namespace.account;
    let account = Arn::parse(arn).map_or(own, |arn| arn.account);
    if account == own && account != "000000000000" {
        return missing(arn);
    }
    let message = format!(
        "User: arn:aws:iam::{own}:root is not authorized to perform: dynamodb:{action} on resource: \
         {arn}"
    );
    Error::AccessDenied(message.into())
}

fn missing(arn: &str) -> Error {
    let message = format!("Requested resource not found: ResourceArn: {arn} not found");
    Error::ResourceNotFound(message.into())
}
