//! Definitions of streams in the catalog: what decodes comes back from its own encoding.

use stator::streams::Definition;

pub(crate) fn run(input: &[u8]) {
    let Ok(definition) = Definition::decode(input) else {
        return;
    };
    let bytes = definition.encode().expect("what was decoded encodes");
    assert_eq!(Definition::decode(&bytes).ok(), Some(definition));
}
