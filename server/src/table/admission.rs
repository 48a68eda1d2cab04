//! How many tables there are, and what is promised to changes that are not done yet: so that a quota
//! holds, however many requests come at once.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::{Namespace, Table, TableStatus};

/// How many tables there are, or how many more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// All.
    pub tables: usize,
    /// Those that are being created, updated or deleted.
    pub changing: usize,
    /// Those with secondary indexes that are being created.
    pub creating_indexed: usize,
    /// Provisioned capacity of all tables and their indexes, in units to read.
    pub read_units: i64,
    /// The same in units to write.
    pub write_units: i64,
}

impl Census {
    /// Of one table.
    pub(super) fn of(table: &Table, now_ms: u64) -> Self {
        let status = table.status(now_ms);
        let indexed = !table.indexes().is_empty();
        let (read_units, write_units) = table.record().provisioned();
        Self {
            tables: 1,
            changing: usize::from(status != TableStatus::Active),
            creating_indexed: usize::from(status == TableStatus::Creating && indexed),
            read_units,
            write_units,
        }
    }

    /// Of these and those.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            tables: self.tables + other.tables,
            changing: self.changing + other.changing,
            creating_indexed: self.creating_indexed + other.creating_indexed,
            read_units: self.read_units + other.read_units,
            write_units: self.write_units + other.write_units,
        }
    }

    /// What of this exceeds `other`: what there is less of counts for nothing.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self {
            tables: self.tables.saturating_sub(other.tables),
            changing: self.changing.saturating_sub(other.changing),
            creating_indexed: self.creating_indexed.saturating_sub(other.creating_indexed),
            read_units: (self.read_units - other.read_units).max(0),
            write_units: (self.write_units - other.write_units).max(0),
        }
    }
}

/// What changes have been promised that are not in the catalog yet, by namespace.
#[derive(Default)]
pub(super) struct Admission {
    promised: Mutex<HashMap<Namespace, Census>>,
}

impl Admission {
    /// Promises `more` tables, if `check` agrees to them: it is given what `count` finds together with
    /// what has been promised to others, and `more`.
    ///
    /// # Errors
    /// Those of `check`.
    pub(super) fn promise<E>(
        &self,
        namespace: &Namespace,
        more: Census,
        count: impl FnOnce() -> Census,
        check: impl FnOnce(Census, Census) -> Result<(), E>,
    ) -> Result<Promise<'_>, E> {
        let mut promised = self.promised.lock();
        let others = promised.get(namespace).copied().unwrap_or_default();
        check(count().plus(others), more)?;
        promised.insert(namespace.clone(), others.plus(more));
        Ok(Promise {
            admission: self,
            namespace: namespace.clone(),
            more,
        })
    }
}

/// A promise, until it is kept or dropped.
pub(super) struct Promise<'a> {
    admission: &'a Admission,
    namespace: Namespace,
    more: Census,
}

impl Promise<'_> {
    /// Makes what was promised show in the catalog: at no time is it counted twice, or not at all.
    pub(super) fn keep(mut self, show: impl FnOnce()) {
        let admission = self.admission;
        let mut promised = admission.promised.lock();
        show();
        self.release(&mut promised);
    }

    fn release(&mut self, promised: &mut HashMap<Namespace, Census>) {
        let more = std::mem::take(&mut self.more);
        if let Some(all) = promised.get_mut(&self.namespace) {
            *all = all.beyond(more);
            if *all == Census::default() {
                promised.remove(&self.namespace);
            }
        }
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        if self.more != Census::default() {
            let admission = self.admission;
            self.release(&mut admission.promised.lock());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_is_promised_counts_until_it_is_kept_or_dropped() {
        let admission = Admission::default();
        let namespace = Namespace::new("1", "r");
        let one = Census {
            tables: 1,
            read_units: 5,
            ..Census::default()
        };
        let made = Cell::new(0);
        let count = || Census {
            tables: made.get(),
            ..Census::default()
        };
        let promise = || {
            admission.promise(&namespace, one, count, |there, more| {
                let tables = there.tables + more.tables;
                if tables <= 2 { Ok(()) } else { Err(tables) }
            })
        };
        let first = promise().ok().unwrap();
        let second = promise().ok().unwrap();
        assert_eq!(promise().err(), Some(3), "two are promised");
        first.keep(|| made.set(1));
        assert_eq!(promise().err(), Some(3), "one is there and one promised");
        drop(second);
        promise().ok().unwrap().keep(|| made.set(2));
        assert_eq!(promise().err(), Some(3), "two are there");
        assert!(admission.promised.lock().is_empty());
    }
}
