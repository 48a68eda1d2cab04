//! Reading what is left of a damaged log: every group that is valid, wherever it lies.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::group::{ALIGNMENT, Group, MAGIC};
use super::record::Operation;
use super::segment;
use crate::error::Result;
use crate::io::Fs;

/// One commit: its sequence number, the time of its group, what it did.
pub(crate) type Commit = (u64, u64, Vec<Operation>);

/// What was found.
#[derive(Default)]
pub(crate) struct Remains {
    /// In order.
    pub(crate) commits: Vec<Commit>,
    /// Commits that had been durable and are in no valid group, first and last, and where the first of
    /// them should have been.
    pub(crate) lost: Vec<(PathBuf, u64, u64, u64)>,
}

/// Reads the commits of an epoch behind a sequence number; behind all that came before the first group
/// if that is not known. Those behind a gap that was never durable are left out: they are a torn tail.
pub(crate) fn salvage(
    fs: &dyn Fs,
    dir: &Path,
    epoch: u64,
    flushed: Option<u64>,
    read: &mut dyn FnMut(&Path) -> Option<Bytes>,
) -> Result<Remains> {
    let mut groups: Vec<(PathBuf, Group)> = Vec::new();
    for segment in segment::list(fs, dir)? {
        let wanted = segment.epoch == epoch;
        let Some(contents) = wanted.then(|| read(&segment.path)).flatten() else {
            continue;
        };
        let mut offset = 0;
        while let Some(rest) = contents.get(offset..).filter(|rest| !rest.is_empty()) {
            let group = match rest.starts_with(&MAGIC) {
                true => Group::at(&contents, offset, epoch, segment.number),
                false => None,
            };
            offset += group
                .as_ref()
                .map_or(ALIGNMENT, |group| group.len().next_multiple_of(ALIGNMENT));
            groups.extend(group.map(|group| (segment.path.clone(), group)));
        }
    }
    let durable = groups
        .iter()
        .map(|(_, group)| group.header.durable_sequence);
    let durable = durable.max().unwrap_or(0);
    let mut expected = flushed.map(|flushed| flushed + 1);
    let mut end = (dir.to_path_buf(), 0);
    let mut remains = Remains::default();
    for (path, group) in groups {
        let header = group.header;
        let from = *expected.get_or_insert(header.first_sequence);
        if header.first_sequence > from {
            if durable < from {
                break;
            }
            let last = header.first_sequence - 1;
            remains.lost.push((end.0, end.1, from, last));
        }
        end = (path, header.offset + group.len() as u64);
        match group.commits() {
            Some(commits) => {
                let numbered = (header.first_sequence..).zip(commits);
                let wanted = numbered.filter(|(sequence, _)| *sequence >= from);
                let timed = wanted.map(|(sequence, commit)| (sequence, header.time_ms, commit));
                remains.commits.extend(timed);
            }
            None => {
                let lost = (header.first_sequence, header.last_sequence());
                remains
                    .lost
                    .push((end.0.clone(), header.offset, lost.0, lost.1));
            }
        }
        expected = Some(from.max(header.last_sequence() + 1));
    }
    Ok(remains)
}
