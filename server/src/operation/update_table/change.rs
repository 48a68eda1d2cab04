//! What a request means for a table as it is.

use super::{
    busy::{self, Wanted},
    index::{self, Times},
    quotas,
};
use crate::{
    operation::definition::{
        self, Refusal, long_date,
        throughput::{self, Capacity},
    },
    table::{
        BillingMode, IndexKind, ProvisionedThroughput, Record, SecondaryIndex, Table, TableStatus,
        WarmThroughput,
        record::{Class, TableClass},
        status::{self, State},
    },
    wire::{
        Error,
        shapes::{SSESpecification, UpdateGlobalSecondaryIndexAction, UpdateTableInput},
    },
};

/// Decreases of a capacity that are free on one UTC day; then there is one an hour after the last
/// (developer guide, "Quotas in Amazon DynamoDB", decreasing provisioned throughput; DDB-TABLE-184,
/// -326).
const FREE_DECREASES: u32 = 4;
/// An hour.
const DECREASE_INTERVAL_MS: u64 = 3_600_000;
/// A UTC day.
const DAY_MS: u64 = 86_400_000;

/// Applies `input` to `record`, which is that of `table`.
pub(super) fn apply(
    input: &UpdateTableInput,
    table: &Table,
    record: &mut Record,
    times: Times,
) -> Result<(), Error> {
    let now_ms = times.now_ms;
    let until_ms = now_ms.saturating_add(times.delay_ms);
    let under_way = |change| State { change, until_ms };
    let free = |wanted| {
        busy::check_table(table, wanted, now_ms)?;
        busy::check_indexes(table, wanted, now_ms)
    };
    let region = &*table.namespace().region;
    if let Some(given) = &input.stream_specification {
        free(Wanted::Stream)?;
        record.stream = Some(definition::change_stream(given, table)?);
        record.state = under_way(status::Change::Stream);
    }
    if let Some(given) = &input.sse_specification {
        encrypt(given, table, record, now_ms)?;
    }
    if let Some(name) = input.table_class.as_deref() {
        let name = definition::table_class(name)?;
        free(Wanted::Class)?;
        quotas::check_class(&record.changes, now_ms)?;
        let current = record
            .class
            .as_ref()
            .map_or(TableClass::Standard, |class| class.name);
        // To what it is already, nothing changes, and a table that was never given one does not get
        // one to show (DDB-TABLE-177, -383).
        if name != current {
            quotas::change_class(&mut record.changes, now_ms)?;
            record.class = Some(Class {
                name,
                changed_ms: Some(now_ms),
            });
            record.state = under_way(status::Change::Class);
        }
    }
    if let Some(protected) = input.deletion_protection_enabled {
        if protected != record.deletion_protection {
            let (name, delay_ms) = (table.name(), times.delay_ms);
            quotas::change_protection(&mut record.changes, name, delay_ms, now_ms)?;
        }
        record.deletion_protection = protected;
    }
    if let Some(given) = &input.warm_throughput {
        record.warm = throughput::warm_raised(record.warm, given, None)?;
    }
    let billing = input
        .billing_mode
        .as_deref()
        .and_then(BillingMode::from_name);
    let updates: Vec<_> = input
        .global_secondary_index_updates
        .iter()
        .flatten()
        .filter_map(|update| update.update.as_ref())
        .collect();
    // Until a switch from on demand is through, AWS takes a switch back for none at all: it answers
    // with 200 and nothing comes of it (DDB-TABLE-452).
    let lost = billing == Some(BillingMode::PayPerRequest)
        && record.billing == BillingMode::Provisioned
        && table.own_status(now_ms) == TableStatus::Updating
        && table.record().state.change == status::Change::Billing;
    let switched = !lost && billing.is_some_and(|billing| billing != record.billing);
    for update in &updates {
        check_updatable(update, table, now_ms)?;
    }
    if switched || input.provisioned_throughput.is_some() {
        free(Wanted::Capacity)?;
        record.state = under_way(match switched {
            true => status::Change::Billing,
            false => status::Change::Update,
        });
    } else if billing.is_some() && !lost && table.record().state.change == status::Change::Billing {
        // The mode that it has already is no change, which waits for nothing but a switch to it
        // (DDB-TABLE-369, -375, -383).
        busy::check_table(table, Wanted::Capacity, now_ms)?;
    }
    match billing {
        Some(BillingMode::PayPerRequest) if switched => to_on_demand(record, now_ms)?,
        Some(BillingMode::Provisioned) if switched => to_provisioned(record, &updates)?,
        _ => {}
    }
    if let Some(given) = &input.provisioned_throughput {
        if record.billing == BillingMode::PayPerRequest {
            return Err(Refusal::CapacityOnDemand.into());
        }
        let capacity = Capacity::of(given);
        capacity.check_quota(None, region)?;
        set_capacity(&mut record.throughput, capacity, None, switched, now_ms)?;
        record.warm = record.warm.raised_to(capacity.read, capacity.write);
    }
    if let Some(given) = &input.on_demand_throughput {
        free(Wanted::Maximums)?;
        if record.billing == BillingMode::Provisioned
            && let Some(member) = throughput::first_maximum(given)
        {
            return Err(Refusal::UpdateMaximumProvisioned {
                member,
                index: None,
            }
            .into());
        }
        throughput::check_maximums(given, None, true)?;
        throughput::check_maximum_quota(given, None, region)?;
        record.on_demand = throughput::maximums(record.on_demand, given);
    }
    for update in updates {
        let updating = under_way(status::Change::Update);
        update_index(update, table, record, switched, now_ms, updating)?;
    }
    index::apply(
        input
            .global_secondary_index_updates
            .as_deref()
            .unwrap_or_default(),
        input.attribute_definitions.as_deref(),
        table,
        record,
        times,
    )
}

/// Only the ARN of its key says of a table that nothing changes. An alias may stand for another key
/// by now, so that one changes the encryption each time, and counts (DDB-TABLE-078).
fn encrypt(
    given: &SSESpecification,
    table: &Table,
    record: &mut Record,
    now_ms: u64,
) -> Result<(), Error> {
    let wanted = definition::encryption(given)?;
    match (&wanted, &record.encryption) {
        (None, None) => return Err(Refusal::AlreadyEncrypted.into()),
        (Some(wanted), Some(current))
            if wanted.key == Some(definition::key_arn(table.namespace(), current)) =>
        {
            return Err(Refusal::AlreadyEncryptedWithKey.into());
        }
        _ => quotas::change_encryption(&mut record.changes, now_ms)?,
    }
    record.encryption = wanted;
    Ok(())
}

/// On demand there are no capacities, and warm throughput is at least what on-demand tables start
/// with (DDB-TABLE-064).
fn to_on_demand(record: &mut Record, now_ms: u64) -> Result<(), Error> {
    quotas::switch_to_on_demand(&mut record.changes, now_ms)?;
    record.billing = BillingMode::PayPerRequest;
    record.on_demand_since_ms = Some(now_ms);
    let none = |throughput: &mut ProvisionedThroughput| {
        throughput.read_units = 0;
        throughput.write_units = 0;
    };
    let initial = WarmThroughput::ON_DEMAND;
    let warmed = |warm: WarmThroughput| warm.raised_to(initial.read_units, initial.write_units);
    none(&mut record.throughput);
    record.warm = warmed(record.warm);
    for index in &mut record.global_indexes {
        none(&mut index.throughput);
        index.warm = index.warm.map(warmed);
    }
    Ok(())
}

/// Every global secondary index needs a capacity in the same request, and the maximums go
/// (DDB-TABLE-152, -153).
fn to_provisioned(
    record: &mut Record,
    updates: &[&UpdateGlobalSecondaryIndexAction],
) -> Result<(), Refusal> {
    for index in &mut record.global_indexes {
        let given = updates.iter().any(|update| {
            update.index_name.as_deref() == Some(&index.name)
                && update.provisioned_throughput.is_some()
        });
        if !given {
            return Err(Refusal::UpdateIndexCapacityMissing {
                index: index.name.clone(),
            });
        }
        index.on_demand = None;
    }
    record.billing = BillingMode::Provisioned;
    record.on_demand = None;
    Ok(())
}

/// Sets a capacity, unless it stays as it is or was lowered too often today. Right after a switch
/// from on demand (`fresh`) it is the first one, and neither raised nor lowered.
fn set_capacity(
    throughput: &mut ProvisionedThroughput,
    capacity: Capacity,
    index: Option<&str>,
    fresh: bool,
    now_ms: u64,
) -> Result<(), Error> {
    if fresh {
        throughput.read_units = capacity.read;
        throughput.write_units = capacity.write;
        return Ok(());
    }
    let (read, write) = (throughput.read_units, throughput.write_units);
    if (capacity.read, capacity.write) == (read, write) {
        let subject = index.map_or_else(|| "table".to_owned(), |index| format!("index {index}"));
        return Err(Refusal::CapacityUnchanged {
            subject,
            read,
            write,
        }
        .into());
    }
    if capacity.read < read || capacity.write < write {
        check_decreases(throughput, now_ms)?;
    }
    throughput.change(capacity.read, capacity.write, now_ms);
    Ok(())
}

fn check_decreases(throughput: &ProvisionedThroughput, now_ms: u64) -> Result<(), Error> {
    let count = throughput.decreases_today(now_ms);
    let Some(last_ms) = throughput.decreased_ms.filter(|_| count >= FREE_DECREASES) else {
        return Ok(());
    };
    let midnight_ms = (now_ms / DAY_MS + 1) * DAY_MS;
    let next_ms = last_ms
        .saturating_add(DECREASE_INTERVAL_MS)
        .min(midnight_ms);
    if now_ms >= next_ms {
        return Ok(());
    }
    let message = format!(
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC \
         day. After the first {FREE_DECREASES} decreases, each subsequent decrease in the same UTC \
         day can be performed at most once every {} seconds. Number of decreases today: {count}. \
         Last decrease at {}. Next decrease can be made at {}.",
        DECREASE_INTERVAL_MS / 1000,
        long_date(last_ms),
        long_date(next_ms)
    );
    Err(Error::LimitExceeded(message.into()))
}

/// The global index `name`, also one that is being deleted, if there is one; a local one of that name
/// is refused.
///
/// # Errors
/// `local`; `ResourceInUseException` while the index is being deleted.
pub(super) fn find_global<'a>(
    table: &'a Table,
    name: &str,
    now_ms: u64,
    local: impl FnOnce(String) -> Refusal,
) -> Result<Option<&'a SecondaryIndex>, Error> {
    check_stays(table, name, now_ms)?;
    match table.index(name) {
        Some(index) if index.kind() == IndexKind::Local => Err(local(name.to_owned()).into()),
        found => Ok(found),
    }
}

/// That `name` is not the name of an index that is being deleted (DDB-TABLE-163).
pub(super) fn check_stays(table: &Table, name: &str, now_ms: u64) -> Result<(), Error> {
    let mut leaving = table.leaving_indexes(now_ms);
    match leaving.any(|index| index.name() == name) {
        true => Err(index_in_use(table, name, "deleted")),
        false => Ok(()),
    }
}

/// The words for an index that does not exist (DDB-TABLE-380).
pub(super) fn no_index(table: &Table, name: &str) -> Error {
    let table = table.name();
    let message = format!("Requested resource not found: Index {name} for table {table}");
    Error::ResourceNotFound(message.into())
}

fn index_in_use(table: &Table, name: &str, doing: &str) -> Error {
    let table = table.name();
    busy::in_use(&format!(
        "Index is being {doing}. Table: {table} Index: {name}"
    ))
}

/// That the index exists and can be updated. While it is filled it can (developer guide, "Modifying a
/// global secondary index during creation"). This comes before what the table's state forbids
/// (DDB-TABLE-375).
fn check_updatable(
    update: &UpdateGlobalSecondaryIndexAction,
    table: &Table,
    now_ms: u64,
) -> Result<(), Error> {
    let name = update.index_name.as_deref().unwrap_or_default();
    let local = |index| Refusal::UpdateLocalIndex { index };
    let Some(index) = find_global(table, name, now_ms, local)? else {
        return Err(no_index(table, name));
    };
    match (index.status(now_ms), index.backfilling(now_ms)) {
        (TableStatus::Active, _) | (TableStatus::Creating, Some(true)) => Ok(()),
        (TableStatus::Creating, _) => Err(index_in_use(
            table,
            name,
            "created but is not backfilling yet",
        )),
        _ => Err(index_in_use(table, name, "updated")),
    }
}

fn update_index(
    update: &UpdateGlobalSecondaryIndexAction,
    table: &Table,
    record: &mut Record,
    switched: bool,
    now_ms: u64,
    updating: State,
) -> Result<(), Error> {
    let name = update.index_name.as_deref().unwrap_or_default();
    let billing = record.billing;
    let region = &*table.namespace().region;
    let Some(index) = record
        .global_indexes
        .iter_mut()
        .find(|index| index.name == name)
    else {
        return Err(no_index(table, name));
    };
    // One that is being created stays so.
    let updating = match index.state.change {
        status::Change::Create if index.state.status(now_ms) != TableStatus::Active => index.state,
        _ => updating,
    };
    let nothing = update.provisioned_throughput.is_none()
        && update.warm_throughput.is_none()
        && throughput::is_empty(update.on_demand_throughput.as_ref());
    if nothing {
        let index = name.to_owned();
        return Err(match billing {
            BillingMode::PayPerRequest => Refusal::UpdateIndexCapacityOnDemand { index },
            BillingMode::Provisioned => Refusal::UpdateIndexNothing { index },
        }
        .into());
    }
    if let Some(given) = &update.provisioned_throughput {
        if billing == BillingMode::PayPerRequest {
            return Err(Refusal::UpdateIndexCapacityOnDemand {
                index: name.to_owned(),
            }
            .into());
        }
        let capacity = Capacity::of(given);
        capacity.check_quota(Some(name), region)?;
        set_capacity(
            &mut index.throughput,
            capacity,
            Some(name),
            switched,
            now_ms,
        )?;
        index.warm = index
            .warm
            .map(|warm| warm.raised_to(capacity.read, capacity.write));
        index.state = updating;
    }
    if let Some(given) = &update.on_demand_throughput {
        if billing == BillingMode::Provisioned
            && let Some(member) = throughput::first_maximum(given)
        {
            let index = Some(name.to_owned());
            return Err(Refusal::UpdateMaximumProvisioned { member, index }.into());
        }
        throughput::check_maximums(given, Some(name), true)?;
        throughput::check_maximum_quota(given, Some(name), region)?;
        index.on_demand = throughput::maximums(index.on_demand, given);
        index.state = updating;
    }
    if let (Some(given), Some(warm)) = (&update.warm_throughput, index.warm) {
        index.warm = Some(throughput::warm_raised(warm, given, Some(name))?);
    }
    Ok(())
}
