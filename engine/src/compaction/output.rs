//! The SSTables that a job writes: where one ends and the next begins.

use std::sync::Arc;

use super::log_cuts::LogCuts;
use crate::error::Result;
use crate::key::{InternalKeyRef, KeyspaceId, keyspace_of};
use crate::manifest::{Table, VersionSet};
use crate::mutants::{Mutant, is_on};
use crate::options::Options;
use crate::sstable::{FileMeta, Writer, WriterOptions};

/// A file ends at the end of a keyspace if it has at least one part in so many of its full size.
/// Smaller ones would cost more than unlinking them whole, once their keyspace is dropped, saves.
const KEYSPACE_CUT_PART: u64 = 4;

/// A file ends when it overlaps this many SSTables of full size in the level below its own: that
/// bounds the job that will one day compact it.
pub(super) const MAX_GRANDPARENT_TABLES: u64 = 10;

/// A file of a flush ends where the level below is split if it has at least one part in so many of a
/// memtable: where few keys are written to, they need not be in many files. What is flushed is often
/// compressed to a fraction, so that an eighth of it may be small.
const FLUSH_CUT_PART: u64 = 64;

/// A piece of a log has at least one part in so many of a memtable: smaller ones would be too many files,
/// and are merged like everything else.
const LOG_PIECE_PART: u64 = 64;

/// Where the files of a job end, besides at their full size.
pub(super) struct Cuts {
    /// The full size.
    pub(super) sstable_size: u64,
    /// The SSTables of the level below the output, in order.
    pub(super) grandparents: Vec<Arc<Table>>,
    /// Of a flush: user keys in order, behind each of which a file may end.
    pub(super) splits: Vec<Vec<u8>>,
    /// Pieces of logs in all levels, in order of keys.
    pub(super) pieces: Vec<Arc<Table>>,
}

/// Writes versions, in order, into as many files as it takes.
pub(super) struct Output {
    set: Arc<VersionSet>,
    options: WriterOptions,
    /// For logs.
    log_options: WriterOptions,
    cuts: Cuts,
    /// Number of the first split that is not before the last key.
    next_split: usize,
    /// Bytes of a file that may end at a split.
    split_size: u64,
    /// Number of the first one that ends behind the last key.
    next_grandparent: usize,
    /// Bytes of those that the current file overlaps.
    overlapped: u64,
    log: LogCuts,
    writer: Option<Writer>,
    /// Ids of all files begun.
    begun: Vec<u64>,
    finished: Vec<FileMeta>,
}

impl Output {
    pub(super) fn new(set: Arc<VersionSet>, options: &Options, level: usize, cuts: Cuts) -> Output {
        let compression_level = if level == 0 {
            options.l0_compression_level
        } else {
            options.compression_level
        };
        let writer_options = WriterOptions {
            block_size: options.block_size,
            compression_level,
            bloom_bits_per_key: options.bloom_bits_per_key,
        };
        Output {
            set,
            options: writer_options,
            log_options: WriterOptions {
                // Most of it is written this once. Compressing it would cost more than all else.
                compression_level: match level {
                    0 => 0,
                    _ => compression_level,
                },
                // Nobody looks for single keys, and a partition's pieces are found by their keys.
                bloom_bits_per_key: 0,
                ..writer_options
            },
            log: LogCuts::new(options.memtable_size as u64 / LOG_PIECE_PART),
            cuts,
            next_split: 0,
            split_size: options.memtable_size as u64 / FLUSH_CUT_PART,
            next_grandparent: 0,
            overlapped: 0,
            writer: None,
            begun: Vec::new(),
            finished: Vec::new(),
        }
    }

    /// Whether the current file should end before this key, which is not yet added.
    pub(super) fn should_cut(&mut self, user_key: &[u8]) -> bool {
        self.pass_grandparents(user_key);
        let split = self.pass_splits(user_key);
        let Some(writer) = &self.writer else {
            return false;
        };
        let last = writer.last_user_key();
        // All versions of a key stay in one file, or the files of a level would overlap.
        if last == user_key {
            return false;
        }
        let size = writer.size();
        if self.log.should_cut(&self.cuts.pieces, last, user_key, size) {
            return true;
        }
        let full = self.cuts.sstable_size;
        size >= full
            || self.overlapped > MAX_GRANDPARENT_TABLES * full
            || (split && size >= self.split_size)
            || (keyspace_of(last) != keyspace_of(user_key) && size >= full / KEYSPACE_CUT_PART)
    }

    /// Whether a split lies between the last key and this one.
    fn pass_splits(&mut self, user_key: &[u8]) -> bool {
        let before = self.next_split;
        while let Some(split) = self.cuts.splits.get(self.next_split)
            && split.as_slice() < user_key
        {
            self.next_split += 1;
        }
        self.next_split > before
    }

    fn pass_grandparents(&mut self, user_key: &[u8]) {
        while let Some(table) = self.cuts.grandparents.get(self.next_grandparent)
            && table.largest() < user_key
        {
            if self.writer.is_some() {
                self.overlapped += table.meta().size;
            }
            self.next_grandparent += 1;
        }
    }

    /// Adds a version, to a new file if there is no current one.
    pub(super) fn add(&mut self, key: InternalKeyRef<'_>, value: &[u8]) -> Result<()> {
        match &mut self.writer {
            Some(writer) => writer.add(key, value),
            None => {
                let file_id = self.set.allocate_file_id();
                self.begun.push(file_id);
                let file = self.set.store().create(file_id)?;
                self.overlapped = 0;
                self.log.begin();
                let is_log = keyspace_of(key.user).is_some_and(KeyspaceId::is_log);
                let options = if is_log {
                    self.log_options
                } else {
                    self.options
                };
                self.writer
                    .insert(Writer::new(file, file_id, options))
                    .add(key, value)
            }
        }
    }

    /// Completes the current file, if there is one, makes its contents durable, and opens it for
    /// readers. Answers its size.
    pub(super) fn cut(&mut self) -> Result<u64> {
        let Some(writer) = self.writer.take() else {
            return Ok(0);
        };
        let meta = writer.finish()?;
        self.set.store().open_fresh(meta.file_id)?;
        let size = meta.size;
        self.finished.push(meta);
        Ok(size)
    }

    /// All files, durable with their names. Nothing is current any more.
    pub(super) fn finish(&mut self) -> Result<Vec<FileMeta>> {
        self.cut()?;
        if !self.finished.is_empty() && !is_on(Mutant::SstableName) {
            self.set.store().sync_dir()?;
        }
        self.begun.clear();
        Ok(std::mem::take(&mut self.finished))
    }
}

impl Drop for Output {
    /// Gives back the space of files that no manifest will name: the job failed or was abandoned.
    fn drop(&mut self) {
        for file_id in &self.begun {
            if let Err(error) = self.set.store().delete(*file_id) {
                // The next start deletes it as an orphan.
                tracing::warn!(file_id, %error, "can't delete an unfinished SSTable");
            }
        }
    }
}
