//! A keyspace as it is read in another one that was forked of it.

use bytes::Bytes;

use super::InternalIterator;
use crate::Value;
use crate::error::Result;
use crate::key::{InternalKeyRef, KeyspaceId, Kind, Trailer, keyspace_of};

/// Versions of one key that are stepped over before the rest is jumped over by a seek.
const STEPS_BEFORE_SEEK: usize = 8;

/// Bytes of a user key that are the id of its keyspace.
const ID_SIZE: usize = size_of::<KeyspaceId>();

/// What a [`LayerIter`] shows of which keyspace.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// The keyspace that is read.
    pub(crate) source: KeyspaceId,
    /// As of this commit.
    pub(crate) at: u64,
    /// The keyspace that it is read in.
    pub(crate) keyspace: KeyspaceId,
    /// The sequence number that its entries have there.
    pub(crate) created: u64,
    /// Keys up to this one, without keyspace id, are not shown; unless it is empty.
    pub(crate) behind: Bytes,
    /// Nor are those after this one.
    pub(crate) last: Option<Bytes>,
}

/// One entry for each user key of the source: the value that it had, or a tombstone if it had none.
/// The tombstones are shown so that whoever reads them can bound what is passed in one call.
pub(crate) struct LayerIter {
    /// The versions of the source, whose keys may go beyond its keyspace.
    input: Box<dyn InternalIterator>,
    layer: Layer,
    /// The user key of the entry as it is in `keyspace`.
    key: Vec<u8>,
    /// The same in the source.
    source_key: Vec<u8>,
    entry: Option<(Kind, Value)>,
    /// Whether the input is before the entry's versions; or at them or behind.
    backward: bool,
}

impl LayerIter {
    /// At no entry.
    pub(crate) fn new(input: Box<dyn InternalIterator>, layer: Layer) -> LayerIter {
        LayerIter {
            input,
            layer,
            key: Vec::new(),
            source_key: Vec::new(),
            entry: None,
            backward: false,
        }
    }

    /// The key of the source for one of the keyspace, without its id.
    fn in_source(&self, suffix: &[u8]) -> Vec<u8> {
        let id = self.layer.source.0.to_be_bytes();
        [&id[..], suffix].concat()
    }

    /// Takes the user key that the input is at, if it is shown.
    fn take_key(&mut self) -> bool {
        self.entry = None;
        if !self.input.valid() {
            return false;
        }
        let user = self.input.key().user;
        let suffix = user.get(ID_SIZE..).unwrap_or_default();
        let layer = &self.layer;
        let shown = keyspace_of(user) == Some(layer.source)
            && (layer.behind.is_empty() || suffix > &layer.behind[..])
            && layer.last.as_ref().is_none_or(|last| suffix <= &last[..]);
        if shown {
            self.source_key.clear();
            self.source_key.extend_from_slice(user);
            self.key.clear();
            self.key.extend_from_slice(&layer.keyspace.0.to_be_bytes());
            self.key.extend_from_slice(suffix);
        }
        shown
    }

    fn is_at_source_key(&self) -> bool {
        self.input.valid() && self.input.key().user == self.source_key
    }

    /// What the input is at: the newest version that is seen, unless it is of another key.
    fn seen(&self) -> (Kind, Value) {
        match self.is_at_source_key() && self.input.key().kind() == Some(Kind::Put) {
            true => (Kind::Put, self.input.value()),
            false => (Kind::Delete, Value::new()),
        }
    }

    /// Makes an entry of the user key at whose first version the input is.
    fn settle_forward(&mut self) -> Result<()> {
        self.backward = false;
        if !self.take_key() {
            return Ok(());
        }
        let mut steps = 0;
        while self.is_at_source_key() && self.input.key().sequence() > self.layer.at {
            if steps == STEPS_BEFORE_SEEK {
                let target = InternalKeyRef::seek(&self.source_key, self.layer.at);
                self.input.seek(target)?;
                break;
            }
            steps += 1;
            self.input.next()?;
        }
        self.entry = Some(self.seen());
        Ok(())
    }

    /// Makes an entry of the user key at whose last version the input is.
    fn settle_backward(&mut self) -> Result<()> {
        self.backward = true;
        if !self.take_key() {
            return Ok(());
        }
        let mut seen = (Kind::Delete, Value::new());
        let mut steps = 0;
        while self.is_at_source_key() {
            if steps == STEPS_BEFORE_SEEK {
                let target = InternalKeyRef::seek(&self.source_key, self.layer.at);
                self.input.seek(target)?;
                seen = self.seen();
                let before = InternalKeyRef::before(&self.source_key);
                self.input.seek_before(before)?;
                break;
            }
            if self.input.key().sequence() <= self.layer.at {
                seen = self.seen();
            }
            steps += 1;
            self.input.prev()?;
        }
        self.entry = Some(seen);
        Ok(())
    }

    fn leave_forward(&mut self) -> Result<()> {
        let mut steps = 0;
        if self.backward {
            self.input.seek(InternalKeyRef::behind(&self.source_key))?;
        }
        while self.is_at_source_key() {
            if steps == STEPS_BEFORE_SEEK {
                self.input.seek(InternalKeyRef::behind(&self.source_key))?;
                break;
            }
            steps += 1;
            self.input.next()?;
        }
        Ok(())
    }
}

impl InternalIterator for LayerIter {
    fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.entry = None;
        let suffix = match keyspace_of(target.user).cmp(&Some(self.layer.keyspace)) {
            std::cmp::Ordering::Greater => return Ok(()),
            std::cmp::Ordering::Equal => target.user.get(ID_SIZE..).unwrap_or_default(),
            std::cmp::Ordering::Less => &[],
        };
        let behind = &self.layer.behind;
        if !behind.is_empty() && suffix <= &behind[..] {
            let start = self.in_source(behind);
            self.input.seek(InternalKeyRef::behind(&start))?;
        } else {
            let start = self.in_source(suffix);
            self.input.seek(InternalKeyRef::before(&start))?;
        }
        self.settle_forward()?;
        if self.entry.is_some() && self.key() < target {
            return self.next();
        }
        Ok(())
    }

    fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.entry = None;
        match keyspace_of(target.user).cmp(&Some(self.layer.keyspace)) {
            std::cmp::Ordering::Less => return Ok(()),
            std::cmp::Ordering::Greater => return self.seek_to_last(),
            std::cmp::Ordering::Equal => {}
        }
        let suffix = target.user.get(ID_SIZE..).unwrap_or_default();
        let last = self.layer.last.as_ref();
        if let Some(last) = last
            && suffix > &last[..]
        {
            return self.seek_to_last();
        }
        let end = self.in_source(suffix);
        self.input.seek_before(InternalKeyRef::behind(&end))?;
        self.settle_backward()?;
        if self.entry.is_some() && self.key() >= target {
            return self.prev();
        }
        Ok(())
    }

    fn seek_to_first(&mut self) -> Result<()> {
        let start = self.layer.keyspace.0.to_be_bytes();
        self.seek(InternalKeyRef::before(&start))
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.entry = None;
        match (&self.layer.last, self.layer.source.0.checked_add(1)) {
            (Some(last), _) => {
                let end = self.in_source(last);
                self.input.seek_before(InternalKeyRef::behind(&end))?;
            }
            (None, Some(next)) => {
                let end = next.to_be_bytes();
                self.input.seek_before(InternalKeyRef::before(&end))?;
            }
            (None, None) => self.input.seek_to_last()?,
        }
        self.settle_backward()
    }

    fn next(&mut self) -> Result<()> {
        if self.entry.take().is_none() {
            return Ok(());
        }
        self.leave_forward()?;
        self.settle_forward()
    }

    fn prev(&mut self) -> Result<()> {
        if self.entry.take().is_none() {
            return Ok(());
        }
        if !self.backward {
            self.input
                .seek_before(InternalKeyRef::before(&self.source_key))?;
        }
        self.settle_backward()
    }

    fn valid(&self) -> bool {
        self.entry.is_some()
    }

    fn key(&self) -> InternalKeyRef<'_> {
        match &self.entry {
            Some((kind, _)) => InternalKeyRef {
                user: &self.key,
                trailer: Trailer::new(self.layer.created, *kind),
            },
            None => InternalKeyRef {
                user: &[],
                trailer: Trailer::FIRST,
            },
        }
    }

    fn value(&self) -> Value {
        self.entry
            .as_ref()
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::iter::SortedIter;
    use crate::key::InternalKey;

    const AT: u64 = 20;
    const CREATED: u64 = 30;

    fn user(keyspace: u32, suffix: &[u8]) -> Vec<u8> {
        [&keyspace.to_be_bytes()[..], suffix].concat()
    }

    type Versions = BTreeMap<InternalKey, Value>;

    fn layer(versions: &Versions, behind: &[u8], last: Option<&[u8]>) -> LayerIter {
        let layer = Layer {
            source: KeyspaceId(2),
            at: AT,
            keyspace: KeyspaceId(9),
            created: CREATED,
            behind: Bytes::copy_from_slice(behind),
            last: last.map(Bytes::copy_from_slice),
        };
        LayerIter::new(Box::new(SortedIter::new(versions)), layer)
    }

    /// What it should show, by the definition.
    fn shown(versions: &Versions, behind: &[u8], last: Option<&[u8]>) -> Versions {
        let mut shown: BTreeMap<Vec<u8>, (u64, Kind, Value)> = BTreeMap::new();
        for (key, value) in versions {
            let key = key.as_ref();
            let suffix = &key.user[4..];
            if keyspace_of(key.user) != Some(KeyspaceId(2))
                || (!behind.is_empty() && suffix <= behind)
                || last.is_some_and(|last| suffix > last)
            {
                continue;
            }
            let seen = shown
                .entry(user(9, suffix))
                .or_insert((0, Kind::Delete, Value::new()));
            if key.sequence() <= AT && key.sequence() >= seen.0 {
                *seen = (key.sequence(), key.kind().unwrap(), value.clone());
            }
        }
        let shown = shown.into_iter();
        shown
            .map(|(user, (_, kind, value))| (InternalKey::new(&user, CREATED, kind), value))
            .collect()
    }

    fn entry(iter: &dyn InternalIterator) -> Option<(InternalKey, Value)> {
        let key = iter.key();
        iter.valid().then(|| {
            let key = InternalKey::new(key.user, key.sequence(), key.kind().unwrap());
            (key, iter.value())
        })
    }

    proptest! {
        #[test]
        fn shows_what_the_source_was(
            entries in prop::collection::btree_map((1u32..4, 0u8..6, 1u64..40), any::<bool>(), 0..80),
            many in prop::option::of(0u8..6),
            behind in prop::option::of(0u8..6),
            last in prop::option::of(0u8..6),
            moves in prop::collection::vec((0u8..6, 0u32..4, 0u8..7, 28u64..33), 1..40),
        ) {
            let mut versions = Versions::new();
            for ((keyspace, key, sequence), put) in entries {
                let kind = if put { Kind::Put } else { Kind::Delete };
                let value = if put { Value::from(vec![key, sequence as u8]) } else { Value::new() };
                versions.insert(InternalKey::new(&user(keyspace, &[key]), sequence, kind), value);
            }
            if let Some(key) = many {
                for sequence in 1..60 {
                    let value = Value::from(vec![key, sequence as u8]);
                    let key = InternalKey::new(&user(2, &[key]), sequence, Kind::Delete);
                    versions.remove(&key);
                    let key = InternalKey::new(key.as_ref().user, sequence, Kind::Put);
                    versions.insert(key, value);
                }
            }
            let behind: Vec<u8> = behind.into_iter().collect();
            let last: Option<Vec<u8>> = last.map(|last| vec![last]);
            let expected = shown(&versions, &behind, last.as_deref());
            let mut iter = layer(&versions, &behind, last.as_deref());
            let mut model = SortedIter::new(&expected);
            for (step, keyspace, key, sequence) in moves {
                let target = user(7 + keyspace, &[key]);
                let target = InternalKeyRef::new(&target, sequence, Kind::Put);
                match step {
                    0 => { iter.seek(target).unwrap(); model.seek(target).unwrap(); }
                    1 => { iter.seek_before(target).unwrap(); model.seek_before(target).unwrap(); }
                    2 => { iter.seek_to_first().unwrap(); model.seek_to_first().unwrap(); }
                    3 => { iter.seek_to_last().unwrap(); model.seek_to_last().unwrap(); }
                    4 => { iter.next().unwrap(); model.next().unwrap(); }
                    _ => { iter.prev().unwrap(); model.prev().unwrap(); }
                }
                prop_assert_eq!(entry(&iter), entry(&model));
            }
        }
    }
}
