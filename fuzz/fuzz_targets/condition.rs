//! Conditions and filters: parsed, printed and parsed again, bound and evaluated.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("condition", input));
