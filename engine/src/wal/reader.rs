//! Reading the log back after the process ended, however it did.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::group::{ALIGNMENT, Group, MAGIC};
use super::record::Operation;
use super::segment::{self, SegmentName};
use crate::error::{Error, Result};
use crate::io::{Fs, PAGE_SIZE};
use crate::mutants::{Mutant, is_on};

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// Of the last commit that was found, or what was already flushed.
    pub(crate) last_sequence: u64,
    /// Groups that were read.
    pub(crate) group_count: u64,
    /// Where a torn tail was cut off, if there was one.
    pub(crate) torn: Option<(PathBuf, u64)>,
}

/// Visits the commits of an epoch's log that are newer than `flushed_sequence`, in order, each with
/// its sequence number, the time of its group, and its operations.
pub(crate) fn replay(
    fs: &dyn Fs,
    dir: &Path,
    epoch: u64,
    flushed_sequence: u64,
    visit: &mut dyn FnMut(u64, u64, Vec<Operation>) -> Result<()>,
) -> Result<Replayed> {
    let segments: Vec<SegmentName> = segment::list(fs, dir)?
        .into_iter()
        .filter(|segment| segment.epoch == epoch)
        .collect();
    let mut replay = Replay {
        fs,
        epoch,
        flushed_sequence,
        expected: None,
        group_count: 0,
    };
    let mut end: Option<End> = None;
    let mut at = 0;
    while let Some(segment) = segments.get(at) {
        let contents = read_segment(fs, &segment.path)?;
        match replay.segment(segment, &contents, visit)? {
            Some(offset) => {
                end = Some(End {
                    at,
                    offset,
                    contents,
                })
            }
            // Not one group that continues the log: it ended in the segment before.
            None if at > 0 => break,
            None => {
                end = Some(End {
                    at,
                    offset: 0,
                    contents,
                })
            }
        }
        at += 1;
    }
    let torn = match end {
        Some(end) => replay.judge_end(&segments, &end)?,
        None => None,
    };
    let last_sequence = replay
        .expected
        .map_or(0, |next| next - 1)
        .max(flushed_sequence);
    Ok(Replayed {
        last_sequence,
        group_count: replay.group_count,
        torn,
    })
}

/// The place behind the last group that continues the log.
struct End {
    /// Which segment.
    at: usize,
    offset: usize,
    contents: Bytes,
}

struct Replay<'a> {
    fs: &'a dyn Fs,
    epoch: u64,
    flushed_sequence: u64,
    /// The sequence number that the next group starts with, once there was one.
    expected: Option<u64>,
    group_count: u64,
}

impl Replay<'_> {
    /// Visits the groups of one segment. Returns the offset behind the last one, or `None` if not
    /// even its first group continues the log.
    fn segment(
        &mut self,
        segment: &SegmentName,
        contents: &Bytes,
        visit: &mut dyn FnMut(u64, u64, Vec<Operation>) -> Result<()>,
    ) -> Result<Option<usize>> {
        let mut offset = 0;
        while let Some(group) = self.next_group(segment, contents, &mut offset) {
            let Some(commits) = group.commits() else {
                return Err(Error::corruption(
                    &segment.path,
                    group.header.offset,
                    format!("a group of {} commits", group.header.commit_count),
                    "a valid checksum over something else",
                ));
            };
            for (sequence, operations) in (group.header.first_sequence..).zip(commits) {
                if sequence > self.flushed_sequence {
                    visit(sequence, group.header.time_ms, operations)?;
                }
            }
            self.group_count += 1;
            self.expected = Some(group.header.last_sequence() + 1);
            offset += group.len();
        }
        Ok((offset > 0).then_some(offset))
    }

    /// The next group of the log, at `offset` or, since a sync makes the writer go to a new page, at
    /// the page behind it. Leaves `offset` at the group.
    fn next_group(
        &self,
        segment: &SegmentName,
        contents: &Bytes,
        offset: &mut usize,
    ) -> Option<Group> {
        let near = offset.next_multiple_of(ALIGNMENT);
        let far = offset.next_multiple_of(PAGE_SIZE);
        for candidate in [near, far] {
            let group = Group::at(contents, candidate, self.epoch, segment.number);
            if let Some(group) = group.filter(|group| self.continues(group, candidate)) {
                *offset = candidate;
                return Some(group);
            }
        }
        None
    }

    /// Whether a group is the next one of the log: no commit between, but for such that are flushed
    /// anyway and whose segments may be gone.
    fn continues(&self, group: &Group, offset: usize) -> bool {
        let first = group.header.first_sequence;
        match self.expected {
            Some(expected) if offset > 0 => first == expected,
            Some(expected) => first >= expected && first <= expected.max(self.flushed_sequence + 1),
            None => first <= self.flushed_sequence + 1,
        }
    }

    /// Whether the log really ends where it seems to. If a valid group further on says that it was
    /// durable beyond, something that was acknowledged is damaged. Returns where a torn group was
    /// cut off, if it can be seen.
    fn judge_end(&self, segments: &[SegmentName], end: &End) -> Result<Option<(PathBuf, u64)>> {
        // What is flushed is not missing: its segment may be gone while one before it is still there.
        let missing = self
            .expected
            .unwrap_or_default()
            .max(self.flushed_sequence + 1);
        let Some(last) = segments.get(end.at) else {
            return Ok(None);
        };
        let rest = end.contents.get(end.offset..).unwrap_or_default();
        let torn = rest.iter().position(|byte| *byte != 0);
        let bad_offset = torn.map_or(end.offset, |at| (end.offset + at) / ALIGNMENT * ALIGNMENT);
        let bad = (last.path.clone(), bad_offset as u64);
        if torn.is_some() {
            self.search(last, &end.contents, bad_offset, missing, &bad)?;
        }
        for segment in segments.get(end.at + 1..).unwrap_or_default() {
            let contents = read_segment(self.fs, &segment.path)?;
            self.search(segment, &contents, 0, missing, &bad)?;
        }
        Ok(torn.map(|_| bad))
    }

    /// Looks in one segment, from an offset on, for a group that was written after `missing` had
    /// become durable.
    fn search(
        &self,
        segment: &SegmentName,
        contents: &Bytes,
        from: usize,
        missing: u64,
        bad: &(PathBuf, u64),
    ) -> Result<()> {
        let start = from.next_multiple_of(ALIGNMENT);
        for offset in (start..contents.len()).step_by(ALIGNMENT) {
            if contents.get(offset..offset + 4) != Some(&MAGIC) {
                continue;
            }
            let Some(group) = Group::at(contents, offset, self.epoch, segment.number) else {
                continue;
            };
            if group.header.durable_sequence >= missing && !is_on(Mutant::LogTail) {
                return Err(Error::corruption(
                    &bad.0,
                    bad.1,
                    format!(
                        "the WAL group of epoch {} with commit {missing}",
                        self.epoch
                    ),
                    format!(
                        "none, although the group at offset {offset} of {} says that the log was \
                         durable up to commit {}",
                        segment.path.display(),
                        group.header.durable_sequence
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn read_segment(fs: &dyn Fs, path: &Path) -> Result<Bytes> {
    let file = fs.open_read(path)?;
    let len = usize::try_from(file.len()?).unwrap_or(usize::MAX);
    let mut contents = vec![0; len];
    file.read_exact_at(&mut contents, 0)?;
    Ok(contents.into())
}
