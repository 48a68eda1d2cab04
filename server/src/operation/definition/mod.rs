//! The rules of table definitions, shared by CreateTable and UpdateTable, and how a definition is
//! described.
//!
//! Numbers like DDB-TABLE-127 are findings of a lab that probed AWS's table operations in October
//! 2026 and published what it saw ("ack-api-quirks").

mod describe;
mod hash_order;
pub(super) mod index;
pub(super) mod key;
pub(super) mod quota;
mod refusal;
mod stream;
pub(super) mod tags;
pub(super) mod throughput;
mod time;

pub(super) use describe::{
    describe, key_arn, provisioned, seconds, sse, table_class as described_class,
};
pub(super) use refusal::Refusal;
pub(super) use stream::{change_stream, stream_arn, stream_label};
pub(crate) use time::instant;
pub(super) use time::{long_date, utc_date};

use crate::{
    table::{
        Table, TableStatus,
        record::{Encryption, TableClass},
    },
    wire::{Error, shapes::SSESpecification},
};

/// For how long DynamoDB lets some settings of a table rest after a change, in milliseconds.
const REST_MS: u64 = 15_000;

/// That the table is neither being created nor being deleted, so that it can be changed
/// (DDB-TABLE-001, -006).
pub(super) fn check_usable(table: &Table, now_ms: u64) -> Result<(), Error> {
    let doing = match table.status(now_ms) {
        TableStatus::Creating => "created",
        TableStatus::Deleting => "deleted",
        TableStatus::Active | TableStatus::Updating => return Ok(()),
    };
    let message = format!(
        "Attempt to change a resource which is still in use: Table is being {doing}: {}",
        table.name()
    );
    Err(Error::ResourceInUse(message.into()))
}

/// The answer to a `NextToken` that was never given out (DDB-TABLE-442).
pub(super) fn unknown_token(token: &str) -> Error {
    Error::validation(format!(
        "Invalid Request: Provided nextToken is invalid: {token}"
    ))
}

/// The UUID (RFC 9562, version 4) of these random bits.
pub(super) fn uuid(bits: u128) -> String {
    let versioned = bits & !(0xF << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let digits = format!("{versioned:032x}");
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
    let parts = parts.map(|(start, end)| digits.get(start..end).unwrap_or_default());
    parts.join("-")
}

/// Refuses a second change of `what` so soon after the one at `changed_ms`: its message ends with
/// `end` (DDB-TABLE-206, -445, -464).
pub(super) fn check_rested(
    what: &str,
    changed_ms: u64,
    now_ms: u64,
    end: &str,
) -> Result<(), Error> {
    let until_ms = changed_ms.saturating_add(REST_MS);
    if now_ms >= until_ms {
        return Ok(());
    }
    let message = format!(
        "{what} modified within the previous {REST_MS} milliseconds. Please try again after {}{end}",
        instant(until_ms)
    );
    Err(Error::Throttling {
        message: message.into(),
        reasons: Vec::new(),
    })
}

/// A table class by its name.
pub(super) fn table_class(name: &str) -> Result<TableClass, Refusal> {
    TableClass::from_name(name).ok_or(Refusal::UnknownClass)
}

/// The encryption that a specification asks for: `None` is that with DynamoDB's own key.
///
/// `Enabled` need not be there: a type or a key imply it (DDB-TABLE-044).
pub(super) fn encryption(given: &SSESpecification) -> Result<Option<Encryption>, Refusal> {
    let key = given.kms_master_key_id.clone();
    if given.enabled == Some(false) {
        if given.sse_type.is_some() {
            return Err(Refusal::EncryptionDisabled { member: "SSEType" });
        }
        if key.is_some() {
            return Err(Refusal::EncryptionDisabled {
                member: "KMSMasterKeyId",
            });
        }
        return Ok(None);
    }
    match given.sse_type.as_deref() {
        Some("AES256") => Err(Refusal::Aes256),
        Some(_) => Ok(Some(Encryption { key })),
        None if key.is_some() => Err(Refusal::KeyWithoutType),
        None => Ok(given.enabled.is_some().then_some(Encryption { key })),
    }
}
