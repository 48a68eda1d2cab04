//! A counter that all cores add to at once, without taking a cache line from one another.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// More than the cores of a machine that this is made for.
const STRIPES: usize = 32;

/// One part of the count, with two cache lines of its own: processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

/// Counts. Each thread adds to one part, which it shares with few others.
#[derive(Default)]
pub(super) struct Hits {
    stripes: [Stripe; STRIPES],
}

impl Hits {
    pub(super) fn add(&self) {
        thread_local! {
            static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
        }
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let stripe = STRIPE.with(|mine| {
            if mine.get() == usize::MAX {
                mine.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
            }
            mine.get()
        });
        if let Some(Stripe(count)) = self.stripes.get(stripe) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> u64 {
        let counts = self.stripes.iter();
        counts
            .map(|Stripe(count)| count.load(Ordering::Relaxed))
            .sum()
    }
}
