//! The database: open, recovery, commit, read, snapshot and transaction.
