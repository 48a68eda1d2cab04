//! Merging what is left: all versions in order, each once, without those that a lost one may have
//! replaced.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::Value;
use crate::error::Result;
use crate::io::File;
use crate::key::{InternalKey, KeyspaceId, Kind, keyspace_of};
use crate::manifest::Version;
use crate::sstable::{Entries, LostRange, Remains};

/// Where versions come from, in order, and what is lost there.
pub(super) struct Source {
    entries: From,
    lost: Option<Loss>,
}

enum From {
    Table(Box<Entries>),
    Log(std::vec::IntoIter<(InternalKey, Value)>),
    Nothing,
}

struct Loss {
    remains: Remains,
    /// No version that is lost is newer.
    max_sequence: u64,
}

impl Source {
    /// What is left of an SSTable.
    pub(super) fn of_table(remains: Remains, file: Arc<dyn File>, file_id: u64) -> Source {
        let entries = From::Table(Box::new(remains.entries(file, file_id)));
        let newest = remains.properties.as_ref().map(|found| found.max_sequence);
        let lost = (!remains.lost.is_empty()).then(|| Loss {
            remains,
            max_sequence: newest.unwrap_or(u64::MAX),
        });
        Source { entries, lost }
    }

    /// Nothing is left of an SSTable.
    pub(super) fn lost(range: LostRange, max_sequence: u64) -> Source {
        let remains = Remains::nothing(range);
        Source {
            entries: From::Nothing,
            lost: Some(Loss {
                remains,
                max_sequence,
            }),
        }
    }

    /// The versions of the log, in order.
    pub(super) fn of_log(entries: Vec<(InternalKey, Value)>) -> Source {
        Source {
            entries: From::Log(entries.into_iter()),
            lost: None,
        }
    }

    fn next(&mut self) -> Result<Option<(InternalKey, Value)>> {
        match &mut self.entries {
            From::Nothing => Ok(None),
            From::Log(entries) => Ok(entries.next()),
            From::Table(entries) => {
                if !entries.advance()? {
                    return Ok(None);
                }
                let key = entries.key();
                let kind = key.kind().unwrap_or(crate::key::Kind::Delete);
                let owned = InternalKey::new(key.user, key.sequence(), kind);
                Ok(Some((owned, entries.value())))
            }
        }
    }
}

/// The next version of a source.
struct Head {
    key: InternalKey,
    source: usize,
    value: Value,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.key, self.source).cmp(&(&other.key, other.source))
    }
}

/// A fork and what it is read over: where the fork's own version of a key may be lost, what is below
/// must not show.
pub(super) struct Shadow {
    fork: KeyspaceId,
    below: Vec<KeyspaceId>,
    created: u64,
    copied: Vec<u8>,
}

impl Shadow {
    /// Those of a version.
    pub(super) fn of_forks(version: &Version) -> Vec<Shadow> {
        let histories = version.histories();
        let forks = histories.overlays().map(|(fork, overlay)| {
            let next = |keyspace: &KeyspaceId| Some(histories.overlay(*keyspace)?.source);
            Shadow {
                fork,
                below: std::iter::successors(Some(overlay.source), next).collect(),
                created: overlay.created,
                copied: overlay.copied.to_vec(),
            }
        });
        forks.collect()
    }

    /// The tombstone that keeps a key from being seen through the fork.
    fn tombstone(&self, user_key: &[u8]) -> Option<InternalKey> {
        let suffix = user_key.get(size_of::<KeyspaceId>()..)?;
        let shown = self.below.contains(&keyspace_of(user_key)?)
            && (self.copied.is_empty() || suffix > self.copied.as_slice());
        let in_fork = || [&self.fork.0.to_be_bytes(), suffix].concat();
        shown.then(|| InternalKey::new(&in_fork(), self.created, Kind::Delete))
    }
}

/// The number of no source: what has it is made here.
const MADE_HERE: usize = usize::MAX;

/// All sources as one.
pub(super) struct Merge {
    sources: Vec<Source>,
    heads: BinaryHeap<Reverse<Head>>,
    last: Option<InternalKey>,
    left_out: u64,
    forks: Vec<Shadow>,
}

impl Merge {
    pub(super) fn new(sources: Vec<Source>, forks: Vec<Shadow>) -> Result<Merge> {
        let mut merge = Merge {
            heads: BinaryHeap::with_capacity(sources.len()),
            sources,
            last: None,
            left_out: 0,
            forks,
        };
        (0..merge.sources.len()).try_for_each(|source| merge.refill(source))?;
        Ok(merge)
    }

    fn refill(&mut self, source: usize) -> Result<()> {
        let next = self.sources.get_mut(source).map(Source::next);
        if let Some((key, value)) = next.transpose()?.flatten() {
            self.heads.push(Reverse(Head { key, source, value }));
        }
        Ok(())
    }

    /// The next version.
    pub(super) fn next(&mut self) -> Result<Option<(InternalKey, Value)>> {
        while let Some(Reverse(Head { key, source, value })) = self.heads.pop() {
            self.refill(source)?;
            // The same version from two files: one was made of the other.
            let known = self.last.as_ref().is_some_and(|last| {
                let (last, key) = (last.as_ref(), key.as_ref());
                last.user == key.user && last.sequence() == key.sequence()
            });
            if known {
                continue;
            }
            self.last = Some(key.clone());
            self.shadow(&key);
            if source != MADE_HERE && self.is_doubtful(&key) {
                self.left_out += 1;
                continue;
            }
            return Ok(Some((key, value)));
        }
        Ok(None)
    }

    /// A fork has a higher id than what it is read over: its keys come later.
    fn shadow(&mut self, key: &InternalKey) {
        let user_key = key.as_ref().user;
        let forks = self.forks.iter();
        let tombstones = forks.filter_map(|fork| fork.tombstone(user_key));
        let needed: Vec<InternalKey> = tombstones
            .filter(|tombstone| self.is_doubtful(tombstone))
            .collect();
        for key in needed {
            self.heads.push(Reverse(Head {
                key,
                source: MADE_HERE,
                value: Value::new(),
            }));
        }
    }

    /// Whether a newer version of the key may be lost.
    fn is_doubtful(&self, key: &InternalKey) -> bool {
        let key = key.as_ref();
        self.sources.iter().any(|source| {
            source.lost.as_ref().is_some_and(|loss| {
                key.sequence() < loss.max_sequence && loss.remains.may_have_lost(key.user)
            })
        })
    }

    /// Versions that were left out.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}
