//! The whole engine against its model: what the input says is done to a database of the simulation,
//! with power cuts, faults of the disk, damage and reopenings, as in `engine/torture`.

use stator_torture::Script;

pub(crate) fn run(input: &[u8]) {
    let script = Script::from_bytes(input);
    if let Err(failure) = stator_torture::run(&script) {
        panic!("{failure}\n{script:#?}");
    }
}
