//! What a reader sees of the versions: of each key the newest at its sequence number, and nothing
//! of what is deleted or in a dropped keyspace.

use std::sync::Arc;

use super::InternalIterator;
use crate::Value;
use crate::error::{Error, Result};
use crate::key::{DroppedKeyspaces, InternalKeyRef, KeyRange, KeyRef, Kind, keyspace_of};

/// Versions of one key that are stepped over before the rest is jumped over by a seek. A seek costs
/// about as much as this many steps.
const STEPS_BEFORE_SEEK: usize = 8;

/// Which way to go through a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// In the order of keys.
    Forward,
    /// Against it.
    Backward,
}

/// What a call to `next` of a range came to.
#[derive(Debug)]
pub enum Step<'a> {
    /// An entry. The key lives until the next call, the value as long as it is wanted.
    Entry {
        /// Its key.
        key: KeyRef<'a>,
        /// Its value.
        value: Value,
    },
    /// So many deleted or overwritten versions were passed without finding an entry that the caller
    /// may want to do something else first. Nothing between where it was and this key, nor this key
    /// itself, is visible. The next call goes on from here; so does a new range
    /// [`after`](KeyRange::after) (or [`before`](KeyRange::before)) it.
    Paused(KeyRef<'a>),
    /// There is nothing more.
    End,
}

/// What a reader may see.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Commits up to this one.
    pub(crate) sequence: u64,
    /// Of these keyspaces nothing, if they were dropped by then.
    pub(crate) dropped: Arc<DroppedKeyspaces>,
    /// Keys in this range.
    pub(crate) range: KeyRange,
    /// In this order.
    pub(crate) direction: Direction,
    /// Invisible versions that one call passes before it pauses.
    pub(crate) skip_bound: usize,
}

/// Where the input stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nowhere: the range was not entered, or a call has failed.
    Nowhere,
    /// At the first (backward: the last) version of a key that is not yet looked at, or at none.
    Fresh,
    /// At a version of `current`, which is done with: only forward.
    Within,
    /// Past the range.
    Past,
}

/// The visible entries of a range of one view.
pub(crate) struct VisibleIter<I> {
    input: I,
    view: View,
    place: Place,
    /// The user key that is or was looked at last; empty at the start.
    current: Vec<u8>,
    /// Whether `current` is done with: returned, or found to be invisible.
    resolved: bool,
    /// Invisible versions passed in this call.
    skipped: usize,
}

/// What has become of one key.
enum Resolution {
    Visible(Value),
    Invisible,
    PastRange,
}

impl<I: InternalIterator> VisibleIter<I> {
    /// An iterator before the first entry of the view's range.
    pub(crate) fn new(input: I, view: View) -> VisibleIter<I> {
        let place = if view.range.is_empty() {
            Place::Past
        } else {
            Place::Nowhere
        };
        VisibleIter {
            input,
            view,
            place,
            current: Vec::new(),
            resolved: true,
            skipped: 0,
        }
    }

    /// The next entry. After an error it stands where it stood before the call.
    pub(crate) fn next(&mut self) -> Result<Step<'_>> {
        self.skipped = 0;
        loop {
            match self.resolve_next() {
                Ok(Resolution::Visible(value)) => {
                    self.resolved = true;
                    return Ok(Step::Entry {
                        key: self.current_key()?,
                        value,
                    });
                }
                Ok(Resolution::Invisible) => {
                    self.resolved = true;
                    if self.skipped >= self.view.skip_bound {
                        return Ok(Step::Paused(self.current_key()?));
                    }
                }
                Ok(Resolution::PastRange) => {
                    self.place = Place::Past;
                    return Ok(Step::End);
                }
                Err(error) => {
                    self.place = Place::Nowhere;
                    return Err(error);
                }
            }
        }
    }

    fn current_key(&self) -> Result<KeyRef<'_>> {
        KeyRef::parse(&self.current).ok_or_else(|| {
            let found = format!("\"{}\"", self.current.escape_ascii());
            Error::corruption("an SSTable or the WAL", 0, "a user key", found)
        })
    }

    fn resolve_next(&mut self) -> Result<Resolution> {
        match self.view.direction {
            Direction::Forward => self.resolve_forward(),
            Direction::Backward => self.resolve_backward(),
        }
    }

    /// Goes to a version of the next key, in the range and in no dropped keyspace, and makes that
    /// key the current one; `false` if there is none.
    fn go_to_next_key(&mut self) -> Result<bool> {
        match self.place {
            Place::Past => return Ok(false),
            Place::Nowhere => self.enter()?,
            Place::Within => self.leave_forward()?,
            Place::Fresh => {}
        }
        self.place = Place::Fresh;
        while self.input.valid() {
            let user_key = self.input.key().user;
            if self.is_past(user_key) {
                return Ok(false);
            }
            let keyspace = keyspace_of(user_key).unwrap_or(crate::KeyspaceId(u32::MAX));
            if !self.view.dropped.hides(keyspace, self.view.sequence) {
                self.current.clear();
                self.current.extend_from_slice(user_key);
                self.resolved = false;
                return Ok(true);
            }
            let all = KeyRange::keyspace(keyspace);
            match (self.view.direction, all.end()) {
                (Direction::Forward, Some(end)) => self.input.seek(InternalKeyRef::before(end))?,
                (Direction::Forward, None) => return Ok(false),
                (Direction::Backward, _) => {
                    self.input
                        .seek_before(InternalKeyRef::before(all.start()))?;
                }
            }
        }
        Ok(false)
    }

    fn is_past(&self, user_key: &[u8]) -> bool {
        let range = &self.view.range;
        match self.view.direction {
            Direction::Forward => range.end().is_some_and(|end| user_key >= end),
            Direction::Backward => user_key < range.start(),
        }
    }

    /// Enters the range, or goes back to where it stood before a call failed.
    fn enter(&mut self) -> Result<()> {
        let range = &self.view.range;
        match self.view.direction {
            Direction::Forward => {
                let target = match (self.current.is_empty(), self.resolved) {
                    (true, _) => InternalKeyRef::before(range.start()),
                    (false, true) => InternalKeyRef::behind(&self.current),
                    (false, false) => InternalKeyRef::before(&self.current),
                };
                self.input.seek(target)
            }
            Direction::Backward => {
                let target = match (self.current.is_empty(), self.resolved) {
                    (true, _) => match range.end() {
                        Some(end) => InternalKeyRef::before(end),
                        None => return self.input.seek_to_last(),
                    },
                    (false, true) => InternalKeyRef::before(&self.current),
                    (false, false) => InternalKeyRef::behind(&self.current),
                };
                self.input.seek_before(target)
            }
        }
    }

    fn is_at_current(&self) -> bool {
        self.input.valid() && self.input.key().user == self.current
    }

    /// Passes the versions of the current key that are left.
    fn leave_forward(&mut self) -> Result<()> {
        self.input.next()?;
        let mut steps = 0;
        while self.is_at_current() {
            if steps == STEPS_BEFORE_SEEK {
                return self.input.seek(InternalKeyRef::behind(&self.current));
            }
            steps += 1;
            self.skipped += 1;
            self.input.next()?;
        }
        Ok(())
    }

    fn resolve_forward(&mut self) -> Result<Resolution> {
        if !self.go_to_next_key()? {
            return Ok(Resolution::PastRange);
        }
        let mut steps = 0;
        while self.is_at_current() {
            let key = self.input.key();
            if key.sequence() <= self.view.sequence {
                self.place = Place::Within;
                if key.kind() == Some(Kind::Put) {
                    return Ok(Resolution::Visible(self.input.value()));
                }
                self.skipped += 1;
                return Ok(Resolution::Invisible);
            }
            self.skipped += 1;
            if steps == STEPS_BEFORE_SEEK {
                let target = InternalKeyRef::seek(&self.current, self.view.sequence);
                self.input.seek(target)?;
            } else {
                self.input.next()?;
            }
            steps += 1;
        }
        Ok(Resolution::Invisible)
    }

    fn resolve_backward(&mut self) -> Result<Resolution> {
        if !self.go_to_next_key()? {
            return Ok(Resolution::PastRange);
        }
        // From the oldest version up to the newest that is visible.
        let mut newest = None;
        let mut steps = 0;
        while self.is_at_current() {
            let key = self.input.key();
            if steps == STEPS_BEFORE_SEEK {
                newest = self.jump_backward()?;
                break;
            }
            if key.sequence() <= self.view.sequence {
                newest = (key.kind() == Some(Kind::Put)).then(|| self.input.value());
            }
            steps += 1;
            self.input.prev()?;
        }
        self.place = Place::Fresh;
        if newest.is_none() || steps > 1 {
            self.skipped += steps;
        }
        Ok(newest.map_or(Resolution::Invisible, Resolution::Visible))
    }

    /// Gets the visible value of the current key by a seek, and leaves the key behind.
    fn jump_backward(&mut self) -> Result<Option<Value>> {
        self.input
            .seek(InternalKeyRef::seek(&self.current, self.view.sequence))?;
        let visible = self.is_at_current() && self.input.key().kind() == Some(Kind::Put);
        let value = visible.then(|| self.input.value());
        self.input
            .seek_before(InternalKeyRef::before(&self.current))?;
        Ok(value)
    }
}
