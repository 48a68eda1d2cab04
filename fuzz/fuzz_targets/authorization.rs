//! The `Authorization` header, and the query string of presigned requests: two lines, of which the
//! first may be empty.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("authorization", input));
