//! Whether the database accepts writes, and why not.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::sync::ArcSwapOption;

/// Set once, by the first thing that went wrong.
#[derive(Default)]
pub(super) struct Health {
    failure: ArcSwapOption<Error>,
}

impl Health {
    /// Fails if writes are refused.
    pub(super) fn check(&self) -> Result<()> {
        match &*self.failure.load() {
            None => Ok(()),
            Some(failure) => Err(Error::clone(failure)),
        }
    }

    /// Refuses writes from now on. Of several reasons the first one stays: the others follow from
    /// it. Answers whether it was this one.
    pub(super) fn fail(&self, failure: Error) -> bool {
        let failure = Some(Arc::new(failure));
        let before = self.failure.compare_and_swap(&None::<Arc<Error>>, failure);
        before.is_none()
    }
}

/// A failure as the reason for being read-only.
pub(super) fn read_only(reason: impl std::fmt::Display) -> Error {
    Error::ReadOnly {
        reason: Arc::from(reason.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays() {
        let health = Health::default();
        assert!(health.check().is_ok());
        assert!(health.fail(read_only("the disk is on fire")));
        assert!(!health.fail(Error::Closed));
        let Err(Error::ReadOnly { reason }) = health.check() else {
            panic!("not read-only")
        };
        assert_eq!(&*reason, "the disk is on fire");
    }
}
