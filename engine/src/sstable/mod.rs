//! SSTables: immutable sorted files of blocks.
