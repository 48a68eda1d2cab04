//! Bodies of requests, of all operations: decoded, and checked against the constraints of the model
//! in both wordings. The first byte chooses the operation.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stator_fuzz_targets::run("request", input));
