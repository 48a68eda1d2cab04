//! Defects on purpose, for the tests of the tests: each removes one sync, one edge of the order of
//! writes, or one check, and the simulation in `engine/torture/` has to find it.
//!
//! Without the feature `mutants` all of them are off, and the compiler knows it.

/// Defines `Mutant`: each defect with its name for reports and what it removes.
#[doc(hidden)]
#[macro_export]
macro_rules! define_mutants {
    ($($variant:ident $name:literal $removes:literal,)*) => {
        /// A defect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $(#[doc = $removes] $variant,)*
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &[Mutant] = &[$(Mutant::$variant,)*];

            /// A name for reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Mutant::$variant => $name,)*
                }
            }

            /// What it removes.
            #[must_use]
            pub fn removes(self) -> &'static str {
                match self {
                    $(Mutant::$variant => $removes,)*
                }
            }
        }
    };
}

crate::define_mutants! {
    LogSync "log-sync" "the sync of a group of the log that is durable on return",
    LogIntervalSync "log-interval-sync" "the sync of the log by the clock",
    LogName "log-name" "the sync of the directory behind the creation of a segment",
    SstableSync "sstable-sync" "the sync of an SSTable",
    SstableName "sstable-name" "the sync of the directory behind the creation of SSTables",
    ManifestSync "manifest-sync" "the sync of an edit of the manifest",
    ManifestStartSync "manifest-start-sync" "the sync of a new manifest",
    ManifestName "manifest-name" "the sync of the directory behind the creation of a manifest",
    CurrentSync "current-sync" "the sync of the new `CURRENT` before it is renamed",
    CurrentName "current-name" "the sync of the directory behind the renaming of `CURRENT`",
    WriteBeforePublish "write-before-publish" "a commit is visible and acknowledged only behind its group's write",
    ReadDurable "read-durable" "a reader sees what is durable, and nothing newer",
    FlushBeforeSegment "flush-before-segment" "a segment is deleted only behind the edit that names its commits' SSTables",
    EditBeforeInputs "edit-before-inputs" "the inputs of a compaction are deleted only behind its edit",
    EditBeforeLog "edit-before-log" "recovery deletes the log only behind the edit that says that it is over",
    DropBeforeDiscard "drop-before-discard" "what was dropped is discarded only behind the sync of the drop",
    Held "held" "what a pin holds, or a fork is read over, is kept",
    ForkTombstones "fork-tombstones" "a tombstone of a fork is kept while what it deletes may be in the source",
    IdsBeforeUse "ids-before-use" "keyspace ids are reserved in the manifest before they are given out",
    PageBreak "page-break" "no group of the log in a page that a sync has made durable",
    LogFailure "log-failure" "a failed write of the log ends it",
    SyncFailure "sync-failure" "a failed sync of the log by the clock ends it",
    ManifestFailure "manifest-failure" "a failed edit of the manifest ends it",
    LogTail "log-tail" "a bad group with a later one that says it was durable is no torn tail",
    ManifestTail "manifest-tail" "a bad edit with a good one behind it is no torn tail",
    StoredSstables "stored-sstables" "opening looks whether the SSTables of the manifest are there",
    PinDurable "pin-durable" "a pin is in the manifest before it is promised",
    WindowKept "window-kept" "a job keeps what a retention window covers",
    FloorInEdit "floor-in-edit" "the floor of a window stands in the edit of the first result that needs it",
    PastRefused "past-refused" "a reader of the past is refused what may be gone",
    PastSynced "past-synced" "the log is synced up to what a pin or a window names",
    LogChecksum "log-checksum" "the checksum of a group of the log",
    BlockChecksum "block-checksum" "the checksum of a block of an SSTable",
    ManifestChecksum "manifest-checksum" "the checksum of an edit of the manifest",
    CurrentChecksum "current-checksum" "the checksum in `CURRENT`",
}

#[cfg(feature = "mutants")]
thread_local! {
    static ON: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Switches one on for this thread, which is all of the simulation, or the one that is on off.
#[cfg(feature = "mutants")]
pub fn switch(to: Option<Mutant>) {
    ON.set(to);
}

/// Whether one is on.
#[cfg(feature = "mutants")]
pub(crate) fn is_on(mutant: Mutant) -> bool {
    ON.get() == Some(mutant)
}

/// Whether one is on: never.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is_on(_: Mutant) -> bool {
    false
}
