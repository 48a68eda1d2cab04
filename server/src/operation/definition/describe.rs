//! A table as DescribeTable shows it.

use xxhash_rust::xxh3::xxh3_128;

use super::{stream_arn, uuid};
use crate::{
    store::KeyspaceId,
    table::{
        BillingMode, Namespace, OnDemandThroughput, Owner, Projection, ProvisionedThroughput,
        SecondaryIndex, Table, TableStatus, WarmThroughput, record,
        record::{KeyElement, LatestStream},
    },
    wire::shapes,
};

/// Describes `table` as it is at `now_ms`.
///
/// What is absent here, DynamoDB leaves out too: `BillingModeSummary` of a table that was never on
/// demand, `TableClassSummary` and `OnDemandThroughput` where none was given, `StreamSpecification` of a
/// table without an enabled stream (the ARN and label of its last one stay), `Backfilling` of an
/// index that came with its table (DDB-TABLE-028, -033, -138).
pub(crate) fn describe(table: &Table, now_ms: u64) -> shapes::TableDescription {
    let record = &*table.record().at(now_ms);
    let status = table.status(now_ms);
    let views = |indexes: &[record::Index]| -> Vec<&SecondaryIndex> {
        indexes
            .iter()
            .filter_map(|index| table.index_in(KeyspaceId(index.keyspace)))
            .collect()
    };
    let local: Vec<_> = views(&record.local_indexes)
        .into_iter()
        .map(local_index)
        .collect();
    let global: Vec<_> = views(&record.global_indexes)
        .into_iter()
        .map(|index| global_index(index, now_ms))
        .collect();
    shapes::TableDescription {
        attribute_definitions: Some(record.attributes.iter().map(attribute).collect()),
        table_name: Some(record.name.clone()),
        key_schema: Some(key_schema(&record.key)),
        table_status: Some(status.name().to_owned()),
        creation_date_time: Some(seconds(record.created_ms)),
        provisioned_throughput: Some(provisioned(&record.throughput, now_ms)),
        table_size_bytes: Some(table.statistics().size_bytes()),
        item_count: Some(table.statistics().item_count()),
        table_arn: Some(table.arn().to_owned()),
        table_id: Some(record.id.clone()),
        billing_mode_summary: billing(record),
        local_secondary_indexes: (!local.is_empty()).then_some(local),
        global_secondary_indexes: (!global.is_empty()).then_some(global),
        sse_description: record
            .encryption
            .as_ref()
            .map(|encryption| sse(table.namespace(), encryption)),
        table_class_summary: record.class.as_ref().map(table_class),
        stream_specification: record.enabled_stream().map(stream_specification),
        latest_stream_label: record.stream.as_ref().map(|stream| stream.label.clone()),
        latest_stream_arn: record
            .stream
            .as_ref()
            .map(|stream| stream_arn(table.namespace(), table.name(), &stream.label)),
        deletion_protection_enabled: Some(record.deletion_protection),
        on_demand_throughput: record.on_demand.map(on_demand),
        warm_throughput: Some(shapes::TableWarmThroughputDescription {
            read_units_per_second: Some(record.warm.read_units),
            write_units_per_second: Some(record.warm.write_units),
            status: Some(warm_status(status)),
        }),
        ..shapes::TableDescription::default()
    }
}

fn stream_specification(stream: &LatestStream) -> shapes::StreamSpecification {
    shapes::StreamSpecification {
        stream_enabled: Some(true),
        stream_view_type: Some(stream.view.name().to_owned()),
    }
}

fn local_index(index: &SecondaryIndex) -> shapes::LocalSecondaryIndexDescription {
    shapes::LocalSecondaryIndexDescription {
        index_name: Some(index.name().to_owned()),
        key_schema: Some(key_schema(&index.record().key)),
        projection: Some(projection(index.projection())),
        index_size_bytes: Some(index.statistics().size_bytes()),
        item_count: Some(index.statistics().item_count()),
        index_arn: Some(index.arn().to_owned()),
    }
}

fn global_index(index: &SecondaryIndex, now_ms: u64) -> shapes::GlobalSecondaryIndexDescription {
    let record = index.record();
    let status = index.status(now_ms);
    shapes::GlobalSecondaryIndexDescription {
        index_name: Some(index.name().to_owned()),
        key_schema: Some(key_schema(&record.key)),
        projection: Some(projection(index.projection())),
        index_status: Some(status.name().to_owned()),
        backfilling: index.backfilling(now_ms),
        provisioned_throughput: Some(provisioned(&record.throughput, now_ms)),
        index_size_bytes: Some(index.statistics().size_bytes()),
        item_count: Some(index.statistics().item_count()),
        index_arn: Some(index.arn().to_owned()),
        on_demand_throughput: record.on_demand.map(on_demand),
        warm_throughput: record.warm.map(
            |WarmThroughput {
                 read_units,
                 write_units,
             }| {
                shapes::GlobalSecondaryIndexWarmThroughputDescription {
                    read_units_per_second: Some(read_units),
                    write_units_per_second: Some(write_units),
                    status: Some(warm_status(status)),
                }
            },
        ),
    }
}

/// Warm throughput becomes ACTIVE together with what has it (DDB-TABLE-134).
fn warm_status(status: TableStatus) -> String {
    let status = match status {
        TableStatus::Creating => TableStatus::Updating,
        _ => TableStatus::Active,
    };
    status.name().to_owned()
}

fn attribute(attribute: &record::Attribute) -> shapes::AttributeDefinition {
    shapes::AttributeDefinition {
        attribute_name: Some(attribute.name.clone()),
        attribute_type: Some(attribute.scalar.name().to_owned()),
    }
}

fn key_schema(key: &[KeyElement]) -> Vec<shapes::KeySchemaElement> {
    let element = |element: &KeyElement| shapes::KeySchemaElement {
        attribute_name: Some(element.name.clone()),
        key_type: Some(element.key_type.name().to_owned()),
    };
    key.iter().map(element).collect()
}

fn projection(projection: &Projection) -> shapes::Projection {
    let (projection_type, non_key_attributes) = match projection {
        Projection::All => ("ALL", None),
        Projection::KeysOnly => ("KEYS_ONLY", None),
        Projection::Include(names) => ("INCLUDE", Some(names.clone())),
    };
    shapes::Projection {
        projection_type: Some(projection_type.to_owned()),
        non_key_attributes,
    }
}

pub(crate) fn provisioned(
    throughput: &ProvisionedThroughput,
    now_ms: u64,
) -> shapes::ProvisionedThroughputDescription {
    shapes::ProvisionedThroughputDescription {
        last_increase_date_time: throughput.increased_ms.map(seconds),
        last_decrease_date_time: throughput.decreased_ms.map(seconds),
        number_of_decreases_today: Some(i64::from(throughput.decreases_today(now_ms))),
        read_capacity_units: Some(throughput.read_units),
        write_capacity_units: Some(throughput.write_units),
    }
}

fn billing(record: &record::Record) -> Option<shapes::BillingModeSummary> {
    let since = record.on_demand_since_ms;
    (since.is_some() || record.billing == BillingMode::PayPerRequest).then(|| {
        shapes::BillingModeSummary {
            billing_mode: Some(record.billing.name().to_owned()),
            last_update_to_pay_per_request_date_time: since.map(seconds),
        }
    })
}

fn on_demand(maximums: OnDemandThroughput) -> shapes::OnDemandThroughput {
    shapes::OnDemandThroughput {
        max_read_request_units: maximums.max_read_units,
        max_write_request_units: maximums.max_write_units,
    }
}

pub(crate) fn sse(
    namespace: &Namespace,
    encryption: &record::Encryption,
) -> shapes::SSEDescription {
    shapes::SSEDescription {
        status: Some("ENABLED".to_owned()),
        sse_type: Some("KMS".to_owned()),
        kms_master_key_arn: Some(key_arn(namespace, encryption)),
        inaccessible_encryption_date_time: None,
    }
}

pub(crate) fn table_class(class: &record::Class) -> shapes::TableClassSummary {
    shapes::TableClassSummary {
        table_class: Some(class.name.name().to_owned()),
        last_update_date_time: class.changed_ms.map(seconds),
    }
}

/// ARN of the key that a table is encrypted with, made from what the request named it by. Nothing is
/// encrypted with it: there is no KMS here. So every key exists, and what an alias stands for is the
/// key whose id follows from the alias: it is described as a key, as in AWS (DDB-TABLE-078).
pub(crate) fn key_arn(namespace: &Namespace, encryption: &record::Encryption) -> String {
    let given = encryption.key.as_deref().unwrap_or("alias/aws/dynamodb");
    let (prefix, key) = match given.rsplit_once(":alias/") {
        Some((prefix, alias)) => (prefix.to_owned(), format!("alias/{alias}")),
        None if given.starts_with("arn:") => return given.to_owned(),
        None => {
            let Owner { account, region } = &**namespace;
            (format!("arn:aws:kms:{region}:{account}"), given.to_owned())
        }
    };
    match key.strip_prefix("alias/") {
        Some(alias) => {
            let id = uuid(xxh3_128(format!("{prefix}:{alias}").as_bytes()));
            format!("{prefix}:key/{id}")
        }
        None => format!("{prefix}:key/{key}"),
    }
}

/// Seconds since 1970, with a fraction, as timestamps go on the wire.
pub(crate) fn seconds(ms: u64) -> f64 {
    // Milliseconds of any date that a clock shows are exact in a double.
    ms as f64 / 1000.0
}
