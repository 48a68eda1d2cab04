//! PartiQL statements: parsed, bound and applied to an item.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("statement", input));
