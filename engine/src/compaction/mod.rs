//! Compaction: choosing which SSTables to merge, and merging them in small steps.
//!
//! Levels are as in LevelDB: L0 takes what memtables are flushed to, as sublevels of SSTables that
//! do not overlap; each deeper level is one run, `level_fanout` times as large as the one above it.
//! The last level has most of the data, and the sizes of the others are reckoned from it upward:
//! levels that are not needed stay empty ([`levels`]).
//!
//! [`pick`] looks at a version and says what to do next, if anything. A [`Job`] does it, or a
//! flush, in steps of bounded size, and ends in an edit of the manifest. What it drops is decided
//! in [`retention`]. Nothing here runs by itself or knows of threads.

mod job;
mod levels;
mod output;
mod picker;
mod retention;

pub(crate) use job::{Job, Progress};
pub(crate) use picker::{Busy, Compaction, forgettable, pick, pick_l0, pressure};
pub(crate) use retention::Retention;
