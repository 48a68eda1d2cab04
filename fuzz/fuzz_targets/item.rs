//! Stored items: what the store accepts can be looked at in every way, and what verifies in full is
//! canonical, so that it comes back the same from its JSON and from its tree.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("item", input));
