//! The command line of the `stator` binary: options, the banner, signals, exit codes.
//!
//! Exit codes: 0 after a clean stop, 1 when the server could not start or did not close cleanly,
//! 2 for a command line that makes no sense, and 128 plus the signal's number when a second signal
//! did not want to wait. Those of `stator torture` and
//! `stator verify` and `stator salvage` are in their own files.

mod arguments;
mod banner;
mod bench;
mod credentials;
mod salvage;
mod serve;
mod signals;
#[cfg(test)]
mod tests;
mod torture;
mod verify;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Command, CommandLine};

/// Why a command could not be carried out: one sentence, for a person.
#[derive(Debug, PartialEq, Eq)]
struct Failure(String);

/// Runs the command that `arguments` (with the program's name first) ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command_line = match CommandLine::try_parse_from(arguments::translate(arguments)) {
        Ok(command_line) => command_line,
        Err(error) => {
            // What was asked for (help, version) goes to stdout with 0, the rest to stderr with 2.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let outcome = match command_line.command() {
        Command::Serve(arguments) => arguments.options().and_then(serve::serve),
        Command::Bench(options) => bench::bench(*options),
        Command::Torture(arguments) => return torture::torture(&arguments),
        Command::Salvage(arguments) => return salvage::salvage(&arguments),
        Command::Verify(arguments) => return verify::verify(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(sentence)) => {
            let _ = writeln!(std::io::stderr(), "stator: {sentence}");
            ExitCode::FAILURE
        }
    }
}
