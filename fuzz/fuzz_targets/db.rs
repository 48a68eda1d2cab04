//! The whole engine against its model: work, crashes and damage as the input says.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("db", input));
