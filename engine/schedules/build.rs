//! Switches the engine to shuttle's primitives: see `engine/src/sync`.

fn main() {
    println!("cargo:rustc-cfg=stator_schedules");
}
