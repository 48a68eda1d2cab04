//! Bodies of requests, of all operations: decoded, and checked against the constraints of the model
//! in both wordings. The first byte chooses the operation.

use stator::validation::{Wording, check};
use stator::wire::Operation;
use stator::wire::json::Writer;

pub(crate) fn run(input: &[u8]) {
    let Some((first, body)) = input.split_first() else {
        return;
    };
    let operations = Operation::ALL;
    let operation = operations[usize::from(*first) % operations.len()];
    for wording in [Wording::Current, Wording::Older] {
        if let Err(error) = check(operation, body, wording) {
            assert_eq!(error.status(), 400);
            let mut writer = Writer::new();
            error.encode(&mut writer);
        }
    }
}
