//! The command line of the `stator` binary.
