//! Writing groups, and syncing them by the clock where they are not durable at once.

use std::sync::Arc;

use super::group::{ALIGNMENT, HEADER_SIZE, Header};
use super::record::Record;
use super::segment::{Segment, Segments};
use crate::error::{Error, Result};
use crate::io::{AlignedBuf, LogFile, LogMode, PAGE_SIZE};
use crate::mutants::{Mutant, is_on};
use crate::sync::Mutex;

/// A buffer that has grown beyond this for one large group is given back afterwards.
const KEPT_BUFFER: usize = 4 << 20;

/// Appends groups to the log. One per database, in the hands of one task.
pub(crate) struct Writer {
    segments: Arc<Segments>,
    current: Option<Current>,
    buffer: AlignedBuf,
    /// Of the last commit that was written.
    last_sequence: u64,
    unsynced: Arc<Mutex<Unsynced>>,
    sync_turn: Arc<Mutex<()>>,
}

struct Current {
    segment: Segment,
    position: u64,
}

/// What was written and is not known to be durable; shared by the writer and the [`Syncer`].
#[derive(Default)]
struct Unsynced {
    /// Logs to sync, oldest first, the last one being the current one.
    logs: Vec<Arc<dyn LogFile>>,
    written_sequence: u64,
    durable_sequence: u64,
    /// A sync has begun since the last write: the next group starts on a new page.
    page_break: bool,
    /// A sync has failed: what was written before it may be lost, though a later sync succeeds.
    failure: Option<Error>,
}

impl Unsynced {
    fn written(&mut self, log: &Arc<dyn LogFile>, last_sequence: u64, mode: LogMode) {
        self.written_sequence = last_sequence;
        match mode {
            LogMode::Durable => self.durable_sequence = last_sequence,
            LogMode::Buffered => {
                if !self.logs.last().is_some_and(|last| Arc::ptr_eq(last, log)) {
                    self.logs.push(Arc::clone(log));
                }
            }
        }
    }
}

impl Writer {
    /// Continues behind the last sequence number of the epochs before.
    pub(crate) fn new(segments: Arc<Segments>, last_sequence: u64) -> Self {
        let unsynced = Unsynced {
            written_sequence: last_sequence,
            durable_sequence: last_sequence,
            ..Unsynced::default()
        };
        Writer {
            segments,
            current: None,
            buffer: AlignedBuf::new(),
            last_sequence,
            unsynced: Arc::new(Mutex::new(unsynced)),
            sync_turn: Arc::default(),
        }
    }

    /// What makes the log durable from time to time, in [`LogMode::Buffered`].
    pub(crate) fn syncer(&self) -> Syncer {
        Syncer {
            turn: Arc::clone(&self.sync_turn),
            unsynced: Arc::clone(&self.unsynced),
        }
    }

    /// Writes one group of commits with consecutive sequence numbers, which may be none. On return
    /// it is durable in [`LogMode::Durable`], with the operating system in [`LogMode::Buffered`].
    ///
    /// After a failure the log ends here: nothing may be appended behind half a group.
    pub(crate) fn append<'a>(
        &mut self,
        first_sequence: u64,
        records: impl Iterator<Item = &'a Record>,
        time_ms: u64,
    ) -> Result<()> {
        if first_sequence != self.last_sequence + 1 {
            return Err(Error::invalid("commits must reach the log in order"));
        }
        self.buffer.clear();
        self.buffer.resize(HEADER_SIZE);
        let mut commit_count = 0;
        for record in records {
            self.buffer.extend_from_slice(record.as_bytes());
            commit_count += 1;
        }
        // The zeros up to the next group are part of this one, and under its checksum.
        self.buffer
            .resize(self.buffer.len().next_multiple_of(self.alignment()));
        let group_len = self.buffer.len() as u64;
        let payload_len = u32::try_from(self.buffer.len() - HEADER_SIZE)
            .map_err(|_| Error::invalid("a WAL group of more than 4 GiB"))?;
        // Held until the group is written: a sync that began in between would make durable what
        // shares a page with this group.
        let unsynced = Arc::clone(&self.unsynced);
        let mut unsynced = unsynced.lock();
        let page_break = std::mem::take(&mut unsynced.page_break);
        let at = self.make_room(group_len, page_break)?;
        let header = Header {
            payload_len,
            commit_count,
            epoch: at.segment.epoch,
            segment: at.segment.number,
            offset: at.position,
            first_sequence,
            durable_sequence: unsynced.durable_sequence,
            time_ms,
        };
        let log = Arc::clone(&at.segment.log);
        at.position += group_len;
        header.seal(self.buffer.as_mut_slice());
        match log.write(&self.buffer, header.offset) {
            Err(_) if is_on(Mutant::LogFailure) => {}
            result => result?,
        }
        self.last_sequence = header.last_sequence();
        unsynced.written(&log, self.last_sequence, self.segments.mode());
        drop(unsynced);
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = AlignedBuf::new();
        }
        Ok(())
    }

    /// Writes a group without commits, if there are groups at all: it says that all before it was
    /// durable, so that none of them can pass for a torn tail later.
    pub(crate) fn finish(&mut self, time_ms: u64) -> Result<()> {
        if self.current.is_none() {
            return Ok(());
        }
        if self.segments.mode() == LogMode::Buffered {
            self.syncer().sync()?;
        }
        self.append(self.last_sequence + 1, std::iter::empty(), time_ms)
    }

    /// Where the next group of this length goes: behind the last one, or into the next segment.
    fn make_room(&mut self, group_len: u64, page_break: bool) -> Result<&mut Current> {
        let mut current = self.current.take();
        if let Some(at) = &mut current {
            if page_break && !is_on(Mutant::PageBreak) {
                at.position = at.position.next_multiple_of(PAGE_SIZE as u64);
            }
            if at.position + group_len > at.segment.len {
                self.segments.retire(&at.segment, self.last_sequence);
                current = None;
            }
        }
        let current = match current {
            Some(current) => current,
            None => Current {
                segment: self.segments.take()?,
                position: 0,
            },
        };
        Ok(self.current.insert(current))
    }

    fn alignment(&self) -> usize {
        match self.segments.mode() {
            LogMode::Durable => PAGE_SIZE,
            LogMode::Buffered => ALIGNMENT,
        }
    }
}

/// Makes what was written durable, beside the writer and without holding it up.
#[derive(Clone)]
pub(crate) struct Syncer {
    /// One sync at a time: each answers for all that was written before it.
    turn: Arc<Mutex<()>>,
    unsynced: Arc<Mutex<Unsynced>>,
}

impl Syncer {
    /// Whether there is something to sync.
    pub(crate) fn is_needed(&self) -> bool {
        !self.unsynced.lock().logs.is_empty()
    }

    /// Syncs all that was written before the call, and answers up to which commit that is. After a
    /// failure the log must not be written to: the pages may be gone although they still read right.
    /// For the same reason every call after one that failed fails as that did.
    pub(crate) fn sync(&self) -> Result<u64> {
        let _turn = self.turn.lock();
        let (logs, written_sequence) = {
            let mut unsynced = self.unsynced.lock();
            if let Some(failure) = &unsynced.failure {
                return Err(failure.clone());
            }
            unsynced.page_break = true;
            (
                std::mem::take(&mut unsynced.logs),
                unsynced.written_sequence,
            )
        };
        for log in logs {
            if is_on(Mutant::LogIntervalSync) {
                continue;
            }
            match log.sync() {
                Err(_) if is_on(Mutant::SyncFailure) => {}
                Err(failure) => {
                    self.unsynced.lock().failure = Some(failure.clone());
                    return Err(failure);
                }
                Ok(()) => {}
            }
        }
        let mut unsynced = self.unsynced.lock();
        unsynced.durable_sequence = unsynced.durable_sequence.max(written_sequence);
        Ok(unsynced.durable_sequence)
    }
}
