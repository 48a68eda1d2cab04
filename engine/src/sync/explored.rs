//! What [`super`] offers, over shuttle's primitives.

use std::ops::Deref;
use std::sync::{Arc, PoisonError};

use shuttle::sync::MutexGuard;
pub(crate) use shuttle::sync::atomic;

/// As `parking_lot`'s.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Mutex(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a pointer was when it was looked at.
pub(crate) struct Guard<T>(T);

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// As `arc-swap`'s.
#[derive(Debug)]
pub(crate) struct ArcSwap<T>(Mutex<Arc<T>>);

impl<T> ArcSwap<T> {
    pub(crate) const fn new(value: Arc<T>) -> Self {
        ArcSwap(Mutex::new(value))
    }

    pub(crate) fn from_pointee(value: T) -> Self {
        Self::new(Arc::new(value))
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        Arc::clone(&self.0.lock())
    }

    pub(crate) fn load(&self) -> Guard<Arc<T>> {
        Guard(self.load_full())
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        let before = std::mem::replace(&mut *self.0.lock(), value);
        drop(before);
    }

    /// Makes a new value of what is there, again if that has changed meanwhile.
    pub(crate) fn rcu<R: Into<Arc<T>>>(&self, mut change: impl FnMut(&Arc<T>) -> R) -> Arc<T> {
        loop {
            let before = self.load_full();
            let after = change(&before).into();
            let mut current = self.0.lock();
            if Arc::ptr_eq(&current, &before) {
                let replaced = std::mem::replace(&mut *current, after);
                drop(current);
                return replaced;
            }
        }
    }
}

/// As `arc-swap`'s.
#[derive(Debug)]
pub(crate) struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

impl<T> Default for ArcSwapOption<T> {
    fn default() -> Self {
        ArcSwapOption(Mutex::new(None))
    }
}

impl<T> ArcSwapOption<T> {
    pub(crate) fn load(&self) -> Guard<Option<Arc<T>>> {
        Guard(self.0.lock().clone())
    }

    pub(crate) fn store(&self, value: Option<Arc<T>>) {
        let before = std::mem::replace(&mut *self.0.lock(), value);
        drop(before);
    }

    /// Sets it if it is what was expected; answers with what it was.
    pub(crate) fn compare_and_swap(
        &self,
        expected: &Option<Arc<T>>,
        value: Option<Arc<T>>,
    ) -> Guard<Option<Arc<T>>> {
        let mut current = self.0.lock();
        let before = current.clone();
        let same = match (&before, expected) {
            (None, None) => true,
            (Some(before), Some(expected)) => Arc::ptr_eq(before, expected),
            _ => false,
        };
        if same {
            *current = value;
        }
        Guard(before)
    }
}
