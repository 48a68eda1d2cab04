//! Finding the data blocks of an SSTable whose index is lost: each begins where the one before it ends,
//! and ends where a checksum is right.

use bytes::Bytes;

use super::block::Block;
use super::block::frame::{BlockHandle, open_frame, starts_frame};
use super::parts::{self, DataBlock};

/// What was found.
pub(super) struct Found {
    /// Without separators, which only the index had.
    pub(super) blocks: Vec<DataBlock>,
    /// Where they end.
    pub(super) end: u64,
    /// Whether the index begins there: no block is missing.
    pub(super) whole: bool,
}

/// Looks from the start of a file to the first place at which no block begins.
pub(super) fn scan(contents: &Bytes, file_id: u64) -> Found {
    let mut found = Found {
        blocks: Vec::new(),
        end: 0,
        whole: false,
    };
    while let Some(rest) = usize::try_from(found.end)
        .ok()
        .and_then(|at| contents.get(at..))
        && let Some(size) = starts_frame(rest, file_id, found.end)
    {
        let handle = BlockHandle {
            offset: found.end,
            size,
        };
        let frame = contents.slice_ref(rest.get(..size as usize).unwrap_or_default());
        let block = open_frame(frame, file_id, found.end).ok();
        let Some(block) = block.and_then(|contents| Block::new(contents).ok()) else {
            break;
        };
        // An index block has nothing but handles of blocks that come before it.
        let is_index = parts::handles(block.clone()).is_some_and(|entries| {
            entries.iter().all(|(_, named)| {
                let place = found
                    .blocks
                    .binary_search_by_key(&named.offset, |block| block.handle.offset);
                place.is_ok_and(|at| found.blocks.get(at).is_some_and(|at| at.handle == *named))
            })
        });
        if is_index {
            found.whole = true;
            break;
        }
        if block.count() == 0 || block.flaw().is_some() {
            break;
        }
        found.blocks.push(DataBlock {
            handle,
            separator: Vec::new(),
        });
        found.end += u64::from(size);
    }
    found
}
