//! Definitions of streams in the catalog: what decodes comes back from its own encoding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stator::streams::Definition;

fuzz_target!(|input: &[u8]| {
    let Ok(definition) = Definition::decode(input) else {
        return;
    };
    let bytes = definition.encode().expect("what was decoded encodes");
    assert_eq!(Definition::decode(&bytes).ok(), Some(definition));
});
