//! Checks everything in an SSTable: every byte is under a checksum and belongs to something, keys are
//! in order, the index leads to them, the filter has them, the properties say what is there.

use std::cell::Cell;

use bytes::Bytes;

use super::block::frame::BadFrame;
use super::block::{Block, BlockIter};
use super::parts::{self, DataBlock, OnDamage, Parts};
use super::properties::{FileMeta, Properties};
use crate::key::{InternalKeyRef, Key, KeyRef, Kind, partition_end, user_key_hash};

/// Checks the bytes of a whole file against themselves and, if the manifest has something to say of
/// it, against that. Tells of every damage; answers the number of entries that were read.
pub(crate) fn check(
    contents: &Bytes,
    file_id: u64,
    meta: Option<&FileMeta>,
    on_damage: &mut OnDamage<'_>,
) -> u64 {
    let sound = Cell::new(true);
    let mut on_damage = |offset: u64, damage: BadFrame| {
        sound.set(false);
        on_damage(offset, damage);
    };
    let parts = parts::read(contents, file_id, &mut on_damage);
    let mut contained = Contained::new(contents, file_id, &parts, &mut on_damage);
    for block in &parts.data {
        contained.block(block);
    }
    let counted = contained.finish();
    let entries = counted.as_ref().map_or(0, |counted| counted.entries);
    let offset = parts.footer.map_or(0, |footer| footer.properties.offset);
    compare(&parts, counted.as_ref(), meta, offset, &mut on_damage);
    // The checksum of the file last: where something else is found, that says more.
    if let Some(meta) = meta
        && sound.get()
    {
        let found = crc32fast::hash(contents);
        if found != meta.checksum {
            let expected = format!("a file with checksum {:08x}", meta.checksum);
            on_damage(0, bad(expected, format!("one with {found:08x}")));
        }
    }
    entries
}

fn bad(expected: impl Into<String>, found: impl Into<String>) -> BadFrame {
    BadFrame {
        expected: expected.into(),
        found: found.into(),
    }
}

/// Compares what was counted, what the file says of itself, and what the manifest says.
fn compare(
    parts: &Parts,
    counted: Option<&Properties>,
    meta: Option<&FileMeta>,
    offset: u64,
    on_damage: &mut OnDamage<'_>,
) {
    let stored = parts.properties.as_ref();
    if let (Some(stored), Some(counted)) = (stored, counted)
        && stored != counted
    {
        let expected = format!("the properties of its contents: {counted:?}");
        on_damage(offset, bad(expected, format!("{stored:?}")));
    }
    if let (Some(stored), Some(meta)) = (stored, meta)
        && *stored != meta.properties
    {
        let expected = format!("the properties in the manifest: {:?}", meta.properties);
        on_damage(offset, bad(expected, format!("{stored:?}")));
    }
}

/// Goes through the data blocks.
struct Contained<'a, 'b> {
    contents: &'a Bytes,
    file_id: u64,
    parts: &'a Parts,
    on_damage: &'a mut OnDamage<'b>,
    counted: Properties,
    /// Whether all so far was read, so that the count is right.
    complete: bool,
    /// Where the next block should begin.
    end: u64,
    /// The last key that was read, encoded.
    last: Vec<u8>,
    /// The key of the index entry of the block before.
    separator: Vec<u8>,
    last_partition: usize,
}

impl<'a, 'b> Contained<'a, 'b> {
    fn new(
        contents: &'a Bytes,
        file_id: u64,
        parts: &'a Parts,
        on_damage: &'a mut OnDamage<'b>,
    ) -> Self {
        Contained {
            contents,
            file_id,
            parts,
            on_damage,
            counted: Properties::default(),
            complete: parts.indexed,
            end: 0,
            last: Vec::new(),
            separator: Vec::new(),
            last_partition: 0,
        }
    }

    fn block(&mut self, data: &DataBlock) {
        let handle = data.handle;
        if self.parts.indexed {
            parts::follows(handle, &mut self.end, "a data block", self.on_damage);
        }
        let read = parts::frame(self.contents, self.file_id, handle, self.on_damage);
        let Some(contents) = read else {
            self.complete = false;
            return self.separate(data);
        };
        let block = Block::new(contents).ok().filter(|block| block.count() > 0);
        let Some(block) = block else {
            self.flaw(handle.offset, "a block without entries or with too many");
            return self.separate(data);
        };
        if let Some(flaw) = block.flaw() {
            self.flaw(handle.offset, flaw);
        }
        self.counted.data_blocks += 1;
        if self.entries(block, handle.offset).is_none() {
            self.flaw(handle.offset, "an entry that cannot be read");
        }
        self.separate(data);
    }

    fn flaw(&mut self, offset: u64, found: &str) {
        self.complete = false;
        (self.on_damage)(offset, bad("a data block as it is written", found));
    }

    fn entries(&mut self, block: Block, offset: u64) -> Option<()> {
        let mut iter = BlockIter::default();
        iter.set_block(block);
        iter.seek_to_first().ok()?;
        while iter.valid() {
            let key = iter.key();
            let value = iter.value();
            if let Some(found) = self.wrong_with(key, &value) {
                let expected = "a key in its place";
                (self.on_damage)(offset, bad(expected, format!("{found}: {key:?}")));
            }
            self.counted.count(key, value.len());
            self.last.clear();
            key.push_to(&mut self.last);
            iter.next().ok()?;
        }
        Some(())
    }

    /// What is wrong with an entry, if something is.
    fn wrong_with(&mut self, key: InternalKeyRef<'_>, value: &[u8]) -> Option<&'static str> {
        let last = InternalKeyRef::parse(&self.last);
        if last.is_some_and(|last| last >= key) {
            return Some("one that is not behind the last");
        }
        if InternalKeyRef::parse(&self.separator).is_some_and(|separator| separator >= key) {
            return Some("one that the index puts into the block before");
        }
        if key.kind() == Some(Kind::Delete) && !value.is_empty() {
            return Some("a tombstone with a value");
        }
        if last.is_some_and(|last| last.user == key.user) {
            return None;
        }
        let Some(parsed) = KeyRef::parse(key.user) else {
            return Some("one that is no key");
        };
        let prefix = last.and_then(|last| last.user.get(..self.last_partition));
        let same_partition =
            prefix.is_some_and(|prefix| !prefix.is_empty() && key.user.starts_with(prefix));
        if !same_partition {
            self.last_partition = partition_end(key.user).unwrap_or(0);
            let right = Key::new(parsed.keyspace(), &parsed.partition(), parsed.sort());
            if right.as_bytes() != key.user {
                return Some("one whose hash is not that of its partition");
            }
        }
        let filter = self.parts.filter.as_ref()?;
        let partition = key.user.get(..self.last_partition).unwrap_or_default();
        if !filter.may_contain(user_key_hash(key.user))
            || !filter.may_contain(user_key_hash(partition))
        {
            return Some("one that the filter does not know");
        }
        None
    }

    /// Checks the index entry of a block against the keys before it; the next block's are held against
    /// it in turn.
    fn separate(&mut self, data: &DataBlock) {
        let separator = &data.separator;
        let parsed = InternalKeyRef::parse(separator);
        if let (Some(parsed), Some(last)) = (parsed, InternalKeyRef::parse(&self.last))
            && parsed < last
        {
            let expected = "an index entry not before the last key of its block";
            (self.on_damage)(data.handle.offset, bad(expected, format!("{parsed:?}")));
        }
        self.separator.clone_from(separator);
    }

    /// What was counted, if all was read.
    fn finish(mut self) -> Option<Properties> {
        if let Some(footer) = self.parts.footer
            && self.parts.indexed
            && self.end != footer.data_end
        {
            let found = format!("data blocks up to {}", self.end);
            (self.on_damage)(footer.data_end, bad("data blocks up to here", found));
        }
        self.counted.largest = Bytes::copy_from_slice(parts::user_key(&self.last));
        self.complete.then_some(self.counted)
    }
}
