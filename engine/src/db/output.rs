//! Writing a sorted run of versions into SSTables of L0.

use std::sync::Arc;

use crate::error::Result;
use crate::key::InternalKeyRef;
use crate::manifest::VersionSet;
use crate::options::Options;
use crate::sstable::{FileMeta, Writer, WriterOptions};

/// Takes versions in order and cuts them into SSTables, never between two of the same key.
pub(super) struct Output {
    versions: Arc<VersionSet>,
    options: WriterOptions,
    sstable_size: u64,
    writer: Option<Writer>,
    finished: Vec<FileMeta>,
}

impl Output {
    pub(super) fn new(versions: &Arc<VersionSet>, options: &Options) -> Self {
        Output {
            versions: Arc::clone(versions),
            options: WriterOptions {
                block_size: options.block_size,
                compression_level: options.l0_compression_level,
                bloom_bits_per_key: options.bloom_bits_per_key,
            },
            sstable_size: options.sstable_size,
            writer: None,
            finished: Vec::new(),
        }
    }

    /// Adds the next version.
    pub(super) fn add(&mut self, key: InternalKeyRef<'_>, value: &[u8]) -> Result<()> {
        let full = |writer: &mut Writer| {
            writer.size() >= self.sstable_size && writer.last_user_key() != key.user
        };
        if let Some(writer) = self.writer.take_if(full) {
            self.finished.push(writer.finish()?);
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let file_id = self.versions.allocate_file_id();
                let file = self.versions.store().create(file_id)?;
                self.writer.insert(Writer::new(file, file_id, self.options))
            }
        };
        writer.add(key, value)
    }

    /// Makes the SSTables durable, names included. There are none if nothing was added.
    pub(super) fn finish(mut self) -> Result<Vec<FileMeta>> {
        if let Some(writer) = self.writer.take() {
            self.finished.push(writer.finish()?);
        }
        if !self.finished.is_empty() {
            self.versions.store().sync_dir()?;
        }
        Ok(self.finished)
    }
}
