//! `UpdateTimeToLive`.
//!
//! What a request says is compared with what is before the time since the last change is looked at
//! (DDB-TABLE-147). Any attribute will do, also one of a key (DDB-TABLE-146): whether an item expires
//! is a matter of its value.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{RequestContext, definition::quota};
use crate::{
    stator::{Stator, table_not_found},
    store::Fault,
    table::{Change, Table, TableStatus, TimeToLive},
    wire::{
        Error,
        shapes::{TimeToLiveSpecification, UpdateTimeToLiveInput, UpdateTimeToLiveOutput},
    },
};

/// How long after a change there is no other, in milliseconds: "any additional UpdateTimeToLive calls
/// for the same table during this one hour duration result in a ValidationException" (API reference,
/// `UpdateTimeToLive`; in October 2026 AWS was seen to allow the next after 31 minutes,
/// DDB-TABLE-143).
const COOLDOWN_MS: u64 = 3_600_000;

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: UpdateTimeToLiveInput,
) -> Result<UpdateTimeToLiveOutput, Error> {
    let specification = input.time_to_live_specification.unwrap_or_default();
    let name = input.table_name.unwrap_or_default();
    let (owner, own_context, wanted) = (stator.clone(), context.clone(), specification.clone());
    let work = move || update(&owner, &own_context, &name, &wanted);
    stator.store().run_blocking(work).await?;
    // What was asked for, and not the state that comes of it (DDB-TABLE-145).
    Ok(UpdateTimeToLiveOutput {
        time_to_live_specification: Some(specification),
    })
}

fn update(
    stator: &Stator,
    context: &RequestContext,
    given: &str,
    wanted: &TimeToLiveSpecification,
) -> Result<(), Fault> {
    let (namespace, name) = stator.resolve(context, given);
    let now_ms = context.now_ms;
    let enable = wanted.enabled == Some(true);
    let attribute = wanted.attribute_name.as_deref().unwrap_or_default();
    let changed = stator.catalog().change(&namespace, name, now_ms, |table| {
        let table = table.ok_or_else(|| table_not_found(name))?;
        check(table, enable, attribute, now_ms)?;
        quota::check_change(stator, &namespace, now_ms)?;
        let keyspace = match enable {
            true => Some(stator.store().create_keyspace()?.0),
            false => None,
        };
        let mut record = Box::new(table.record().clone());
        record.time_to_live = Some(TimeToLive {
            attribute: attribute.to_owned(),
            keyspace,
            changed_ms: now_ms,
            until_ms: now_ms.saturating_add(stator.table_state_delay_ms()),
        });
        let dropped = table.expiry().map(|index| index.keyspace());
        let dropped = dropped.into_iter().collect();
        Ok((Change::Put { record, dropped }, ()))
    })?;
    if let Some(table) = changed.after {
        stator.time_to_live_changed(&table)?;
    }
    Ok(())
}

/// Whether time to live can be switched now.
fn check(table: &Arc<Table>, enable: bool, attribute: &str, now_ms: u64) -> Result<(), Error> {
    // DDB-TABLE-115. A table that is being deleted still takes it for a second on AWS
    // (DDB-TABLE-118); here it has no items left that could expire.
    let doing = match table.status(now_ms) {
        TableStatus::Creating => Some("created"),
        TableStatus::Deleting => Some("deleted"),
        TableStatus::Active | TableStatus::Updating => None,
    };
    if let Some(doing) = doing {
        let name = table.name();
        return Err(Error::ResourceInUse(
            format!(
                "Attempt to change a resource which is still in use: Table {name} is being {doing}"
            )
            .into(),
        ));
    }
    // DDB-TABLE-146, -147.
    match (table.expiry(), enable) {
        (Some(index), _) if index.attribute() != attribute => {
            return Err(Error::validation(format!(
                "TimeToLive is active on a different AttributeName: current AttributeName is {}",
                index.attribute()
            )));
        }
        (Some(_), true) => return Err(Error::validation("TimeToLive is already enabled")),
        (None, false) => return Err(Error::validation("TimeToLive is already disabled")),
        _ => {}
    }
    let last_ms = table
        .record()
        .time_to_live
        .as_ref()
        .map(|last| last.changed_ms);
    if last_ms.is_some_and(|last_ms| now_ms < last_ms.saturating_add(COOLDOWN_MS)) {
        // DDB-TABLE-143.
        return Err(Error::validation(
            "Time to live has been modified multiple times within a fixed interval",
        ));
    }
    Ok(())
}
