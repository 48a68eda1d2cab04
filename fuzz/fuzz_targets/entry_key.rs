//! Values in keys: what decodes encodes to what it was decoded from.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("entry_key", input));
