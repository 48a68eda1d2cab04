//! Stream records in the log: what decodes comes back from its own encoding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stator::streams::ChangeRecord;

fuzz_target!(|input: &[u8]| {
    let Ok(record) = ChangeRecord::decode(input.to_vec().into()) else {
        return;
    };
    assert_eq!(record.encode(), input, "there is one encoding");
});
