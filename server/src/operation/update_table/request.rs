//! What a request to update a table may ask for, whatever the table is.

use crate::{
    operation::definition::{
        Refusal,
        throughput::{self, Capacity},
    },
    wire::shapes::{GlobalSecondaryIndexUpdate, UpdateTableInput},
};

/// Checks the request by itself.
pub(super) fn check(input: &UpdateTableInput) -> Result<(), Refusal> {
    let updates = input.global_secondary_index_updates.as_deref();
    check_something(input, updates)?;
    if updates.is_some_and(<[_]>::is_empty) {
        return Err(Refusal::EmptyList {
            list: "GlobalSecondaryIndexUpdates",
        });
    }
    let updates = updates.unwrap_or_default();
    check_cold(updates)?;
    check_alone(input, updates)?;
    check_billing(input)?;
    check_index_updates(updates)
}

/// An empty list of index updates counts as none here, and is refused right after (DDB-TABLE-359).
/// So does an empty structure, which AWS too passes over if there is anything else in the request; if
/// there is nothing, AWS fails with a 500 and no message (DDB-TABLE-456).
fn check_something(
    input: &UpdateTableInput,
    updates: Option<&[GlobalSecondaryIndexUpdate]>,
) -> Result<(), Refusal> {
    let something = input.provisioned_throughput.is_some()
        || input.billing_mode.is_some()
        || input.stream_specification.is_some()
        || updates.is_some_and(|updates| !updates.is_empty())
        || input.sse_specification.is_some()
        || input.deletion_protection_enabled.is_some()
        || !throughput::is_empty(input.on_demand_throughput.as_ref())
        || !throughput::is_cold(input.warm_throughput.as_ref())
        || input.table_class.is_some();
    if something {
        Ok(())
    } else {
        Err(Refusal::NothingToUpdate)
    }
}

/// Which changes go together. Where several want to be alone, DynamoDB names them in this order
/// (DDB-TABLE-433).
fn check_alone(
    input: &UpdateTableInput,
    updates: &[GlobalSecondaryIndexUpdate],
) -> Result<(), Refusal> {
    let sse = input.sse_specification.is_some();
    let class = input.table_class.is_some();
    let protection = input.deletion_protection_enabled.is_some();
    let warm = !throughput::is_cold(input.warm_throughput.as_ref());
    let on_demand = !throughput::is_empty(input.on_demand_throughput.as_ref());
    let stream = input.stream_specification.is_some();
    let capacity = input.provisioned_throughput.is_some();
    let billing = input.billing_mode.is_some();
    let others = [stream, on_demand, capacity || billing, !updates.is_empty()];
    let changes = [sse, class, protection, warm].into_iter().chain(others);
    let several = changes.filter(|given| *given).count() > 1;
    let creates = updates.iter().any(|update| update.create.is_some());
    if several {
        for (given, subject) in [
            (sse, "Server-Side Encryption modification"),
            (class, "TableClass modification"),
            (protection, "DeletionProtection modification"),
        ] {
            if given {
                return Err(Refusal::NotAlone { subject });
            }
        }
        if warm && creates {
            return Err(Refusal::CreateIndexWhileWarming);
        }
        if warm {
            return Err(Refusal::NotAlone {
                subject: "WarmThroughput",
            });
        }
        if on_demand && (stream || !updates.is_empty()) {
            return Err(Refusal::MaximumNotAlone);
        }
    }
    let deletes = updates.iter().any(|update| update.delete.is_some());
    if capacity && !billing && (creates || deletes) {
        return Err(Refusal::IndexWhileCapacity);
    }
    if stream && (creates || deletes) {
        return Err(Refusal::IndexWhileStream);
    }
    let provisioned = input.billing_mode.as_deref() == Some("PROVISIONED");
    if stream && (capacity || provisioned) {
        return Err(Refusal::StreamWhileCapacity);
    }
    Ok(())
}

fn check_billing(input: &UpdateTableInput) -> Result<(), Refusal> {
    match (input.billing_mode.as_deref(), &input.provisioned_throughput) {
        (Some("PROVISIONED"), None) => Err(Refusal::UpdateCapacityMissing),
        (Some("PAY_PER_REQUEST"), Some(_)) => Err(Refusal::UpdateCapacityOnDemand),
        (_, Some(given)) => Capacity::of(given).check_bounds(None),
        (_, None) => Ok(()),
    }
}

/// An index is not updated to no warm throughput, whatever else is asked for (DDB-TABLE-457).
fn check_cold(updates: &[GlobalSecondaryIndexUpdate]) -> Result<(), Refusal> {
    for update in updates.iter().filter_map(|update| update.update.as_ref()) {
        let warm = update.warm_throughput.as_ref();
        if warm.is_some() && throughput::is_cold(warm) {
            let index = update.index_name.clone().unwrap_or_default();
            return Err(Refusal::UpdateIndexCold { index });
        }
    }
    Ok(())
}

/// One action per entry and one entry per index (DDB-TABLE-160).
fn check_index_updates(updates: &[GlobalSecondaryIndexUpdate]) -> Result<(), Refusal> {
    let mut seen: Vec<&str> = Vec::new();
    for update in updates {
        let names = [
            update.update.as_ref().map(|update| &update.index_name),
            update.create.as_ref().map(|create| &create.index_name),
            update.delete.as_ref().map(|delete| &delete.index_name),
        ];
        let mut names = names.into_iter().flatten();
        let name = names.next().ok_or(Refusal::NoIndexAction)?;
        if names.next().is_some() {
            return Err(Refusal::SeveralIndexActions);
        }
        let name = name.as_deref().unwrap_or_default();
        if seen.contains(&name) {
            return Err(Refusal::IndexUpdatedTwice {
                index: name.to_owned(),
            });
        }
        seen.push(name);
        let capacity = update
            .update
            .as_ref()
            .and_then(|update| update.provisioned_throughput.as_ref());
        if let Some(given) = capacity {
            Capacity::of(given).check_bounds(Some(name))?;
        }
    }
    Ok(())
}
