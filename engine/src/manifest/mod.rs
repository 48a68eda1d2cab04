//! The manifest: which files make up the database, as a log of edits.
