//! The manifest, recovered from.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("manifest", input));
