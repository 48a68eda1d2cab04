//! Compaction: choosing which SSTables to merge, and merging them in small steps.
//!
//! Levels are as in LevelDB: L0 takes what memtables are flushed to, as sublevels of SSTables that
//! do not overlap; each deeper level is one run, `level_fanout` times as large as the one above it.
//! The last level has most of the data, and the sizes of the others are reckoned from it upward:
//! levels that are not needed stay empty ([`levels`]).
//!
//! A flush is cut where the levels below have their SSTables, so that L0 falls into narrow stacks that
//! go down by themselves, several at a time.
//!
//! [`pick`] looks at a version and says what to do next, if anything. A [`Job`] does it, or a
//! flush, in steps of bounded size, and ends in an edit of the manifest. What it drops is decided
//! in [`retention`]. Nothing here runs by itself or knows of threads.

mod job;
mod levels;
mod log_cuts;
mod output;
mod picker;
mod pressure;
mod retention;

pub(crate) use job::{Job, Progress};
pub(crate) use picker::{Busy, Compaction, Work, forgettable, pick};
pub(crate) use pressure::{Pressure, pressure};
pub(crate) use retention::Retention;
