//! Updates: parsed, printed and parsed again, bound, and applied; the item that comes of one
//! verifies in full.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("update", input));
