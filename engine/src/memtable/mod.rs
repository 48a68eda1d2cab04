//! The memtable: recent versions of keys, in memory, in key order.
