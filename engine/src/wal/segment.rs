//! Segments: their names, the one that is made ready ahead of its use, and those that have had it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::error::Result;
use crate::io::{Env, Fs, LogFile, LogMode, Next, Task};
use crate::mutants::{Mutant, is_on};
use crate::sync::Mutex;

/// The first segment of an epoch. Each next one is twice as large, up to the option's size: a
/// database that is opened, written a little and closed again does not pay for a large one.
const FIRST_SIZE: u64 = 1 << 20;

/// Zeros written in one step of the preparation: some 100 µs of the disk's time, so that a commit
/// which comes in between does not wait long.
const PREPARE_STEP: u64 = 256 << 10;

/// Where there was no room, preparing is tried again this often.
const RETRY: Duration = Duration::from_millis(500);

/// The path of a segment.
pub(super) fn path(dir: &Path, epoch: u64, number: u64) -> PathBuf {
    dir.join(format!("{epoch:016x}-{number:016x}.wal"))
}

/// The segments in a directory, in order of epoch and number.
pub(crate) fn list(fs: &dyn Fs, dir: &Path) -> Result<Vec<SegmentName>> {
    let mut segments: Vec<SegmentName> = fs
        .list(dir)?
        .into_iter()
        .filter_map(|entry| {
            let (epoch, number) = parse_name(&entry.name)?;
            Some(SegmentName {
                epoch,
                number,
                path: dir.join(&entry.name),
            })
        })
        .collect();
    segments.sort_by_key(|segment| (segment.epoch, segment.number));
    Ok(segments)
}

/// Whether a name is that of a segment.
pub(crate) fn is_segment(name: &str) -> bool {
    parse_name(name).is_some()
}

/// A segment as its name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentName {
    pub(crate) epoch: u64,
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
}

fn parse_name(name: &str) -> Option<(u64, u64)> {
    let (epoch, number) = name.strip_suffix(".wal")?.split_once('-')?;
    if epoch.len() != 16 || number.len() != 16 {
        return None;
    }
    Some((
        u64::from_str_radix(epoch, 16).ok()?,
        u64::from_str_radix(number, 16).ok()?,
    ))
}

/// A segment that can be written to.
pub(super) struct Segment {
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) log: Arc<dyn LogFile>,
    /// Bytes after which the next segment is to be begun. The file may grow past it if a single
    /// group is larger.
    pub(super) len: u64,
}

/// The segments of the epoch that is being written.
pub(crate) struct Segments {
    env: Env,
    dir: PathBuf,
    epoch: u64,
    mode: LogMode,
    max_len: u64,
    /// The one that comes next, so far as it was made ready.
    next: Mutex<NextSegment>,
    /// Full ones, oldest first: what was written last to each, and its path.
    full: Mutex<VecDeque<(u64, PathBuf)>>,
}

struct NextSegment {
    number: u64,
    len: u64,
    log: Option<Arc<dyn LogFile>>,
    /// Zeros are written up to here.
    prepared: u64,
    /// Nothing more is to be prepared: the database closes, or preparing has failed, in which case
    /// writing will soon fail the same way and say so.
    stopped: bool,
    preparer: Option<Waker>,
}

impl Segments {
    pub(crate) fn new(env: &Env, dir: &Path, epoch: u64, mode: LogMode, max_len: u64) -> Self {
        Segments {
            env: env.clone(),
            dir: dir.to_path_buf(),
            epoch,
            mode,
            max_len,
            next: Mutex::new(NextSegment {
                number: 0,
                len: FIRST_SIZE.min(max_len),
                log: None,
                prepared: 0,
                stopped: false,
                preparer: None,
            }),
            full: Mutex::default(),
        }
    }

    pub(super) fn mode(&self) -> LogMode {
        self.mode
    }

    /// Whom to wake when a segment was taken.
    pub(crate) fn set_preparer(&self, waker: Waker) {
        self.next.lock().preparer = Some(waker);
    }

    /// The next segment, as ready as it is: writing past what was prepared is slower and no less
    /// safe, while waiting for it would stop every commit.
    pub(super) fn take(&self) -> Result<Segment> {
        let mut next = self.next.lock();
        let log = match next.log.take() {
            Some(log) => log,
            None => self.create(next.number, next.len)?,
        };
        let segment = Segment {
            epoch: self.epoch,
            number: next.number,
            log,
            len: next.len,
        };
        next.number += 1;
        next.len = (2 * next.len).min(self.max_len);
        next.prepared = 0;
        if let Some(preparer) = &next.preparer {
            preparer.wake_by_ref();
        }
        Ok(segment)
    }

    /// Creates a segment's file, and makes its name durable: whatever will be acknowledged in it
    /// must be found again.
    fn create(&self, number: u64, len: u64) -> Result<Arc<dyn LogFile>> {
        let path = path(&self.dir, self.epoch, number);
        let log = self.env.fs.create_log(&path, len, self.mode)?;
        if !is_on(Mutant::LogName) {
            self.env.fs.sync_dir(&self.dir)?;
        }
        Ok(log)
    }

    /// Notes that a segment was written for the last time.
    pub(super) fn retire(&self, segment: &Segment, last_sequence: u64) {
        self.full
            .lock()
            .push_back((last_sequence, segment.log.path().to_path_buf()));
    }

    /// Takes off the list the segments whose commits are all in SSTables, oldest first.
    pub(crate) fn take_obsolete(&self, flushed_sequence: u64) -> Vec<PathBuf> {
        let mut full = self.full.lock();
        let count = full
            .iter()
            .take_while(|(last, _)| *last <= flushed_sequence)
            .count();
        full.drain(..count).map(|(_, path)| path).collect()
    }

    /// Ends the preparation, and removes the segment that was meant to be next and never will be.
    pub(crate) fn close(&self) -> Result<()> {
        let mut next = self.next.lock();
        next.stopped = true;
        match next.log.take() {
            Some(log) => self.env.fs.remove(log.path()),
            None => Ok(()),
        }
    }
}

/// The background task that has the next segment ready before it is needed.
pub(crate) struct Preparer {
    segments: Arc<Segments>,
}

impl Preparer {
    pub(crate) fn new(segments: Arc<Segments>) -> Self {
        Preparer { segments }
    }

    fn prepare(&self, next: &mut NextSegment) -> Result<Next> {
        let Some(log) = &next.log else {
            next.log = Some(self.segments.create(next.number, next.len)?);
            return Ok(Next::Again);
        };
        if next.prepared >= next.len {
            return Ok(Next::Idle);
        }
        let step = PREPARE_STEP.min(next.len - next.prepared);
        log.prepare(next.prepared, usize::try_from(step).unwrap_or(0))?;
        next.prepared += step;
        if next.prepared >= next.len {
            log.sync()?;
        }
        Ok(Next::Again)
    }
}

impl Task for Preparer {
    fn step(&mut self) -> Next {
        let mut next = self.segments.next.lock();
        if next.stopped {
            return Next::Done;
        }
        match self.prepare(&mut next) {
            Ok(wants) => wants,
            Err(error) if error.is_no_room() => Next::After(RETRY),
            Err(error) => {
                tracing::warn!("can't prepare the next WAL segment: {error}");
                next.stopped = true;
                Next::Done
            }
        }
    }
}
