//! Why a piece of work on the store came to no answer.

use stator_engine::{Error as EngineError, ErrorKind};

use crate::wire;

/// Why a piece of work on the store came to no answer.
///
/// Work is written with `?` on both kinds. `Store::run` looks for what only would have had to wait,
/// and runs the work again where it may.
#[derive(Debug)]
pub enum Fault {
    /// The store failed, or would have had to wait.
    Store(EngineError),
    /// The request is answered with an error.
    Answer(wire::Error),
}

impl Fault {
    /// Whether the work only has to be done again where it may wait.
    pub fn would_block(&self) -> bool {
        matches!(self, Self::Store(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// The error to answer with.
    pub fn into_error(self) -> wire::Error {
        match self {
            Self::Store(error) => error.into(),
            Self::Answer(error) => error,
        }
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        Self::Store(error)
    }
}

impl From<wire::Error> for Fault {
    fn from(error: wire::Error) -> Self {
        Self::Answer(error)
    }
}

impl From<EngineError> for wire::Error {
    /// The one place where failures of the engine become answers. What happened goes to the log
    /// with all details; the client is told what it can act on.
    fn from(error: EngineError) -> Self {
        match error.kind() {
            ErrorKind::Throttled => {
                tracing::warn!("a write was throttled: {error}");
                // DynamoDB's words for a table that is written to faster than it can take it.
                Self::ProvisionedThroughputExceeded {
                    message: "The level of configured provisioned throughput for the table was \
                              exceeded. Consider increasing your provisioning level with the \
                              UpdateTable API."
                        .into(),
                    reasons: Vec::new(),
                }
            }
            ErrorKind::ReadOnly | ErrorKind::DiskFull => {
                tracing::error!("a write was refused: {error}");
                Self::InternalServer(format!("Stator accepts no writes: {error}").into())
            }
            ErrorKind::Closed => Self::InternalServer("Stator is shutting down".into()),
            ErrorKind::Corruption | ErrorKind::Io => {
                tracing::error!("the store failed: {error}");
                Self::InternalServer(format!("The store failed: {error}").into())
            }
            ErrorKind::WouldBlock
            | ErrorKind::Locked
            | ErrorKind::NotKept
            | ErrorKind::InvalidArgument => {
                tracing::error!("the store was used wrongly: {error}");
                Self::InternalServer("Internal server error".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_waiting_is_tried_again() {
        assert!(Fault::from(EngineError::WouldBlock).would_block());
        assert!(!Fault::from(EngineError::Throttled).would_block());
        assert!(!Fault::from(wire::Error::InternalServer("".into())).would_block());
    }

    #[test]
    fn corruption_is_named_to_the_client() {
        let error = EngineError::corruption("/data/7.sst", 4096, "a block", "zeros");
        let answer = wire::Error::from(error);
        let message = answer.message().unwrap_or_default();
        assert!(
            message.contains("7.sst") && message.contains("4096"),
            "{message}"
        );
        assert_eq!(answer.status(), 500);
    }
}
