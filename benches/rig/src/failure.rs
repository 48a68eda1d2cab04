//! Why a run could not be made: one sentence, for a person.

use std::fmt::Display;

/// Why a run could not be made, or not be finished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl Failure {
    /// From a sentence.
    pub fn new(sentence: impl Display) -> Self {
        Self(sentence.to_string())
    }
}

/// Puts what was being done before the words of an error.
pub(crate) trait Doing<T> {
    /// `what` failed.
    fn doing(self, what: impl Display) -> Result<T, Failure>;
}

impl<T, E: Display> Doing<T> for Result<T, E> {
    fn doing(self, what: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("{what}: {error}.")))
    }
}
