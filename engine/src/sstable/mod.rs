//! SSTables: immutable sorted files of blocks.

mod block;
