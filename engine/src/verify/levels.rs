//! The order of versions over all levels: of any key, what is nearer to the top is newer. A read stops
//! at the first level that has the key, so that what breaks this order hides behind sound checksums.

use crate::error::{Error, Result};
use crate::iter::InternalIterator as _;
use crate::key::InternalKeyRef;
use crate::manifest::{Run, Table, Version};
use crate::sstable::CacheUse;
use crate::{ReadMode, manifest};

/// Goes through all runs at once, and fails at the first version that is not where its age belongs.
/// `on_table` is told of each SSTable once all of it was seen.
pub(super) fn check(version: &Version, on_table: &mut dyn FnMut(&Table)) -> Result<()> {
    let mut sources: Vec<Source<'_>> = version.runs().map(Source::new).collect();
    for source in &mut sources {
        source.iter.seek_to_first()?;
    }
    let mut last: (Vec<u8>, u64, usize) = Default::default();
    loop {
        let first = sources
            .iter()
            .enumerate()
            .filter(|(_, source)| source.iter.valid())
            .min_by(|(_, one), (_, two)| one.iter.key().cmp(&two.iter.key()));
        let Some((place, source)) = first else {
            sources
                .iter_mut()
                .for_each(|source| source.pass(None, on_table));
            return Ok(());
        };
        let key = source.iter.key();
        let (last_user, last_sequence, last_place) = &last;
        // Newest versions come first, and so must the runs that have them.
        if key.user == last_user && (place < *last_place || key.sequence() == *last_sequence) {
            return Err(out_of_place(source, key));
        }
        last.0.clear();
        last.0.extend_from_slice(key.user);
        last.1 = key.sequence();
        last.2 = place;
        if let Some(source) = sources.get_mut(place) {
            source.pass(Some(&last.0), on_table);
            source.iter.next()?;
        }
    }
}

/// A run and where it is.
struct Source<'a> {
    run: &'a Run,
    iter: manifest::RunIter,
    /// Number of the SSTable that it is in.
    at: usize,
}

impl<'a> Source<'a> {
    fn new(run: &'a Run) -> Source<'a> {
        Source {
            run,
            iter: run.iter_all(ReadMode::Blocking, CacheUse::PassBy),
            at: 0,
        }
    }

    /// Tells of the SSTables that end before a user key; of all, if there is none.
    fn pass(&mut self, user_key: Option<&[u8]>, on_table: &mut dyn FnMut(&Table)) {
        while let Some(table) = self.run.tables().get(self.at)
            && user_key.is_none_or(|user_key| table.largest() < user_key)
        {
            on_table(table);
            self.at += 1;
        }
    }
}

fn out_of_place(source: &Source<'_>, key: InternalKeyRef<'_>) -> Error {
    let tables = source.run.overlapping(key.user, key.user);
    let path = tables
        .first()
        .map_or_else(Default::default, |table| table.path());
    Error::corruption(
        path,
        0,
        "versions of a key in the order of the levels, newest first",
        format!("{key:?} above a newer one, or twice"),
    )
}
