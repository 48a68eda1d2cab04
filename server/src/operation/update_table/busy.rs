//! What is under way with a table, and which changes have to wait for it.
//!
//! Every change is refused by what it collides with, in words of its own; encryption, deletion
//! protection and warm throughput collide with nothing (DDB-TABLE-119, -163, -175, -286, -369, -376,
//! -444, -458). Three of the pairs were not seen on AWS and have the words of their families: a new
//! class while the capacity changes, a new capacity while the class does, and a new class while an
//! index is created or deleted.

use crate::{
    table::{SecondaryIndex, Table, TableStatus, status::Change},
    wire::Error,
};

/// A change that may have to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The stream is enabled or disabled.
    Stream,
    /// The table class.
    Class,
    /// The capacity, or how it is billed.
    Capacity,
    /// The maximums of on-demand tables.
    Maximums,
    /// An index is created or deleted.
    Indexes,
}

impl Wanted {
    /// The end of "Can't …".
    fn verb(self) -> &'static str {
        match self {
            Self::Stream => "change stream status",
            Self::Class => "update table class",
            Self::Capacity => "change table IOPS",
            Self::Maximums => "update OnDemandThroughput",
            Self::Indexes => "create or delete an index",
        }
    }
}

/// That no change of the table itself is in the way of `wanted`.
///
/// # Errors
/// `ResourceInUseException`.
pub(super) fn check_table(table: &Table, wanted: Wanted, now_ms: u64) -> Result<(), Error> {
    if table.own_status(now_ms) != TableStatus::Updating {
        return Ok(());
    }
    let name = table.name();
    let verb = wanted.verb();
    let reason = match (table.record().state.change, wanted) {
        (Change::Billing, Wanted::Maximums) => {
            "OnDemandThroughput cannot be updated while BillingMode update is in progress"
                .to_owned()
        }
        // Only a provisioned table's capacity changes, and that table has no maximums.
        (Change::Update, Wanted::Maximums) => return Ok(()),
        (Change::Update | Change::Billing, Wanted::Capacity) => {
            format!("Table IOPS are currently being updated. Table: {name}")
        }
        (Change::Update | Change::Billing, _) => {
            let verb = match wanted {
                Wanted::Stream => "enable or disable stream",
                Wanted::Indexes => "create or delete indexes",
                _ => verb,
            };
            format!("Can't {verb} while table IOPS are being updated. Table: {name}")
        }
        (Change::Stream, Wanted::Maximums) => {
            "OnDemandThroughput cannot be updated while stream status update is in progress"
                .to_owned()
        }
        (Change::Stream, Wanted::Stream) => {
            format!(
                "A stream status change is currently in progress. {}",
                stream(table)
            )
        }
        (Change::Stream, _) => {
            format!(
                "Can't {verb} when stream status is being updated. {}",
                stream(table)
            )
        }
        (Change::Class, Wanted::Maximums) => format!(
            "OnDemandThroughput cannot be updated while TableClass update is in progress. \
             TableClassUpdateInProgress: {}",
            class(table)
        ),
        (Change::Class, _) => format!(
            "Can't {verb} when a table class update is in progress. Table: {name} \
             TableClassUpdateInProgress: {}",
            class(table)
        ),
        (Change::Create | Change::Delete, _) => return Ok(()),
    };
    Err(in_use(&reason))
}

/// That no index is in the way of `wanted`: neither one whose resources are being allocated nor one
/// that is being deleted.
///
/// # Errors
/// `ResourceInUseException`.
pub(super) fn check_indexes(table: &Table, wanted: Wanted, now_ms: u64) -> Result<(), Error> {
    let indexes = table.indexes().iter();
    let allocated = indexes.filter(|index| index.backfilling(now_ms) == Some(false));
    let allocated = names(allocated);
    let leaving = names(table.leaving_indexes(now_ms));
    for (names, noun, participle) in [
        (allocated, "creation", "created"),
        (leaving, "deletion", "deleted"),
    ] {
        if names.is_empty() {
            continue;
        }
        return Err(in_use(&match wanted {
            Wanted::Maximums => format!(
                "OnDemandThroughput cannot be updated while index {noun} is in progress for \
                 indexes: [{names}]"
            ),
            _ => format!(
                "Can't {} when an index is being {participle}. Table: {} Indexes: [{names}]",
                wanted.verb(),
                table.name()
            ),
        }));
    }
    Ok(())
}

fn names<'a>(indexes: impl Iterator<Item = &'a SecondaryIndex>) -> String {
    let names: Vec<_> = indexes.map(SecondaryIndex::name).collect();
    names.join(", ")
}

/// The stream that is being enabled or disabled.
fn stream(table: &Table) -> String {
    let stream = table.record().stream.as_ref();
    let (label, enabled) = stream.map_or(("", false), |stream| (&*stream.label, stream.enabled));
    let operation = if enabled { "ENABLE" } else { "DISABLE" };
    format!(
        "Table: {} Stream: {label} Operation: {operation}",
        table.name()
    )
}

/// The class that the table is getting.
fn class(table: &Table) -> &'static str {
    let class = table.record().class.as_ref();
    class.map_or("STANDARD", |class| class.name.name())
}

/// The answer while something is under way.
pub(super) fn in_use(reason: &str) -> Error {
    let message = format!("Attempt to change a resource which is still in use: {reason}");
    Error::ResourceInUse(message.into())
}
