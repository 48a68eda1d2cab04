//! From a request to a definition.
//!
//! The order of the checks is DynamoDB's as far as it is known: billing and capacity, then the keys
//! ([`key`]), then each index, then the rest.

use crate::{
    operation::{
        RequestContext,
        definition::{
            self, Refusal,
            index::{self, IndexKeys},
            key::{self, Attributes},
            tags,
            throughput::{self, Capacity},
        },
        policy::Slot,
    },
    stator::Stator,
    streams::View,
    table::{
        BillingMode, Changes, Namespace, OnDemandThroughput, ProvisionedThroughput, Record,
        record::{self, Class, LatestStream, Policy, Tag},
        status::{self, State},
        table_arn,
    },
    validation::pattern::NAME,
    wire::{
        Error,
        shapes::{self, CreateTableInput, GlobalSecondaryIndex, StreamSpecification},
    },
};

/// The definition that a request asks for, still without keyspaces and id.
pub(super) fn define(
    stator: &Stator,
    context: &RequestContext,
    input: &CreateTableInput,
) -> Result<Record, Error> {
    let given_name = input.table_name.as_deref().unwrap_or_default();
    let (namespace, name) = stator.resolve(context, given_name);
    check_name(given_name, name)?;
    let billing = billing(input)?;
    let capacity = capacity(input, billing)?;

    let attributes = Attributes::new(input.attribute_definitions.as_deref().unwrap_or_default())?;
    let key = key::table_key(input.key_schema.as_deref().unwrap_or_default(), &attributes)?;
    let local = input.local_secondary_indexes.as_deref();
    let global = input.global_secondary_indexes.as_deref();
    let keys = IndexKeys::new(local, global, &attributes)?;
    key::check_use(&attributes, &key, &keys.all().collect::<Vec<_>>())?;
    let (local, global) = (local.unwrap_or_default(), global.unwrap_or_default());
    index::check_local(local, &keys.local, &key)?;
    index::check_globals(global, &keys.global)?;
    index::check_names(
        (local.iter().map(|index| &index.index_name))
            .chain(global.iter().map(|index| &index.index_name))
            .filter_map(Option::as_deref),
    )?;

    let until_ms = context.now_ms.saturating_add(stator.table_state_delay_ms());
    let state = State {
        change: status::Change::Create,
        until_ms,
    };
    let local_indexes = local_indexes(local, keys.local, state)?;
    let global_indexes = global_indexes(global, keys.global, state, billing)?;
    let projections = local_indexes
        .iter()
        .chain(&global_indexes)
        .map(|index| &index.projection);
    index::check_projected(projections)?;

    let on_demand = maximums(input.on_demand_throughput.as_ref(), None, billing)?;
    let warm = input.warm_throughput.as_ref();
    let warm = throughput::warm_at_creation(warm, billing, capacity, None)?;
    let stream = stream(input.stream_specification.as_ref())?;
    let encryption = input
        .sse_specification
        .as_ref()
        .map(definition::encryption)
        .transpose()?;
    let class = input
        .table_class
        .as_deref()
        .map(definition::table_class)
        .transpose()?;
    let tags = tags(input)?;
    let policies = policies(input, &namespace, name, context.now_ms)?;
    check_quotas(input, capacity, &global_indexes, &namespace.region)?;
    Ok(Record {
        version: record::VERSION,
        account: namespace.account.to_string(),
        region: namespace.region.to_string(),
        name: name.to_owned(),
        id: String::new(),
        keyspace: 0,
        created_ms: context.now_ms,
        state,
        attributes: attributes.sorted(),
        key,
        collections: None,
        local_indexes,
        global_indexes,
        billing,
        on_demand_since_ms: (billing == BillingMode::PayPerRequest).then_some(context.now_ms),
        throughput: ProvisionedThroughput::new(capacity.read, capacity.write),
        on_demand,
        warm,
        class: class.map(|name| Class {
            name,
            changed_ms: None,
        }),
        encryption: encryption.flatten(),
        deletion_protection: input.deletion_protection_enabled == Some(true),
        tags,
        policies,
        changes: Changes::default(),
        time_to_live: None,
        stream,
    })
}

/// A bare name was checked with the model's constraints; that within an ARN was not.
fn check_name(given: &str, name: &str) -> Result<(), Error> {
    if (3..=255).contains(&name.len()) && NAME.matches(name) {
        return Ok(());
    }
    Err(Error::validation(format!(
        "1 validation error detected: Value '{given}' at 'tableName' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: {}",
        NAME.text
    )))
}

fn billing(input: &CreateTableInput) -> Result<BillingMode, Refusal> {
    let mode = input
        .billing_mode
        .as_deref()
        .and_then(BillingMode::from_name);
    let mode = mode.unwrap_or(BillingMode::Provisioned);
    match (mode, &input.provisioned_throughput) {
        (BillingMode::PayPerRequest, Some(_)) => Err(Refusal::CapacityOnDemand),
        (BillingMode::Provisioned, None) => Err(Refusal::CapacityMissing),
        _ => Ok(mode),
    }
}

fn capacity(input: &CreateTableInput, billing: BillingMode) -> Result<Capacity, Refusal> {
    match (billing, &input.provisioned_throughput) {
        (BillingMode::Provisioned, Some(given)) => {
            let capacity = Capacity::of(given);
            capacity.check_bounds(None)?;
            Ok(capacity)
        }
        _ => Ok(Capacity::NONE),
    }
}

fn local_indexes(
    indexes: &[shapes::LocalSecondaryIndex],
    keys: Vec<Vec<record::KeyElement>>,
    state: State,
) -> Result<Vec<record::Index>, Refusal> {
    let define = |(index, key): (&shapes::LocalSecondaryIndex, _)| {
        Ok(record::Index {
            name: index.index_name.clone().unwrap_or_default(),
            keyspace: 0,
            state,
            allocated_ms: None,
            key,
            projection: index::projection(index.projection.as_ref())?,
            throughput: ProvisionedThroughput::default(),
            on_demand: None,
            warm: None,
        })
    };
    indexes.iter().zip(keys).map(define).collect()
}

fn global_indexes(
    indexes: &[GlobalSecondaryIndex],
    keys: Vec<Vec<record::KeyElement>>,
    state: State,
    billing: BillingMode,
) -> Result<Vec<record::Index>, Refusal> {
    let define = |(index, key): (&GlobalSecondaryIndex, _)| {
        let name = index.index_name.clone().unwrap_or_default();
        let capacity = index_capacity(index, &name, billing)?;
        let warm = index.warm_throughput.as_ref();
        Ok(record::Index {
            keyspace: 0,
            state,
            allocated_ms: None,
            key,
            projection: index::projection(index.projection.as_ref())?,
            throughput: ProvisionedThroughput::new(capacity.read, capacity.write),
            on_demand: maximums(index.on_demand_throughput.as_ref(), Some(&name), billing)?,
            warm: Some(throughput::warm_at_creation(
                warm,
                billing,
                capacity,
                Some(&name),
            )?),
            name,
        })
    };
    indexes.iter().zip(keys).map(define).collect()
}

/// Each global secondary index has a capacity of its own if the table has, and none if not.
fn index_capacity(
    index: &GlobalSecondaryIndex,
    name: &str,
    billing: BillingMode,
) -> Result<Capacity, Refusal> {
    let index_name = || name.to_owned();
    match (billing, &index.provisioned_throughput) {
        (BillingMode::PayPerRequest, Some(_)) => Err(Refusal::IndexCapacityOnDemand {
            index: index_name(),
        }),
        (BillingMode::PayPerRequest, None) => Ok(Capacity::NONE),
        (BillingMode::Provisioned, None) => Err(Refusal::IndexCapacityMissing {
            index: index_name(),
        }),
        (BillingMode::Provisioned, Some(given)) => {
            let capacity = Capacity::of(given);
            capacity.check_bounds(Some(name))?;
            Ok(capacity)
        }
    }
}

/// Maximums are for on-demand tables only.
fn maximums(
    given: Option<&shapes::OnDemandThroughput>,
    index: Option<&str>,
    billing: BillingMode,
) -> Result<Option<OnDemandThroughput>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    if billing == BillingMode::Provisioned
        && let Some(member) = throughput::first_maximum(given)
    {
        let index = index.map(str::to_owned);
        return Err(Refusal::MaximumProvisioned { member, index });
    }
    throughput::check_maximums(given, index, false)?;
    Ok(throughput::maximums(None, given))
}

/// A stream has a view type if and only if it is enabled. Its label comes when the table is made.
fn stream(given: Option<&StreamSpecification>) -> Result<Option<LatestStream>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    let view = given.stream_view_type.as_deref().and_then(View::from_name);
    match (given.stream_enabled == Some(true), view) {
        (true, None) => Err(Refusal::StreamWithoutView),
        (false, Some(_)) => Err(Refusal::ViewWithoutStream),
        (false, None) => Ok(None),
        (true, Some(view)) => Ok(Some(LatestStream {
            label: String::new(),
            view,
            enabled: true,
        })),
    }
}

fn tags(input: &CreateTableInput) -> Result<Vec<Tag>, Refusal> {
    let given = input.tags.as_deref().unwrap_or_default();
    tags::check_tags(given)?;
    let tags: Vec<Tag> = given.iter().map(tags::record).collect();
    tags::check_tag_set(&tags)?;
    Ok(tags)
}

/// A policy comes under the same rules as one that is attached later, but for the one that nobody
/// locks themselves out.
fn policies(
    input: &CreateTableInput,
    namespace: &Namespace,
    name: &str,
    now_ms: u64,
) -> Result<Vec<Policy>, Error> {
    let Some(given) = &input.resource_policy else {
        return Ok(Vec::new());
    };
    let arn = table_arn(namespace, name);
    let slot = Slot {
        arn: &arn,
        namespace: namespace.clone(),
        table: name,
        stream: None,
    };
    let document = slot.document(given)?.canonical;
    let mut policies = Vec::new();
    slot.fill(&mut policies, Some(document), now_ms);
    Ok(policies)
}

/// The account's quotas come last: DynamoDB takes longer to answer them than all else
/// (DDB-TABLE-171).
fn check_quotas(
    input: &CreateTableInput,
    capacity: Capacity,
    indexes: &[record::Index],
    region: &str,
) -> Result<(), Error> {
    capacity.check_quota(None, region)?;
    if let Some(given) = &input.on_demand_throughput {
        throughput::check_maximum_quota(given, None, region)?;
    }
    let given = input
        .global_secondary_indexes
        .as_deref()
        .unwrap_or_default();
    for (index, given) in indexes.iter().zip(given) {
        let capacity = Capacity {
            read: index.throughput.read_units,
            write: index.throughput.write_units,
        };
        capacity.check_quota(Some(&index.name), region)?;
        if let Some(given) = &given.on_demand_throughput {
            throughput::check_maximum_quota(given, Some(&index.name), region)?;
        }
    }
    Ok(())
}
