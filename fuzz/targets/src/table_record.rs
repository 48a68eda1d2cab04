//! Table definitions in the catalog: what decodes comes back from its own encoding.

use stator::table::Record;

pub(crate) fn run(input: &[u8]) {
    let Ok(record) = Record::decode(input) else {
        return;
    };
    let bytes = record.encode().expect("what was decoded encodes");
    assert_eq!(Record::decode(&bytes).ok(), Some(record));
}
