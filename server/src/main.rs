//! The `stator` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    stator::cli::run(std::env::args_os())
}
