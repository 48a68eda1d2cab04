//! Items in requests: what is accepted verifies in full, and its JSON gives the same item again.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("item_json", input));
