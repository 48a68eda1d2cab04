//! Table definitions in the catalog: what decodes comes back from its own encoding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stator::table::Record;

fuzz_target!(|input: &[u8]| {
    let Ok(record) = Record::decode(input) else {
        return;
    };
    let bytes = record.encode().expect("what was decoded encodes");
    assert_eq!(Record::decode(&bytes).ok(), Some(record));
});
