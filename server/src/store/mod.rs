//! Key layout over the engine; the only importer of `stator_engine`.

/// Identity of an ordered keyspace: one per table, one per secondary index, and a few of the
/// server's own. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyspaceId(pub u32);
