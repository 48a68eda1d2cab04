//! Runs: SSTables side by side, no two of which have a key range in common. A level is one, and so
//! is a sublevel of L0. A run is searched and iterated like a single SSTable.

use std::ops::Range;
use std::sync::Arc;

use super::table::Table;
use crate::error::Result;
use crate::iter::InternalIterator;
use crate::key::{InternalKeyRef, KeyRange, Trailer};
use crate::sstable::{CacheUse, FoundVersion, Lookup};
use crate::{ReadMode, Value};

/// SSTables in order of keys, without overlap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    tables: Arc<[Arc<Table>]>,
    /// [`fence`] of the last key of each: a search looks at these first, which are side by side in
    /// memory, where each key would be three pointers away.
    fences: Arc<[u128]>,
    /// Bytes of all files.
    size: u64,
    /// Bytes of those that are pieces of logs.
    log_size: u64,
}

/// The first 16 bytes of a user key as a number: keyspace, hash and a little more. Keys of which one
/// has a smaller fence are in the order of their fences.
fn fence(user_key: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(user_key)
        .for_each(|(to, from)| *to = *from);
    u128::from_be_bytes(bytes)
}

impl Run {
    /// Takes SSTables in any order; `None` if two of them overlap.
    pub(crate) fn new(mut tables: Vec<Arc<Table>>) -> Option<Run> {
        tables.sort_by(|left, right| left.smallest().cmp(right.smallest()));
        let overlap = tables.windows(2).any(|pair| match pair {
            [left, right] => left.largest() >= right.smallest(),
            _ => false,
        });
        let fences = tables.iter().map(|table| fence(table.largest())).collect();
        let size = |table: &Arc<Table>| table.meta().size;
        let is_log_piece = |table: &&Arc<Table>| table.is_log_piece();
        (!overlap).then(|| Run {
            size: tables.iter().map(size).sum(),
            log_size: tables.iter().filter(is_log_piece).map(size).sum(),
            tables: tables.into(),
            fences,
        })
    }

    /// Its SSTables, in order of keys.
    pub(crate) fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }

    /// Whether it has no SSTables.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Bytes of all its files.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of its files without those that are pieces of logs.
    pub(crate) fn size_without_logs(&self) -> u64 {
        self.size - self.log_size
    }

    /// Number of the first SSTable that does not end before `user_key`.
    fn find(&self, user_key: &[u8]) -> usize {
        let searched = fence(user_key);
        let start = self.fences.partition_point(|fence| *fence < searched);
        // Those with the same fence are many if one large partition fills many SSTables.
        let behind = self.fences.get(start..).unwrap_or_default();
        let same = behind.partition_point(|fence| *fence == searched);
        let same = self.tables.get(start..start + same).unwrap_or_default();
        start + same.partition_point(|table| table.largest() < user_key)
    }

    /// The SSTables that have keys from `smallest` to `largest`, both included.
    pub(crate) fn overlapping(&self, smallest: &[u8], largest: &[u8]) -> &[Arc<Table>] {
        let start = self.find(smallest);
        let end = self
            .tables
            .partition_point(|table| table.smallest() <= largest);
        self.tables.get(start..end.max(start)).unwrap_or_default()
    }

    /// The newest version of a user key here that the lookup may see.
    pub(crate) fn get(&self, lookup: &Lookup<'_>, mode: ReadMode) -> Result<Option<FoundVersion>> {
        match self.tables.get(self.find(lookup.user_key())) {
            Some(table) if table.smallest() <= lookup.user_key() => table.get(lookup, mode),
            _ => Ok(None),
        }
    }

    /// An iterator over what a range may need of the run; `None` if that is certainly nothing.
    ///
    /// It may show entries outside the range, and it need not show all of them.
    pub(crate) fn iter(
        &self,
        range: &KeyRange,
        mode: ReadMode,
        cache_use: CacheUse,
    ) -> Result<Option<Box<dyn InternalIterator>>> {
        let start = self.find(range.start());
        let end = range.end().map_or(self.tables.len(), |end| {
            self.tables.partition_point(|table| table.smallest() < end)
        });
        match self.tables.get(start..end.max(start)).unwrap_or_default() {
            [] => Ok(None),
            [table] => {
                if let Some(prefix) = range.partition_prefix()
                    && !table.may_contain_partition(prefix, mode)?
                {
                    return Ok(None);
                }
                table.iter(mode, cache_use).map(Some)
            }
            _ => Ok(Some(Box::new(RunIter::new(
                self.clone(),
                start..end,
                mode,
                cache_use,
            )))),
        }
    }

    /// An iterator over all of it.
    pub(crate) fn iter_all(&self, mode: ReadMode, cache_use: CacheUse) -> RunIter {
        RunIter::new(self.clone(), 0..self.tables.len(), mode, cache_use)
    }
}

/// A position in a run. Opens an SSTable when it gets there, and holds one at a time.
pub(crate) struct RunIter {
    run: Run,
    /// The SSTables that it iterates over.
    bounds: Range<usize>,
    mode: ReadMode,
    cache_use: CacheUse,
    /// The SSTable that it is in, by number.
    current: Option<(usize, Box<dyn InternalIterator>)>,
}

impl RunIter {
    fn new(run: Run, bounds: Range<usize>, mode: ReadMode, cache_use: CacheUse) -> RunIter {
        RunIter {
            run,
            bounds,
            mode,
            cache_use,
            current: None,
        }
    }

    /// Enters an SSTable; answers its iterator, or `None` if the number is out of bounds. After an
    /// error it is in none.
    fn enter(&mut self, number: usize) -> Result<Option<&mut Box<dyn InternalIterator>>> {
        if !self.bounds.contains(&number) {
            self.current = None;
            return Ok(None);
        }
        if self
            .current
            .as_ref()
            .is_none_or(|(current, _)| *current != number)
        {
            self.current = None;
            let Some(table) = self.run.tables.get(number) else {
                return Ok(None);
            };
            self.current = Some((number, table.iter(self.mode, self.cache_use)?));
        }
        Ok(self.current.as_mut().map(|(_, iter)| iter))
    }

    /// Goes to the first entry of the next SSTable if it is at none in this one.
    fn leave_forward(&mut self) -> Result<()> {
        // An SSTable is never empty: one step is enough.
        if let Some((number, iter)) = &self.current
            && !iter.valid()
        {
            let next = number + 1;
            if let Some(iter) = self.enter(next)? {
                iter.seek_to_first()?;
            }
        }
        Ok(())
    }

    /// Goes to the last entry of the SSTable before if it is at none in this one.
    fn leave_backward(&mut self) -> Result<()> {
        if let Some((number, iter)) = &self.current
            && !iter.valid()
        {
            match number.checked_sub(1) {
                None => self.current = None,
                Some(previous) => {
                    if let Some(iter) = self.enter(previous)? {
                        iter.seek_to_last()?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl InternalIterator for RunIter {
    fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        let number = self.run.find(target.user).max(self.bounds.start);
        if let Some(iter) = self.enter(number)? {
            iter.seek(target)?;
        }
        self.leave_forward()
    }

    fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        let number = self.run.find(target.user);
        if number >= self.bounds.end {
            return self.seek_to_last();
        }
        if let Some(iter) = self.enter(number)? {
            iter.seek_before(target)?;
        }
        self.leave_backward()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        match self.enter(self.bounds.start)? {
            Some(iter) => iter.seek_to_first(),
            None => Ok(()),
        }
    }

    fn seek_to_last(&mut self) -> Result<()> {
        let Some(last) = self.bounds.end.checked_sub(1) else {
            return Ok(());
        };
        match self.enter(last)? {
            Some(iter) => iter.seek_to_last(),
            None => Ok(()),
        }
    }

    fn next(&mut self) -> Result<()> {
        if let Some((_, iter)) = &mut self.current {
            iter.next()?;
        }
        self.leave_forward()
    }

    fn prev(&mut self) -> Result<()> {
        if let Some((_, iter)) = &mut self.current {
            iter.prev()?;
        }
        self.leave_backward()
    }

    fn valid(&self) -> bool {
        self.current.as_ref().is_some_and(|(_, iter)| iter.valid())
    }

    fn key(&self) -> InternalKeyRef<'_> {
        match &self.current {
            Some((_, iter)) => iter.key(),
            None => InternalKeyRef {
                user: &[],
                trailer: Trailer::FIRST,
            },
        }
    }

    fn value(&self) -> Value {
        self.current
            .as_ref()
            .map(|(_, iter)| iter.value())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::super::table::TableStore;
    use super::*;
    use crate::cache::BlockCache;
    use crate::io::MemoryFs;
    use crate::sstable::{FileMeta, Properties};

    /// A run of SSTables without files, with these first and last keys.
    fn run(bounds: &[(Vec<u8>, Vec<u8>)]) -> Option<Run> {
        let cache = Arc::new(BlockCache::new(0, 1));
        let store = TableStore::new(Arc::new(MemoryFs::new()), "/db".as_ref(), cache);
        let tables = bounds
            .iter()
            .enumerate()
            .map(|(number, (smallest, largest))| {
                let properties = Properties {
                    smallest: Bytes::from(smallest.clone()),
                    largest: Bytes::from(largest.clone()),
                    ..Properties::default()
                };
                let meta = FileMeta {
                    file_id: number as u64,
                    properties,
                    ..FileMeta::default()
                };
                Table::new(meta, Arc::clone(&store))
            });
        Run::new(tables.collect())
    }

    #[test]
    fn overlapping_tables_are_no_run() {
        let bounds = |a: &str, b: &str| (a.as_bytes().to_vec(), b.as_bytes().to_vec());
        assert!(run(&[bounds("c", "d"), bounds("a", "b")]).is_some());
        assert!(run(&[bounds("b", "d"), bounds("a", "b")]).is_none());
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        // Some longer than a fence and equal in it, some shorter.
        (prop::bool::ANY, prop::collection::vec(0u8..3, 0..4)).prop_map(|(long, tail)| {
            if long {
                [vec![1; 15], tail].concat()
            } else {
                tail
            }
        })
    }

    proptest! {
        #[test]
        fn finds_the_table_by_its_last_key(
            keys in prop::collection::btree_set(key(), 0..20), searched in key(), other in key(),
        ) {
            let keys: Vec<_> = keys.into_iter().collect();
            let bounds: Vec<_> = keys
                .chunks_exact(2)
                .map(|pair| (pair[0].clone(), pair[1].clone()))
                .collect();
            let run = run(&bounds).unwrap();
            let expected = bounds.iter().position(|(_, largest)| *largest >= searched);
            prop_assert_eq!(run.find(&searched), expected.unwrap_or(bounds.len()));

            let (from, to) = (searched.clone().min(other.clone()), searched.max(other));
            let overlapping = run.overlapping(&from, &to).iter().map(|t| t.file_id() as usize);
            let expected = bounds
                .iter()
                .enumerate()
                .filter(|(_, (smallest, largest))| *smallest <= to && from <= *largest)
                .map(|(number, _)| number);
            prop_assert!(overlapping.eq(expected));
        }
    }
}
