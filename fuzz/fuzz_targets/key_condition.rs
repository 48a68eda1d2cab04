//! Key conditions: parsed, bound, and matched with key schemas.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("key_condition", input));
