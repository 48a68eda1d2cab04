//! Generates the operations and shapes of the API from the service models in `model/`.
//!
//! What is generated lands in the build's own folder and is included by `src/wire/` and `src/validation/`: one new model is
//! one new data file. What the service does and its public model does not say is in
//! `model/service.json`.

#[path = "build/constraints.rs"]
mod constraints;
#[path = "build/members.rs"]
mod members;
#[path = "build/model.rs"]
mod model;
#[path = "build/operations.rs"]
mod operations;
#[path = "build/shapes.rs"]
mod shapes;
#[path = "build/types.rs"]
mod types;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=model");
    let out = env::var("OUT_DIR")?;
    let model = model::Model::load(Path::new("model"))?;
    let write = |name: &str, text: String| fs::write(Path::new(&out).join(name), text);
    write("operation.rs", operations::generate(&model)?)?;
    write("shapes.rs", shapes::generate(&model)?)?;
    write("constraints.rs", constraints::generate(&model)?)?;
    let served = Path::new("model/members.json");
    write("members.rs", members::generate(&model, served)?)?;
    Ok(())
}
