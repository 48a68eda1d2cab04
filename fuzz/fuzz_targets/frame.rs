//! Framed blocks, compressed or not.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_engine::fuzzing::frame(input));
