//! The `stator` binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request takes some twenty small allocations, most of them hyper's: with this they cost half of what
/// they do with glibc's. Without huge pages, so that an idle server stays small.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    stator::cli::run(std::env::args_os())
}
