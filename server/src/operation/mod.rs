//! The operations, one file each: decode, validate, plan, execute, respond.
//!
//! [`dispatch`] is the way in for requests on the wire, and the methods of [`Stator`] that are named
//! after operations for everybody else. Both check the constraints of the API model first, and both
//! come from one list at the end of this file: an operation is served when it is on it.

#[cfg(test)]
mod backfill_tests;
mod batch_execute_statement;
mod batch_get_item;
mod batch_write_item;
#[cfg(test)]
mod collection_tests;
mod condition;
mod context;
mod create_table;
mod definition;
mod delete_item;
mod delete_resource_policy;
mod delete_table;
mod describe_continuous_backups;
mod describe_contributor_insights;
mod describe_endpoints;
mod describe_kinesis_streaming_destination;
mod describe_limits;
mod describe_stream;
mod describe_table;
mod describe_table_replica_auto_scaling;
mod describe_time_to_live;
mod execute_statement;
mod execute_transaction;
mod get_item;
mod get_records;
mod get_resource_policy;
mod get_shard_iterator;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod item_tests;
mod key_range;
mod layer;
mod legacy;
#[cfg(test)]
mod limit_tests;
mod list_backups;
mod list_contributor_insights;
mod list_exports;
mod list_global_tables;
mod list_imports;
mod list_streams;
mod list_tables;
mod list_tags_of_resource;
mod page_request;
mod policy;
mod projection;
#[cfg(test)]
mod property_tests;
mod put_item;
mod put_resource_policy;
mod query;
#[cfg(test)]
mod recorded;
mod resource;
mod respond;
mod scan;
mod single_write;
mod statement;
#[cfg(test)]
mod statement_tests;
mod stream;
#[cfg(test)]
mod stream_tests;
mod tag_resource;
mod transact_get_items;
mod transact_write_items;
#[cfg(test)]
mod transaction_tests;
mod transactional;
mod untag_resource;
mod update_item;
mod update_table;
mod update_time_to_live;

use bytes::Bytes;

pub use context::RequestContext;
pub(crate) use definition::instant;
pub use definition::quota::Quotas;

use crate::{
    stator::Stator,
    stopwatch::{self, Stage},
    validation::{Violations, not_served},
    wire::{
        Error, Operation,
        json::{Reader, Writer},
        shapes::*,
    },
};

/// The answer of operations that have nothing to say: an empty body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nothing;

impl Nothing {
    fn encode(self, _: &mut Writer) {}
}

/// Bytes that most answers fit into.
const ANSWER_SIZE: usize = 2048;

/// Waits for an operation. The future of [`dispatch`] is as large as its largest, and is moved some times
/// with each request: those that are not asked for all the time have memory of their own.
macro_rules! performed {
    (often $operation:expr) => {
        $operation.await
    };
    ($operation:expr) => {
        Box::pin($operation).await
    };
}

/// Defines [`dispatch`] and the typed calls from the list of operations that are served.
macro_rules! operations {
    ($($operation:ident: $module:ident, $input:ident -> $output:ident $(, $often:ident)?;)*) => {
        /// The operations that are served. The others are answered with an error that names them.
        pub const SERVED: &[Operation] = &[$(Operation::$operation,)*];

        /// Performs `operation` on the JSON document `body`, and gives the JSON document that answers
        /// it.
        ///
        /// # Errors
        /// What DynamoDB answers instead; [`Error::NotServed`] for operations that are not built.
        pub async fn dispatch(
            stator: &Stator,
            context: &RequestContext,
            operation: Operation,
            body: &[u8],
        ) -> Result<Bytes, Error> {
            match operation {
                $(Operation::$operation => {
                    let mut reader = Reader::new(body);
                    let input = $input::decode(&mut reader)?;
                    let deep = context.reading(reader.deepest());
                    reader.finish()?;
                    let context = deep.as_ref().unwrap_or(context);
                    stopwatch::enter(Stage::Execute);
                    let output = performed!($($often)? stator.$module(context, input))?;
                    stopwatch::enter(Stage::Respond);
                    let mut writer = Writer::with_capacity(ANSWER_SIZE);
                    output.encode(&mut writer);
                    Ok(writer.into_bytes().into())
                })*
                other => Err(Error::NotServed(other)),
            }
        }

        impl Stator {
            $(
                #[doc = concat!("`", stringify!($operation), "`.")]
                ///
                /// # Errors
                /// What DynamoDB answers instead.
                pub async fn $module(
                    &self,
                    context: &RequestContext,
                    input: $input,
                ) -> Result<$output, Error> {
                    let mut violations = Violations::new(Operation::$operation);
                    input.constraints(&mut violations);
                    violations.finish(context.wording)?;
                    if let Some(path) = input.refused() {
                        return Err(not_served(&path));
                    }
                    $module::execute(self, context, input).await
                }
            )*
        }
    };
}

operations! {
    BatchExecuteStatement: batch_execute_statement, BatchExecuteStatementInput -> BatchExecuteStatementOutput;
    BatchGetItem: batch_get_item, BatchGetItemInput -> BatchGetItemOutput, often;
    BatchWriteItem: batch_write_item, BatchWriteItemInput -> BatchWriteItemOutput;
    CreateTable: create_table, CreateTableInput -> CreateTableOutput;
    DeleteItem: delete_item, DeleteItemInput -> DeleteItemOutput, often;
    DeleteResourcePolicy: delete_resource_policy, DeleteResourcePolicyInput -> DeleteResourcePolicyOutput;
    DeleteTable: delete_table, DeleteTableInput -> DeleteTableOutput;
    DescribeContinuousBackups: describe_continuous_backups, DescribeContinuousBackupsInput -> DescribeContinuousBackupsOutput;
    DescribeContributorInsights: describe_contributor_insights, DescribeContributorInsightsInput -> DescribeContributorInsightsOutput;
    DescribeEndpoints: describe_endpoints, DescribeEndpointsRequest -> DescribeEndpointsResponse;
    DescribeKinesisStreamingDestination: describe_kinesis_streaming_destination, DescribeKinesisStreamingDestinationInput -> DescribeKinesisStreamingDestinationOutput;
    DescribeLimits: describe_limits, DescribeLimitsInput -> DescribeLimitsOutput;
    DescribeStream: describe_stream, DescribeStreamInput -> DescribeStreamOutput;
    DescribeTable: describe_table, DescribeTableInput -> DescribeTableOutput;
    DescribeTableReplicaAutoScaling: describe_table_replica_auto_scaling, DescribeTableReplicaAutoScalingInput -> DescribeTableReplicaAutoScalingOutput;
    DescribeTimeToLive: describe_time_to_live, DescribeTimeToLiveInput -> DescribeTimeToLiveOutput;
    ExecuteStatement: execute_statement, ExecuteStatementInput -> ExecuteStatementOutput;
    ExecuteTransaction: execute_transaction, ExecuteTransactionInput -> ExecuteTransactionOutput;
    GetItem: get_item, GetItemInput -> GetItemOutput, often;
    GetRecords: get_records, GetRecordsInput -> GetRecordsOutput;
    GetResourcePolicy: get_resource_policy, GetResourcePolicyInput -> GetResourcePolicyOutput;
    ListBackups: list_backups, ListBackupsInput -> ListBackupsOutput;
    ListContributorInsights: list_contributor_insights, ListContributorInsightsInput -> ListContributorInsightsOutput;
    ListExports: list_exports, ListExportsInput -> ListExportsOutput;
    ListGlobalTables: list_global_tables, ListGlobalTablesInput -> ListGlobalTablesOutput;
    ListImports: list_imports, ListImportsInput -> ListImportsOutput;
    ListStreams: list_streams, ListStreamsInput -> ListStreamsOutput;
    ListTables: list_tables, ListTablesInput -> ListTablesOutput;
    ListTagsOfResource: list_tags_of_resource, ListTagsOfResourceInput -> ListTagsOfResourceOutput;
    GetShardIterator: get_shard_iterator, GetShardIteratorInput -> GetShardIteratorOutput;
    PutItem: put_item, PutItemInput -> PutItemOutput, often;
    PutResourcePolicy: put_resource_policy, PutResourcePolicyInput -> PutResourcePolicyOutput;
    Query: query, QueryInput -> QueryOutput, often;
    Scan: scan, ScanInput -> ScanOutput, often;
    TagResource: tag_resource, TagResourceInput -> Nothing;
    TransactGetItems: transact_get_items, TransactGetItemsInput -> TransactGetItemsOutput;
    TransactWriteItems: transact_write_items, TransactWriteItemsInput -> TransactWriteItemsOutput;
    UntagResource: untag_resource, UntagResourceInput -> Nothing;
    UpdateItem: update_item, UpdateItemInput -> UpdateItemOutput, often;
    UpdateTable: update_table, UpdateTableInput -> UpdateTableOutput;
    UpdateTimeToLive: update_time_to_live, UpdateTimeToLiveInput -> UpdateTimeToLiveOutput;
}

#[cfg(test)]
mod tests;
