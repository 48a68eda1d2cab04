//! io_uring where there is none: on any system but Linux.

use std::fs::File;
use std::io;

/// What is to be done behind a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing.
    Nothing,
    /// `fdatasync`.
    Sync,
}

/// Which of the two has failed, and how.
pub(super) struct Failed {
    pub(super) operation: &'static str,
    pub(super) error: io::Error,
}

/// There are none.
pub(super) enum Rings {}

impl Rings {
    pub(super) fn new() -> io::Result<Rings> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn write(&self, _: &File, _: &[u8], _: u64, _: Then) -> Result<(), Failed> {
        match *self {}
    }
}
