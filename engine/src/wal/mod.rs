//! The write-ahead log: groups of commits, written and synced once each.
