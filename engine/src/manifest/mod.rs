//! The manifest: which files make up the database, as a log of edits.
//!
//! A [`Version`] is the state at one moment: the SSTables of each level and a few numbers. It never
//! changes; a [`VersionEdit`] makes the next one of it. Edits are appended to the manifest file and
//! synced before the next version is used, so that what a reader sees is what a restart finds.
//! [`VersionSet`] keeps both. Readers hold on to the version they started with, and a file that
//! left the current version is deleted once no version names it.

mod current;
mod edit;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod histories;
pub(crate) mod inspect;
mod layers;
mod open_tables;
mod record;
mod run;
mod table;
mod times;
mod version;
mod version_set;

pub(crate) use edit::VersionEdit;
pub(crate) use histories::{Histories, HistoryChange, Overlay, Window};
pub(crate) use layers::{LayerReads, Piece, PieceEnd};
pub(crate) use run::{Run, RunIter};
pub(crate) use table::Table;
pub(crate) use version::{LEVELS, Version};
pub(crate) use version_set::VersionSet;
