//! The block cache: decompressed blocks, shared by all SSTables.
