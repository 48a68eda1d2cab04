//! Adding a global secondary index to a table, and deleting one.
//!
//! One index at a time is created or deleted, and that goes through phases: while the resources of a
//! new one are allocated the table is UPDATING and little else can be done with it; while it is filled
//! the table is ACTIVE, and the index can be deleted again (developer guide, "Managing global
//! secondary indexes"; DDB-TABLE-148, -149, -458).

use super::busy::{self, Wanted};
use crate::{
    operation::definition::{
        Refusal,
        index::{check_projected, projection},
        key::{AddedKey, Attributes},
        throughput::{self, Capacity},
    },
    table::{
        BillingMode, ProvisionedThroughput, Record, SecondaryIndex, Table, record,
        status::{self, State},
    },
    wire::{
        Error,
        shapes::{
            AttributeDefinition, CreateGlobalSecondaryIndexAction,
            DeleteGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate,
        },
    },
};

/// Global secondary indexes per table (developer guide, "Quotas in Amazon DynamoDB"), in the words
/// that UpdateTable has for it (DDB-TABLE-169).
const GLOBAL_INDEX_LIMIT: usize = 20;

/// When a change that begins now is over: Unix milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) now_ms: u64,
    /// How long a state shows at least.
    pub(super) delay_ms: u64,
}

impl Times {
    fn after(self, states: u64) -> u64 {
        self.now_ms
            .saturating_add(self.delay_ms.saturating_mul(states))
    }
}

/// Creates and deletes the indexes that `updates` say. `record` is that of `table`, with what else
/// the request changes.
pub(super) fn apply(
    updates: &[GlobalSecondaryIndexUpdate],
    definitions: Option<&[AttributeDefinition]>,
    table: &Table,
    record: &mut Record,
    times: Times,
) -> Result<(), Error> {
    let creates: Vec<_> = updates.iter().filter_map(|u| u.create.as_ref()).collect();
    let deletes: Vec<_> = updates.iter().filter_map(|u| u.delete.as_ref()).collect();
    if creates.is_empty() && deletes.is_empty() {
        return Ok(());
    }
    for create in &creates {
        check_new_name(create, table, times.now_ms)?;
    }
    for delete in &deletes {
        check_deletable(delete, table, times.now_ms)?;
    }
    busy::check_table(table, Wanted::Indexes, times.now_ms)?;
    check_one_at_a_time(creates.len() + deletes.len(), &deletes, table, times.now_ms)?;
    for create in creates {
        self::create(create, definitions, table, record, times)?;
    }
    for delete in deletes {
        self::delete(delete, record, times);
    }
    Ok(())
}

fn check_new_name(
    create: &CreateGlobalSecondaryIndexAction,
    table: &Table,
    now_ms: u64,
) -> Result<(), Error> {
    let name = create.index_name.as_deref().unwrap_or_default();
    super::change::check_stays(table, name, now_ms)?;
    match table.index(name) {
        Some(_) => Err(Refusal::IndexExists.into()),
        None => Ok(()),
    }
}

fn check_deletable(
    delete: &DeleteGlobalSecondaryIndexAction,
    table: &Table,
    now_ms: u64,
) -> Result<(), Error> {
    let name = delete.index_name.as_deref().unwrap_or_default();
    let Some(index) = super::change::find_global(table, name, now_ms, |index| {
        Refusal::DeleteLocalIndex { index }
    })?
    else {
        return Err(super::change::no_index(table, name));
    };
    if index.backfilling(now_ms) == Some(false) {
        return Err(busy::in_use(&format!(
            "Index creation is in resource allocation phase. Retry deletion during backfilling \
             phase or when the index is active. Table: {} Index: {name}",
            table.name()
        )));
    }
    Ok(())
}

/// DDB-TABLE-159. An index that is being created may be deleted, which ends its creation.
fn check_one_at_a_time(
    count: usize,
    deletes: &[&DeleteGlobalSecondaryIndexAction],
    table: &Table,
    now_ms: u64,
) -> Result<(), Error> {
    let is_deleted = |index: &SecondaryIndex| {
        let mut names = deletes.iter().map(|delete| delete.index_name.as_deref());
        names.any(|name| name == Some(index.name()))
    };
    let mut created = table
        .indexes()
        .iter()
        .filter(|index| index.backfilling(now_ms).is_some());
    let busy =
        created.any(|index| !is_deleted(index)) || table.leaving_indexes(now_ms).next().is_some();
    if count > 1 || busy {
        return Err(Error::LimitExceeded(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted \
             simultaneously per table"
                .into(),
        ));
    }
    Ok(())
}

fn create(
    given: &CreateGlobalSecondaryIndexAction,
    definitions: Option<&[AttributeDefinition]>,
    table: &Table,
    record: &mut Record,
    times: Times,
) -> Result<(), Error> {
    let name = given.index_name.clone().unwrap_or_default();
    let region = &*table.namespace().region;
    let Some(definitions) = definitions else {
        return Err(Refusal::NoAttributesForIndex { index: name }.into());
    };
    let schema = given.key_schema.as_deref().unwrap_or_default();
    let added = AddedKey::new(schema, &Attributes::new(definitions)?, &record.attributes)?;
    let projection = projection(given.projection.as_ref())?;
    let capacity = capacity(given, record.billing, &name)?;
    if let Some(maximums) = &given.on_demand_throughput {
        if record.billing == BillingMode::Provisioned
            && let Some(member) = throughput::first_maximum(maximums)
        {
            let index = Some(name);
            return Err(Refusal::UpdateMaximumProvisioned { member, index }.into());
        }
        throughput::check_maximums(maximums, Some(&name), false)?;
    }
    let warm = given.warm_throughput.as_ref();
    let warm = throughput::warm_at_creation(warm, record.billing, capacity, Some(&name))?;
    check_projected(
        record
            .indexes()
            .filter(|index| index.state.change != status::Change::Delete)
            .map(|index| &index.projection)
            .chain([&projection]),
    )?;
    if record.global_indexes.len() >= GLOBAL_INDEX_LIMIT {
        return Err(Error::LimitExceeded(
            format!(
                "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table \
                 limit of {GLOBAL_INDEX_LIMIT}"
            )
            .into(),
        ));
    }
    capacity.check_quota(Some(&name), region)?;
    if let Some(maximums) = &given.on_demand_throughput {
        throughput::check_maximum_quota(maximums, Some(&name), region)?;
    }
    record.attributes = added.attributes;
    record.global_indexes.push(record::Index {
        name,
        keyspace: 0,
        state: State {
            change: status::Change::Create,
            until_ms: times.after(2),
        },
        allocated_ms: Some(times.after(1)),
        key: added.key,
        projection,
        throughput: ProvisionedThroughput::new(capacity.read, capacity.write),
        on_demand: given
            .on_demand_throughput
            .as_ref()
            .and_then(|given| throughput::maximums(None, given)),
        warm: Some(warm),
    });
    Ok(())
}

/// As at the creation of a table, in other words (DDB-TABLE-152).
fn capacity(
    given: &CreateGlobalSecondaryIndexAction,
    billing: BillingMode,
    name: &str,
) -> Result<Capacity, Refusal> {
    let index = || name.to_owned();
    match (billing, &given.provisioned_throughput) {
        (BillingMode::PayPerRequest, Some(_)) => {
            Err(Refusal::AddedIndexCapacityOnDemand { index: index() })
        }
        (BillingMode::PayPerRequest, None) => Ok(Capacity::NONE),
        (BillingMode::Provisioned, None) => {
            Err(Refusal::AddedIndexCapacityMissing { index: index() })
        }
        (BillingMode::Provisioned, Some(given)) => {
            let capacity = Capacity::of(given);
            capacity.check_bounds(Some(name))?;
            Ok(capacity)
        }
    }
}

/// It shows as long as states do; its entries are dropped at once.
fn delete(given: &DeleteGlobalSecondaryIndexAction, record: &mut Record, times: Times) {
    let mut indexes = record.global_indexes.iter_mut();
    if let Some(index) = indexes.find(|index| Some(&index.name) == given.index_name.as_ref()) {
        index.state = State {
            change: status::Change::Delete,
            until_ms: times.after(1),
        };
    }
    record.purge(times.now_ms);
}
