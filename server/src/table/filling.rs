//! Whether an index lacks entries of items that were there before it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Whether an index that was added to a table, a secondary one or that of what expires, may lack
/// entries of items that are older than itself. All views of the table share it; on disk it is the
/// row [`crate::store::system::backfill`].
#[derive(Debug)]
pub struct Filling(AtomicBool);

impl Filling {
    /// Of an index that lacks some, or none.
    pub(super) fn new(pending: bool) -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(pending)))
    }

    /// Whether it may lack some.
    pub fn is_pending(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// It has all its entries, durably. Not taken back.
    pub fn finish(&self) {
        self.0.store(false, Ordering::Release);
    }
}
