//! Requests, one after the other, on a Stator in memory that has a table with indexes: the first
//! byte of each line chooses the operation, the rest is its body.
//!
//! No answer is a failure of ours, every answer is JSON, and in the end the indexes hold exactly
//! the items of the table that have the index's keys.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("operation", input));
