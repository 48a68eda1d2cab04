//! An iterator over a sorted list.

#[cfg(test)]
use std::collections::BTreeMap;

use super::InternalIterator;
use crate::Value;
use crate::error::Result;
use crate::key::{InternalKey, InternalKeyRef, Trailer};

/// Entries in order, and a position among them.
pub(crate) struct SortedIter {
    entries: Vec<(InternalKey, Value)>,
    /// No entry has this number if it is at none.
    at: usize,
}

impl SortedIter {
    /// Takes entries in order, no two with the same key.
    pub(crate) fn from_sorted(entries: Vec<(InternalKey, Value)>) -> SortedIter {
        SortedIter {
            at: entries.len(),
            entries,
        }
    }

    #[cfg(test)]
    pub(crate) fn new(entries: &BTreeMap<InternalKey, Value>) -> SortedIter {
        let entries = entries
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()));
        SortedIter::from_sorted(entries.collect())
    }

    fn place(&self, target: InternalKeyRef<'_>) -> usize {
        self.entries
            .partition_point(|(key, _)| key.as_ref() < target)
    }
}

impl InternalIterator for SortedIter {
    fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.at = self.place(target);
        Ok(())
    }

    fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.at = self.place(target).wrapping_sub(1);
        Ok(())
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.at = 0;
        Ok(())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.at = self.entries.len().wrapping_sub(1);
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        if self.valid() {
            self.at += 1;
        }
        Ok(())
    }

    fn prev(&mut self) -> Result<()> {
        if self.valid() {
            self.at = self.at.wrapping_sub(1);
        }
        Ok(())
    }

    fn valid(&self) -> bool {
        self.at < self.entries.len()
    }

    fn key(&self) -> InternalKeyRef<'_> {
        match self.entries.get(self.at) {
            Some((key, _)) => key.as_ref(),
            None => InternalKeyRef {
                user: &[],
                trailer: Trailer::FIRST,
            },
        }
    }

    fn value(&self) -> Value {
        self.entries
            .get(self.at)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }
}
