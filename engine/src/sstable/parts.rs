//! The parts of an SSTable, as far as they can be read: for those who look at a file that may be
//! damaged, and want to know of every damage instead of the first.

use bytes::Bytes;

use super::block::frame::{BadFrame, BlockHandle, open_frame};
use super::block::{Block, BlockIter};
use super::filter::Filter;
use super::footer::{FOOTER_SIZE, Footer};
use super::properties::Properties;
use crate::key::InternalKeyRef;
use crate::varint::Cursor;

/// Told of each damage: its offset, what should be there, and what is.
pub(crate) type OnDamage<'a> = dyn FnMut(u64, BadFrame) + 'a;

/// A data block as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataBlock {
    pub(super) handle: BlockHandle,
    /// The key of its index entry: not before its last key, and before the first key of the next.
    pub(super) separator: Vec<u8>,
}

/// What could be read of everything but the data blocks themselves.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) footer: Option<Footer>,
    /// Those that the index names, in order.
    pub(super) data: Vec<DataBlock>,
    /// Whether the index is whole: no data block is missing from `data`.
    pub(super) indexed: bool,
    pub(super) filter: Option<Filter>,
    pub(super) properties: Option<Properties>,
}

/// Reads the parts of a whole file.
pub(super) fn read(contents: &Bytes, file_id: u64, on_damage: &mut OnDamage<'_>) -> Parts {
    let mut parts = Parts::default();
    let Some((_, footer)) = contents.split_last_chunk::<FOOTER_SIZE>() else {
        on_damage(0, bad("an SSTable", format!("{} bytes", contents.len())));
        return parts;
    };
    let footer_offset = (contents.len() - FOOTER_SIZE) as u64;
    let footer = match Footer::decode(footer, file_id, contents.len() as u64) {
        Ok(footer) => footer,
        Err(damage) => {
            on_damage(footer_offset, damage);
            return parts;
        }
    };
    parts.footer = Some(footer);
    parts.indexed = read_index(contents, &footer, &mut parts.data, on_damage);
    if let Some(filter) = frame(contents, file_id, footer.filter, on_damage) {
        parts.filter = Filter::new(filter);
        if parts.filter.is_none() {
            on_damage(footer.filter.offset, bad("a filter", "another size"));
        }
    }
    if let Some(encoded) = frame(contents, file_id, footer.properties, on_damage) {
        let mut cursor = Cursor::new(&encoded);
        parts.properties = Properties::decode(&mut cursor).filter(|_| cursor.remaining() == 0);
        if parts.properties.is_none() {
            on_damage(
                footer.properties.offset,
                bad("properties", "malformed ones"),
            );
        }
    }
    parts
}

fn bad(expected: impl Into<String>, found: impl Into<String>) -> BadFrame {
    BadFrame {
        expected: expected.into(),
        found: found.into(),
    }
}

/// The contents of a block of the file, if it is whole.
pub(super) fn frame(
    contents: &Bytes,
    file_id: u64,
    handle: BlockHandle,
    on_damage: &mut OnDamage<'_>,
) -> Option<Bytes> {
    let start = usize::try_from(handle.offset).ok();
    let range = start
        .and_then(|start| Some(start..start.checked_add(handle.size as usize)?))
        .filter(|range| range.end <= contents.len());
    let Some(range) = range else {
        let found = format!("one of {} bytes at {}", handle.size, handle.offset);
        on_damage(handle.offset, bad("a block within the file", found));
        return None;
    };
    open_frame(contents.slice(range), file_id, handle.offset)
        .map_err(|damage| on_damage(handle.offset, damage))
        .ok()
}

/// Collects the data blocks that the index names. `false` if a part of the index is damaged.
fn read_index(
    contents: &Bytes,
    footer: &Footer,
    data: &mut Vec<DataBlock>,
    on_damage: &mut OnDamage<'_>,
) -> bool {
    let Some(partitions) = index_entries(contents, footer, footer.top_index, on_damage) else {
        return false;
    };
    let mut whole = true;
    let mut index_end = footer.data_end;
    for (separator, partition) in partitions {
        whole &= follows(partition, &mut index_end, "an index partition", on_damage);
        let Some(blocks) = index_entries(contents, footer, partition, on_damage) else {
            whole = false;
            continue;
        };
        if blocks.last().is_some_and(|(last, _)| *last != separator) {
            let expected = "an index partition that ends with its separator";
            on_damage(partition.offset, bad(expected, "another last key"));
        }
        data.extend(
            blocks
                .into_iter()
                .map(|(separator, handle)| DataBlock { handle, separator }),
        );
    }
    if index_end != footer.top_index.offset {
        let found = format!("index partitions up to {index_end}");
        on_damage(
            footer.top_index.offset,
            bad("index partitions up to here", found),
        );
        whole = false;
    }
    whole
}

/// The keys and handles of an index block.
fn index_entries(
    contents: &Bytes,
    footer: &Footer,
    handle: BlockHandle,
    on_damage: &mut OnDamage<'_>,
) -> Option<Vec<(Vec<u8>, BlockHandle)>> {
    let encoded = frame(contents, footer.file_id, handle, on_damage)?;
    let entries = Block::new(encoded).ok().and_then(handles);
    if entries.is_none() {
        on_damage(handle.offset, bad("an index block", "a malformed one"));
    }
    entries
}

/// Decodes an index block; `None` if it is none.
pub(super) fn handles(block: Block) -> Option<Vec<(Vec<u8>, BlockHandle)>> {
    if block.count() == 0 || block.flaw().is_some() {
        return None;
    }
    let mut entries = Vec::with_capacity(block.count());
    let mut iter = BlockIter::default();
    iter.set_block(block);
    iter.seek_to_first().ok()?;
    while iter.valid() {
        let mut key = Vec::new();
        iter.key().push_to(&mut key);
        entries.push((key, BlockHandle::decode(&iter.value()).ok()?));
        iter.next().ok()?;
    }
    Some(entries)
}

/// Whether a block begins where the one before it ends. Moves `end` behind it.
pub(super) fn follows(
    handle: BlockHandle,
    end: &mut u64,
    what: &str,
    on_damage: &mut OnDamage<'_>,
) -> bool {
    let fits = handle.offset == *end;
    if !fits {
        let expected = format!("{what} at {end}");
        on_damage(*end, bad(expected, format!("one at {}", handle.offset)));
    }
    *end = handle.offset.saturating_add(u64::from(handle.size));
    fits
}

/// The user key of an index entry's key.
pub(super) fn user_key(separator: &[u8]) -> &[u8] {
    InternalKeyRef::parse(separator).map_or(separator, |key| key.user)
}
