//! Which items are part of a transaction that is not over.
//!
//! The store's locks are held for microseconds and make whoever comes second wait; they are what
//! makes transactions serializable. DynamoDB does not let anybody wait: who meets an item of a
//! transaction that is in progress is turned away (developer guide, "Transaction conflict handling in
//! DynamoDB"). A transaction is in progress from when it claims its items, all of them before it
//! looks at any, until it is durable.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use xxhash_rust::xxh3::Xxh3Builder;

use crate::store::Key;

/// A power of two. Two transactions on different items wait for each other's hash table one time in
/// so many.
const SHARDS: usize = 64;

type Shard = Mutex<HashSet<Key, Xxh3Builder>>;

/// The items of all transactions in progress. Clones are the same.
#[derive(Clone)]
pub struct Claims {
    shared: Arc<Shared>,
}

struct Shared {
    /// Transactions in progress. Mostly there is none, and who only asks need not look further.
    transactions: AtomicUsize,
    shards: Box<[Shard]>,
}

/// The items of one transaction, claimed until this is dropped.
pub struct Claim {
    shared: Arc<Shared>,
    keys: Vec<Key>,
}

impl Claims {
    /// No transaction is in progress.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                transactions: AtomicUsize::new(0),
                shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            }),
        }
    }

    /// Whether the item at `key` is part of a transaction in progress.
    pub fn holds(&self, key: &Key) -> bool {
        self.shared.transactions.load(Ordering::Acquire) > 0
            && self
                .shared
                .shard(key)
                .is_some_and(|shard| shard.lock().contains(key))
    }

    /// Claims all of `keys`, no two of which are the same, or says of each whether it is another
    /// transaction's.
    ///
    /// They are claimed in one order, and none behind one that is taken: of transactions that meet,
    /// the one whose claim is the furthest in that order goes on, so that they cannot turn each other
    /// away until nobody is left.
    pub fn claim(&self, keys: &[&Key]) -> Result<Claim, Vec<bool>> {
        let mut order: Vec<(usize, &Key)> = keys.iter().copied().enumerate().collect();
        order.sort_unstable_by_key(|(_, key)| *key);
        self.shared.transactions.fetch_add(1, Ordering::AcqRel);
        let mut claim = Claim {
            shared: Arc::clone(&self.shared),
            keys: Vec::with_capacity(keys.len()),
        };
        let mut taken = vec![false; keys.len()];
        let mut free = true;
        for (place, key) in order {
            if free && self.shared.insert(key) {
                claim.keys.push(key.clone());
                continue;
            }
            // The first conflict was seen by the attempt itself: asked again, the other transaction
            // may be over, and there would be a refusal without a reason.
            let conflict = free || self.shared.contains(key);
            free = false;
            if let Some(taken) = taken.get_mut(place) {
                *taken = conflict;
            }
        }
        // What was claimed before a conflict is given back here.
        if free { Ok(claim) } else { Err(taken) }
    }
}

impl Default for Claims {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    fn shard(&self, key: &Key) -> Option<&Shard> {
        // As many as there are shards.
        self.shards.get(key.hash64() as usize % SHARDS)
    }

    fn insert(&self, key: &Key) -> bool {
        self.shard(key)
            .is_some_and(|shard| shard.lock().insert(key.clone()))
    }

    fn contains(&self, key: &Key) -> bool {
        self.shard(key)
            .is_some_and(|shard| shard.lock().contains(key))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        for key in &self.keys {
            if let Some(shard) = self.shared.shard(key) {
                shard.lock().remove(key);
            }
        }
        self.shared.transactions.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::KeyspaceId;

    fn keys(names: &[u8]) -> Vec<Key> {
        names
            .iter()
            .map(|name| Key::new(KeyspaceId(2000), &[*name], b""))
            .collect()
    }

    fn claim(claims: &Claims, names: &[u8]) -> Result<Claim, Vec<bool>> {
        claims.claim(&keys(names).iter().collect::<Vec<_>>())
    }

    #[test]
    fn each_item_is_one_transactions_until_it_is_over() {
        let claims = Claims::new();
        let held = claim(&claims, &[1, 2]).ok().unwrap();
        assert_eq!(
            claim(&claims, &[3, 2, 4, 1]).err(),
            Some(vec![false, true, false, true])
        );
        assert!(
            claim(&claims, &[3, 4]).is_ok(),
            "a failed claim holds nothing"
        );
        let [one, three] = [&keys(&[1])[0], &keys(&[3])[0]];
        assert!(claims.holds(one) && !claims.holds(three));
        drop(held);
        assert!(!claims.holds(one));
        assert!(claim(&claims, &[1, 2, 3]).is_ok());
    }

    #[test]
    fn of_transactions_that_meet_one_goes_on() {
        let claims = Claims::new();
        let running = AtomicUsize::new(0);
        let rounds = 200;
        let barrier = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            // Each shares one item with each other: at most one of them can hold its two, and the
            // barrier keeps what is claimed until all have tried.
            for names in [[1, 2], [2, 3], [3, 1]] {
                let (claims, running, barrier) = (&claims, &running, &barrier);
                scope.spawn(move || {
                    for _ in 0..rounds {
                        barrier.wait();
                        let mine = claim(claims, &names);
                        running.fetch_add(usize::from(mine.is_ok()), Ordering::SeqCst);
                        barrier.wait();
                        drop(mine);
                    }
                });
            }
        });
        assert_eq!(running.into_inner(), rounds);
    }
}
