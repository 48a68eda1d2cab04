//! Compaction: choosing which SSTables to merge, and merging them in small steps.
