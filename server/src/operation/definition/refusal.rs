//! What DynamoDB has against a table definition, and the words it says it with.
//!
//! The words are DynamoDB's own, spelling included. They were observed on AWS: by the conformance
//! suite (`tier3/error-messages/createTable`), by users' reports, and by the published findings of
//! a lab that probed the table operations in October 2026 ("ack-api-quirks", DDB-TABLE-015 to -462).

use crate::{store::Fault, wire::Error};

/// A rule of table definitions that a request breaks: a `ValidationException`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    // Billing and throughput.
    #[error(
        "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
    )]
    CapacityOnDemand,
    #[error(
        "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
    )]
    CapacityMissing,
    #[error(
        "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
    )]
    UpdateCapacityMissing,
    #[error(
        "One or more parameter values were invalid: ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST"
    )]
    UpdateCapacityOnDemand,
    #[error(
        "One or more parameter values were invalid: ProvisionedThroughput should not be specified for index: {index} when BillingMode is PAY_PER_REQUEST"
    )]
    IndexCapacityOnDemand { index: String },
    #[error(
        "One or more parameter values were invalid: ProvisionedThroughput is not specified for index: {index}"
    )]
    IndexCapacityMissing { index: String },
    #[error(
        "One or more parameter values were invalid: ProvisionedThroughput must be specified for index: {index}"
    )]
    UpdateIndexCapacityMissing { index: String },
    #[error(
        "One or more parameter values were invalid: The only Updates for index: {index} when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput"
    )]
    UpdateIndexCapacityOnDemand { index: String },
    #[error(
        "One or more parameter values were invalid: Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {index}"
    )]
    UpdateIndexNothing { index: String },
    #[error(
        "One or more parameter values were invalid: WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified for index: {index}"
    )]
    UpdateIndexCold { index: String },
    #[error(
        "Given value {value} for {member} is out of bounds{}",
        for_index(index, " for index ")
    )]
    CapacityOutOfBounds {
        value: i64,
        member: &'static str,
        index: Option<String>,
    },
    #[error("The provisioned throughput for the {subject} will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for {the}{subject}: {read}. Requested ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned for {the}{subject}: {write}. Requested WriteCapacityUnits: {write}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.", the = if subject == "table" { "the " } else { "" })]
    CapacityUnchanged {
        subject: String,
        read: i64,
        write: i64,
    },
    #[error(
        "One or more parameter values were invalid: {member} for OnDemandThroughput{} cannot be specified when table BillingMode is PROVISIONED.",
        for_index(index, " for index: ")
    )]
    MaximumProvisioned {
        member: &'static str,
        index: Option<String>,
    },
    #[error(
        "One or more parameter values were invalid: {member} for OnDemandThroughput{} cannot be specified when the table BillingMode is PROVISIONED",
        for_index(index, " for index : ")
    )]
    UpdateMaximumProvisioned {
        member: &'static str,
        index: Option<String>,
    },
    #[error(
        "One or more parameter values were invalid: Requested {member} for OnDemandThroughput for {} is outside of valid range",
        table_or(index, "index : ")
    )]
    MaximumOutOfRange {
        member: &'static str,
        index: Option<String>,
    },
    #[error(
        "One or more parameter values were invalid: Requested {member} for WarmThroughput for {} is lower than initial throughput for OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial",
        table_or(index, "index ")
    )]
    WarmBelowInitial {
        member: &'static str,
        index: Option<String>,
    },
    #[error(
        "One or more parameter values were invalid: Requested {member} for WarmThroughput for {} is lower than {capacity} of ProvisionedThroughput",
        table_or(index, "index ")
    )]
    WarmBelowCapacity {
        member: &'static str,
        capacity: &'static str,
        index: Option<String>,
    },
    #[error(
        "One or more parameter values were invalid: Requested {member} for WarmThroughput for {} is lower than current WarmThroughput, decreasing WarmThroughput is not supported",
        table_or(index, "index ")
    )]
    WarmDecrease {
        member: &'static str,
        index: Option<String>,
    },

    // Attributes and keys.
    #[error("Attribute Name is duplicated: {name}")]
    AttributeTwice { name: String },
    #[error("Invalid KeySchema: Some index key attribute have no definition")]
    FewerAttributesThanKeys,
    #[error("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")]
    FirstNotHash,
    #[error("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")]
    SecondNotRange,
    #[error("Both the Hash Key and the Range Key element in the KeySchema have the same name")]
    HashIsRange,
    #[error("The KeySchema contains multiple key attributes with the same name")]
    KeyAttributeTwice,
    #[error(
        "One or more parameter values were invalid: All HASH key attributes must precede RANGE key attributes in the KeySchema"
    )]
    HashAfterRange,
    #[error(
        "One or more parameter values were invalid: The KeySchema exceeds the maximum allowed number of {key_type} key attributes"
    )]
    TooManyKeyAttributes { key_type: &'static str },
    #[error(
        "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [{keys}], AttributeDefinitions: [{attributes}]"
    )]
    KeyUndefined { keys: String, attributes: String },
    #[error(
        "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"
    )]
    AttributesUnusedByTable,
    #[error(
        "One or more parameter values were invalid: Some AttributeDefinitions are not used. AttributeDefinitions: [{attributes}], keys used: [{keys}]"
    )]
    AttributesUnused { attributes: String, keys: String },

    // Secondary indexes.
    #[error("One or more parameter values were invalid: List of {list} is empty")]
    EmptyList { list: &'static str },
    #[error(
        "One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of {limit}"
    )]
    TooManyGlobalIndexes { limit: usize },
    #[error(
        "One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of {limit}"
    )]
    TooManyLocalIndexes { limit: usize },
    #[error("One or more parameter values were invalid: Duplicate index name: {name}")]
    IndexTwice { name: String },
    #[error(
        "One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
    )]
    LocalIndexWithoutSortKey,
    #[error(
        "One or more parameter values were invalid: Index KeySchema does not have a range key for index: {index}"
    )]
    LocalIndexKeyWithoutSort { index: String },
    #[error(
        "One or more parameter values were invalid: Index KeySchema does not have the same leading hash key as table KeySchema for index: {index}. index hash key: {index_hash}, table hash key: {table_hash}"
    )]
    LocalIndexOtherHash {
        index: String,
        index_hash: String,
        table_hash: String,
    },
    #[error("One or more parameter values were invalid: Unknown ProjectionType: null")]
    NoProjectionType,
    #[error(
        "One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified"
    )]
    IncludeNothing,
    #[error(
        "One or more parameter values were invalid: ProjectionType is {projection}, but NonKeyAttributes is specified"
    )]
    IncludeUnasked { projection: &'static str },
    #[error(
        "One or more parameter values were invalid: Duplicate element in NonKeyAttributes: {name}"
    )]
    IncludeTwice { name: String },
    #[error(
        "One or more parameter values were invalid: The number of projected attributes across all indexes exceeds the limit of {limit}. Total: {total}"
    )]
    TooManyProjected { limit: usize, total: usize },

    // Changes.
    #[error(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"
    )]
    NothingToUpdate,
    #[error(
        "One or more parameter values were invalid: {subject} must be the only operation in the request"
    )]
    NotAlone { subject: &'static str },
    #[error(
        "One or more parameter values were invalid: OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"
    )]
    MaximumNotAlone,
    #[error(
        "One or more parameter values were invalid: Create global secondary index cannot be specified when updating WarmThroughput"
    )]
    CreateIndexWhileWarming,
    #[error(
        "One or more parameter values were invalid: You cannot create or delete index while updating table IOPS"
    )]
    IndexWhileCapacity,
    #[error(
        "One or more parameter values were invalid: You cannot modify stream status while updating table IOPS"
    )]
    StreamWhileCapacity,
    #[error(
        "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null"
    )]
    NoIndexAction,
    #[error(
        "One or more parameter values were invalid: Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object"
    )]
    SeveralIndexActions,
    #[error(
        "One or more parameter values were invalid: Only one global secondary index update per index is allowed simultaneously. Index: {index}"
    )]
    IndexUpdatedTwice { index: String },
    #[error("Cannot update an index that is not a GlobalSecondaryIndex: {index}")]
    UpdateLocalIndex { index: String },
    #[error("Cannot delete an index that is not a GlobalSecondaryIndex: {index}")]
    DeleteLocalIndex { index: String },
    #[error("Attempting to create an index which already exists")]
    IndexExists,
    #[error(
        "One or more parameter values were invalid: AttributeDefinitions is not specified for index: {index}"
    )]
    NoAttributesForIndex { index: String },
    #[error(
        "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {index} when BillingMode is PAY_PER_REQUEST"
    )]
    AddedIndexCapacityOnDemand { index: String },
    #[error(
        "One or more parameter values were invalid: Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {index}"
    )]
    AddedIndexCapacityMissing { index: String },
    #[error(
        "One or more parameter values were invalid: You cannot create or delete index while changing stream status"
    )]
    IndexWhileStream,

    // Encryption, class, streams, tags.
    #[error(
        "One or more parameter values were invalid: {member} can not be specified if Enabled is false"
    )]
    EncryptionDisabled { member: &'static str },
    #[error(
        "One or more parameter values were invalid: SSEType KMS is required if KMSMasterKeyId is specified"
    )]
    KeyWithoutType,
    #[error("One or more parameter values were invalid: SSEType AES256 is not supported")]
    Aes256,
    #[error("One or more parameter values were invalid: Table is already encrypted by default")]
    AlreadyEncrypted,
    #[error(
        "One or more parameter values were invalid: Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key"
    )]
    AlreadyEncryptedWithKey,
    #[error(
        "Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS]."
    )]
    UnknownClass,
    #[error(
        "One or more parameter values were invalid: Table is being created with a stream enabled, UpdateViewType is required"
    )]
    StreamWithoutView,
    #[error(
        "One or more parameter values were invalid: Table is being created with a stream disabled, UpdateViewType should not be specified"
    )]
    ViewWithoutStream,
    #[error(
        "One or more parameter values were invalid: If stream is being enabled then UpdateViewType is required"
    )]
    UpdateStreamWithoutView,
    #[error(
        "One or more parameter values were invalid: If stream is being disabled, then UpdateViewType must not be specified"
    )]
    UpdateViewWithoutStream,
    #[error("Table already has an enabled stream: TableName: {table}")]
    StreamEnabled { table: String },
    #[error("Table has no stream to disable: TableName: {table}")]
    NoStreamToDisable { table: String },
    #[error("The Tag Key provided is invalid, Key: {key}")]
    TagKey { key: String },
    #[error("The Tag Value provided is invalid, Value: {value}")]
    TagValue { value: String },
    #[error("Tag Key cannot be prefixed with aws:, Key: {key}")]
    TagKeyOfAws { key: String },
    #[error("Duplicate Tag Keys provided as input: Duplicate Tag Key found {key}")]
    TagTwice { key: String },
    #[error("Number of Tags exceed the current limit for the provided ResourceArn")]
    TooManyTags,
    #[error("Tag set size {size} bytes is above max size limit of {limit} bytes")]
    TagSetSize { size: usize, limit: usize },
    #[error("Atleast one Tag needs to be provided as Input.")]
    NoTags,
    #[error("Atleast one Tag Key needs to be provided as Input.")]
    NoTagKeys,
    #[error("One or more parameter values were invalid: ARNs must start with 'arn:': {arn}")]
    ArnScheme { arn: String },
    #[error(
        "One or more parameter values were invalid: Provided Arn is not a DynamoDB resource arn: {arn}"
    )]
    ArnService { arn: String },
    #[error(
        "One or more parameter values were invalid: Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {arn}"
    )]
    ArnResource { arn: String },

    // Deletion.
    #[error(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
    )]
    Protected,
}

fn for_index(index: &Option<String>, words: &str) -> String {
    index
        .as_ref()
        .map_or_else(String::new, |index| format!("{words}{index}"))
}

fn table_or(index: &Option<String>, words: &str) -> String {
    index
        .as_ref()
        .map_or_else(|| "table".to_owned(), |index| format!("{words}{index}"))
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::validation(refusal.to_string())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Answer(refusal.into())
    }
}
