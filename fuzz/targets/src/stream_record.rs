//! Stream records in the log: what decodes comes back from its own encoding.

use stator::streams::ChangeRecord;

pub(crate) fn run(input: &[u8]) {
    let Ok(record) = ChangeRecord::decode(input.to_vec().into()) else {
        return;
    };
    assert_eq!(record.encode(), input, "there is one encoding");
}
