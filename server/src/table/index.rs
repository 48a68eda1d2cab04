//! The tables in memory, by name and namespace, for readers that take no lock.

use std::{hash::BuildHasher, ops::Deref, sync::Arc};

use arc_swap::{ArcSwap, Guard};
use xxhash_rust::xxh3::Xxh3Builder;

use super::{Namespace, Table};

/// Tables of one stripe, sorted by name and namespace.
type Stripe = Vec<Arc<Table>>;

/// All tables, in stripes that are each replaced as a whole.
pub(super) struct TableIndex {
    stripes: Box<[ArcSwap<Stripe>]>,
}

/// A table that was found. It does not keep the table alive for others, and is not to be kept for longer
/// than a request takes: what it holds instead of a reference is one of a few places of its thread.
pub struct Found {
    stripe: Guard<Arc<Stripe>>,
    place: usize,
}

impl Deref for Found {
    type Target = Arc<Table>;

    #[expect(
        clippy::indexing_slicing,
        reason = "the table was found at this place of this very list, which never changes"
    )]
    fn deref(&self) -> &Arc<Table> {
        &self.stripe[self.place]
    }
}

impl TableIndex {
    /// In so many parts. Copying one is a small part of what a change costs, even where there are as many
    /// tables as anybody has.
    pub(super) const STRIPES: usize = 64;

    /// Of these tables, of which no two have the same name in the same namespace.
    pub(super) fn new(tables: Vec<Arc<Table>>) -> Self {
        let mut stripes: Vec<Stripe> = (0..Self::STRIPES).map(|_| Stripe::new()).collect();
        for table in tables {
            if let Some(stripe) = stripes.get_mut(Self::stripe(table.name())) {
                put(stripe, table);
            }
        }
        Self {
            stripes: stripes.into_iter().map(ArcSwap::from_pointee).collect(),
        }
    }

    /// Which stripe a table of this name is in.
    pub(super) fn stripe(name: &str) -> usize {
        // As many bits as there are stripes.
        Xxh3Builder::new().hash_one(name) as usize % Self::STRIPES
    }

    fn of(&self, name: &str) -> Option<&ArcSwap<Stripe>> {
        self.stripes.get(Self::stripe(name))
    }

    /// The table of this name.
    pub(super) fn find(&self, namespace: &Namespace, name: &str) -> Option<Found> {
        let stripe = self.of(name)?.load();
        let place = search(&stripe, namespace, name).ok()?;
        Some(Found { stripe, place })
    }

    /// Looks at all tables, in no order. What is changed meanwhile is seen as it was or as it is.
    pub(super) fn for_each(&self, mut look: impl FnMut(&Arc<Table>)) {
        for stripe in &self.stripes {
            stripe.load().iter().for_each(&mut look);
        }
    }

    /// Adds a table, or replaces the view of it.
    pub(super) fn insert(&self, table: Arc<Table>) {
        if let Some(stripe) = self.of(table.name()) {
            stripe.rcu(|stripe| {
                let mut changed = Stripe::clone(stripe);
                put(&mut changed, Arc::clone(&table));
                changed
            });
        }
    }

    /// Forgets a table.
    pub(super) fn remove(&self, namespace: &Namespace, name: &str) {
        if let Some(stripe) = self.of(name) {
            stripe.rcu(|stripe| {
                let mut changed = Stripe::clone(stripe);
                if let Ok(place) = search(&changed, namespace, name) {
                    changed.remove(place);
                }
                changed
            });
        }
    }
}

fn put(stripe: &mut Stripe, table: Arc<Table>) {
    match search(stripe, table.namespace(), table.name()) {
        Ok(place) => {
            if let Some(there) = stripe.get_mut(place) {
                *there = table;
            }
        }
        Err(place) => stripe.insert(place, table),
    }
}

/// Where the table of this name is, or would be.
fn search(stripe: &Stripe, namespace: &Namespace, name: &str) -> Result<usize, usize> {
    stripe.binary_search_by(|table| {
        let by_name = table.name().cmp(name);
        by_name.then_with(|| table.namespace().cmp(namespace))
    })
}
