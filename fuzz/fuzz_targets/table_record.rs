//! Table definitions in the catalog: what decodes comes back from its own encoding.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("table_record", input));
