//! The one error type of the server: a variant per exception that DynamoDB answers with.
//!
//! Every layer above the engine returns it; it goes out here, as the status and the JSON envelope.
//! The text of a message is not looked at by anybody but the client.
//!
//! `__type` carries the prefix of the AWS framework part that raises the exception: the service's own
//! name space for what its model has, `com.amazon.coral.…` for the rest.

use std::borrow::Cow;
use std::fmt;

use super::json::{SerializationError, Writer};
use super::operation::Operation;
use crate::item::Item;

/// A message: mostly one that does not depend on the request.
pub type Message = Cow<'static, str>;

/// A short name for what most of the server returns.
pub type Result<T> = std::result::Result<T, Error>;

const SERVICE: &str = "com.amazonaws.dynamodb.v20120810#";
const CORAL: &str = "com.amazon.coral.service#";
const VALIDATE: &str = "com.amazon.coral.validate#";
const AVAILABILITY: &str = "com.amazon.coral.availability#";

/// Defines [`Error`] from the exceptions that are nothing but a message, each with its prefix, name
/// and the key of its message, and those below that carry more.
macro_rules! errors {
    ($($(#[$doc:meta])* $variant:ident: $prefix:ident $name:literal $key:literal,)*) => {
        /// What DynamoDB answers instead of a result.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Error {
            $($(#[$doc])* $variant(Message),)*
            /// The request is no JSON, or has a value of the wrong kind.
            Serialization(SerializationError),
            /// The target of the request names no operation.
            UnknownOperation,
            /// The operation exists, and Stator does not serve it. Answered as an unknown operation
            /// that is named: no client repeats it, and nobody has to guess.
            NotServed(Operation),
            /// The condition did not hold. The item as it was, if the request asked for it.
            ConditionalCheckFailed {
                /// `ReturnValuesOnConditionCheckFailure: ALL_OLD`.
                item: Option<Item>,
            },
            /// A transaction was cancelled: one reason per action, in the order of the request.
            TransactionCanceled {
                /// One per action of the request.
                reasons: Vec<CancellationReason>,
            },
            /// The throughput of the table or index is used up.
            ProvisionedThroughputExceeded {
                /// What the client is told.
                message: Message,
                /// Which limit of which resource.
                reasons: Vec<ThrottlingReason>,
            },
            /// The throughput of the account is used up.
            RequestLimitExceeded {
                /// What the client is told.
                message: Message,
                /// Which limit of which resource.
                reasons: Vec<ThrottlingReason>,
            },
            /// Too much is asked of the server or of an on-demand table.
            Throttling {
                /// What the client is told.
                message: Message,
                /// Which limit of which resource.
                reasons: Vec<ThrottlingReason>,
            },
        }

        impl Error {
            /// Prefix, name and key of the message.
            fn names(&self) -> (&'static str, &'static str, &'static str) {
                match self {
                    $(Self::$variant(_) => ($prefix, $name, $key),)*
                    Self::Serialization(_) => (CORAL, "SerializationException", "Message"),
                    Self::UnknownOperation | Self::NotServed(_) => {
                        (CORAL, "UnknownOperationException", "message")
                    }
                    Self::ConditionalCheckFailed { .. } => {
                        (SERVICE, "ConditionalCheckFailedException", "message")
                    }
                    Self::TransactionCanceled { .. } => {
                        (SERVICE, "TransactionCanceledException", "Message")
                    }
                    Self::ProvisionedThroughputExceeded { .. } => {
                        (SERVICE, "ProvisionedThroughputExceededException", "message")
                    }
                    Self::RequestLimitExceeded { .. } => {
                        (SERVICE, "RequestLimitExceeded", "message")
                    }
                    Self::Throttling { .. } => (AVAILABILITY, "ThrottlingException", "message"),
                }
            }

            /// What the client is told, if anything.
            pub fn message(&self) -> Option<Message> {
                match self {
                    $(Self::$variant(message) => Some(message.clone()),)*
                    Self::Serialization(error) => {
                        let message = error.to_string();
                        (!message.is_empty()).then_some(Cow::Owned(message))
                    }
                    Self::UnknownOperation => None,
                    Self::NotServed(operation) => Some(Cow::Owned(format!(
                        "{} is not served by this version of Stator",
                        operation.name()
                    ))),
                    Self::ConditionalCheckFailed { .. } => {
                        Some(Cow::Borrowed("The conditional request failed"))
                    }
                    Self::TransactionCanceled { reasons } => Some(cancelled(reasons)),
                    Self::ProvisionedThroughputExceeded { message, .. }
                    | Self::RequestLimitExceeded { message, .. }
                    | Self::Throttling { message, .. } => Some(message.clone()),
                }
            }
        }
    };
}

errors! {
    /// The request breaks a rule of the API.
    Validation: VALIDATE "ValidationException" "message",

    // The exceptions of the API model.
    /// The backup is being created or deleted.
    BackupInUse: SERVICE "BackupInUseException" "message",
    /// No backup has that ARN.
    BackupNotFound: SERVICE "BackupNotFoundException" "message",
    /// Backups are not enabled for the table.
    ContinuousBackupsUnavailable: SERVICE "ContinuousBackupsUnavailableException" "message",
    /// A PartiQL INSERT of a key that exists.
    DuplicateItem: SERVICE "DuplicateItemException" "message",
    /// The shard iterator is older than 15 minutes.
    ExpiredIterator: SERVICE "ExpiredIteratorException" "message",
    /// An export with these parameters is under way.
    ExportConflict: SERVICE "ExportConflictException" "message",
    /// No export has that ARN.
    ExportNotFound: SERVICE "ExportNotFoundException" "message",
    /// The global table exists.
    GlobalTableAlreadyExists: SERVICE "GlobalTableAlreadyExistsException" "message",
    /// The global table does not exist.
    GlobalTableNotFound: SERVICE "GlobalTableNotFoundException" "message",
    /// A client token was used again with other parameters.
    IdempotentParameterMismatch: SERVICE "IdempotentParameterMismatchException" "Message",
    /// An import with these parameters is under way.
    ImportConflict: SERVICE "ImportConflictException" "message",
    /// No import has that ARN.
    ImportNotFound: SERVICE "ImportNotFoundException" "message",
    /// The table has no such index.
    IndexNotFound: SERVICE "IndexNotFoundException" "message",
    /// Something of ours failed.
    InternalServer: SERVICE "InternalServerError" "message",
    /// The time of an export is outside the recovery window.
    InvalidExportTime: SERVICE "InvalidExportTimeException" "message",
    /// The time of a restore is outside the recovery window.
    InvalidRestoreTime: SERVICE "InvalidRestoreTimeException" "message",
    /// An item collection would grow beyond 10 GB.
    ItemCollectionSizeLimitExceeded: SERVICE "ItemCollectionSizeLimitExceededException" "message",
    /// More tables, indexes or operations at once than there may be.
    LimitExceeded: SERVICE "LimitExceededException" "message",
    /// Point-in-time recovery is not enabled for the table.
    PointInTimeRecoveryUnavailable: SERVICE "PointInTimeRecoveryUnavailableException" "message",
    /// The resource has no policy, or another revision of it.
    PolicyNotFound: SERVICE "PolicyNotFoundException" "message",
    /// The replica exists.
    ReplicaAlreadyExists: SERVICE "ReplicaAlreadyExistsException" "message",
    /// The replica does not exist.
    ReplicaNotFound: SERVICE "ReplicaNotFoundException" "message",
    /// A write in another Region is in the way.
    ReplicatedWriteConflict: SERVICE "ReplicatedWriteConflictException" "message",
    /// The table exists, or is not in a state for this.
    ResourceInUse: SERVICE "ResourceInUseException" "message",
    /// The table, index, stream or other resource does not exist.
    ResourceNotFound: SERVICE "ResourceNotFoundException" "message",
    /// The target of a restore exists.
    TableAlreadyExists: SERVICE "TableAlreadyExistsException" "message",
    /// The table is being created or deleted.
    TableInUse: SERVICE "TableInUseException" "message",
    /// The source of a backup or restore does not exist.
    TableNotFound: SERVICE "TableNotFoundException" "message",
    /// A transaction is in the way.
    TransactionConflict: SERVICE "TransactionConflictException" "message",
    /// The transaction of this client token is under way.
    TransactionInProgress: SERVICE "TransactionInProgressException" "Message",
    /// What is asked for has left the stream, which keeps 24 hours.
    TrimmedDataAccess: SERVICE "TrimmedDataAccessException" "message",

    // What comes from the framework around the service.
    /// The caller may not do this.
    AccessDenied: CORAL "AccessDeniedException" "Message",
    /// The session token is too old.
    ExpiredToken: CORAL "ExpiredTokenException" "message",
    /// A part of the signature is missing.
    IncompleteSignature: CORAL "IncompleteSignatureException" "message",
    /// The signature does not fit the request.
    InvalidSignature: CORAL "InvalidSignatureException" "message",
    /// There is no signature.
    MissingAuthenticationToken: CORAL "MissingAuthenticationTokenException" "message",
    /// Nobody has that access key.
    UnrecognizedClient: CORAL "UnrecognizedClientException" "message",
}

/// Why one action of a transaction stopped it, or that it did not.
#[derive(Clone, Debug, PartialEq)]
pub struct CancellationReason {
    /// The kind.
    pub code: CancellationCode,
    /// What the client is told; [`CancellationCode::None`] has none.
    pub message: Option<Message>,
    /// The item as it was, if the action asked for it and its condition failed.
    pub item: Option<Item>,
}

impl CancellationReason {
    /// The reason of an action that was not what stopped the transaction.
    pub fn none() -> Self {
        Self {
            code: CancellationCode::None,
            message: None,
            item: None,
        }
    }

    /// The reason of an action whose condition did not hold.
    pub fn condition(item: Option<Item>) -> Self {
        let message = Some(Cow::Borrowed("The conditional request failed"));
        Self {
            code: CancellationCode::ConditionalCheckFailed,
            message,
            item,
        }
    }

    /// The reason of an action that breaks a rule.
    pub fn validation(message: impl Into<Message>) -> Self {
        Self {
            code: CancellationCode::ValidationError,
            message: Some(message.into()),
            item: None,
        }
    }
}

/// The kinds of [`CancellationReason`] (API reference, `TransactionCanceledException`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancellationCode {
    /// This action was fine.
    None,
    /// Its condition did not hold.
    ConditionalCheckFailed,
    /// Its item collection would be too large.
    ItemCollectionSizeLimitExceeded,
    /// Another transaction or write is in the way.
    TransactionConflict,
    /// The throughput of the table is used up.
    ProvisionedThroughputExceeded,
    /// Too much is asked of an on-demand table.
    ThrottlingError,
    /// It breaks a rule.
    ValidationError,
    /// PartiQL: the item exists.
    DuplicateItem,
    /// The caller may not do this.
    AccessDenied,
}

impl CancellationCode {
    /// The text on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::ConditionalCheckFailed => "ConditionalCheckFailed",
            Self::ItemCollectionSizeLimitExceeded => "ItemCollectionSizeLimitExceeded",
            Self::TransactionConflict => "TransactionConflict",
            Self::ProvisionedThroughputExceeded => "ProvisionedThroughputExceeded",
            Self::ThrottlingError => "ThrottlingError",
            Self::ValidationError => "ValidationError",
            Self::DuplicateItem => "DuplicateItem",
            Self::AccessDenied => "AccessDenied",
        }
    }
}

/// Which limit of which resource throttled a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThrottlingReason {
    /// For instance `TableWriteProvisionedThroughputExceeded`.
    pub reason: Cow<'static, str>,
    /// ARN of the table or index.
    pub resource: String,
}

impl Error {
    /// A `ValidationException` with `message`.
    pub fn validation(message: impl Into<Message>) -> Self {
        Self::Validation(message.into())
    }

    /// HTTP status: 500 where it is our fault, else 400.
    pub fn status(&self) -> u16 {
        match self {
            Self::InternalServer(_) => 500,
            _ => 400,
        }
    }

    /// `__type` as it is written: prefix and name.
    pub fn type_name(&self) -> String {
        let (prefix, name, _) = self.names();
        [prefix, name].concat()
    }

    /// The name without the prefix: what SDKs call the error's code.
    pub fn code(&self) -> &'static str {
        self.names().1
    }

    /// Writes the JSON envelope.
    pub fn encode(&self, writer: &mut Writer) {
        let (_, _, key) = self.names();
        writer.begin_object();
        writer.key("__type");
        writer.string(&self.type_name());
        match self {
            Self::ConditionalCheckFailed { item: Some(item) } => {
                writer.key("Item");
                item.write_json(writer);
            }
            Self::TransactionCanceled { reasons } => {
                writer.key("CancellationReasons");
                writer.begin_array();
                reasons
                    .iter()
                    .for_each(|reason| encode_cancellation(reason, writer));
                writer.end_array();
            }
            Self::ProvisionedThroughputExceeded { reasons, .. }
            | Self::RequestLimitExceeded { reasons, .. }
                if !reasons.is_empty() =>
            {
                encode_throttling("ThrottlingReasons", reasons, writer);
            }
            Self::Throttling { reasons, .. } if !reasons.is_empty() => {
                encode_throttling("throttlingReasons", reasons, writer);
            }
            _ => {}
        }
        if let Some(message) = self.message() {
            writer.key(key);
            writer.string(&message);
        }
        writer.end_object();
    }
}

/// The list of all codes in a cancelled transaction's message.
fn cancelled(reasons: &[CancellationReason]) -> Message {
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.name()).collect();
    Cow::Owned(format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    ))
}

fn encode_cancellation(reason: &CancellationReason, writer: &mut Writer) {
    writer.begin_object();
    writer.key("Code");
    writer.string(reason.code.name());
    if let Some(item) = &reason.item {
        writer.key("Item");
        item.write_json(writer);
    }
    if let Some(message) = &reason.message {
        writer.key("Message");
        writer.string(message);
    }
    writer.end_object();
}

fn encode_throttling(key: &str, reasons: &[ThrottlingReason], writer: &mut Writer) {
    writer.key(key);
    writer.begin_array();
    for reason in reasons {
        writer.begin_object();
        writer.key("reason");
        writer.string(&reason.reason);
        writer.key("resource");
        writer.string(&reason.resource);
        writer.end_object();
    }
    writer.end_array();
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        match self.message() {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<SerializationError> for Error {
    fn from(error: SerializationError) -> Self {
        Self::Serialization(error)
    }
}

#[cfg(test)]
mod tests;
