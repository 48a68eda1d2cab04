//! The SSTables that a job writes: where one ends and the next begins.

use std::sync::Arc;

use crate::error::Result;
use crate::key::{InternalKeyRef, keyspace_of};
use crate::manifest::{Table, VersionSet};
use crate::mutants::{Mutant, is_on};
use crate::options::Options;
use crate::sstable::{FileMeta, Writer, WriterOptions};

/// A file ends at the end of a keyspace if it has at least one part in so many of its full size.
/// Smaller ones would cost more than unlinking them whole, once their keyspace is dropped, saves.
const KEYSPACE_CUT_PART: u64 = 4;

/// A file ends when it overlaps this many SSTables of full size in the level below its own: that
/// bounds the job that will one day compact it.
const MAX_GRANDPARENT_TABLES: u64 = 10;

/// Writes versions, in order, into as many files as it takes.
pub(super) struct Output {
    set: Arc<VersionSet>,
    options: WriterOptions,
    table_size: u64,
    /// The SSTables of the level below the output, in order.
    grandparents: Vec<Arc<Table>>,
    /// Number of the first one that ends behind the last key.
    next_grandparent: usize,
    /// Bytes of those that the current file overlaps.
    overlapped: u64,
    writer: Option<Writer>,
    /// Ids of all files begun.
    begun: Vec<u64>,
    finished: Vec<FileMeta>,
}

impl Output {
    pub(super) fn new(
        set: Arc<VersionSet>,
        options: &Options,
        level: usize,
        grandparents: Vec<Arc<Table>>,
    ) -> Output {
        let compression_level = if level == 0 {
            options.l0_compression_level
        } else {
            options.compression_level
        };
        Output {
            set,
            options: WriterOptions {
                block_size: options.block_size,
                compression_level,
                bloom_bits_per_key: options.bloom_bits_per_key,
            },
            table_size: options.sstable_size.max(1),
            grandparents,
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
        let Some(writer) = &self.writer else {
            return false;
        };
        let last = writer.last_user_key();
        // All versions of a key stay in one file, or the files of a level would overlap.
        if last == user_key {
            return false;
        }
        let size = writer.size();
        size >= self.table_size
            || self.overlapped > MAX_GRANDPARENT_TABLES * self.table_size
            || (keyspace_of(last) != keyspace_of(user_key)
                && size >= self.table_size / KEYSPACE_CUT_PART)
    }

    fn pass_grandparents(&mut self, user_key: &[u8]) {
        while let Some(table) = self.grandparents.get(self.next_grandparent)
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
                self.writer
                    .insert(Writer::new(file, file_id, self.options))
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
