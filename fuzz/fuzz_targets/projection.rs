//! Projections: parsed, printed and parsed again, bound, and applied; what is projected verifies in
//! full, and projecting it again changes nothing but the places of list elements.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("projection", input));
