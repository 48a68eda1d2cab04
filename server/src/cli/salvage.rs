//! `stator salvage`: what can be read of damaged data, in a new directory.
//!
//! Exit codes: 0 when everything came along, 1 when something is lost or damaged, 2 for a command line
//! that makes no sense and when it could not be done: a server runs on the directory, there is no data,
//! or the new directory has files or no room.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::verify::{DAMAGED, IMPOSSIBLE, bar};
use crate::store::offline::{self, Lost, Salvaged};

#[derive(Args, Debug)]
pub(super) struct SalvageArguments {
    /// Directory that holds the tables, of a server that does not run; nothing is written to it
    #[arg(value_name = "DIRECTORY")]
    dir: PathBuf,
    /// Directory to write to, empty or not there yet
    #[arg(long, value_name = "NEW")]
    to: PathBuf,
}

pub(super) fn salvage(arguments: &SalvageArguments) -> ExitCode {
    let bar = bar();
    let salvaged = offline::salvage(&arguments.dir, &arguments.to, &mut |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let salvaged = match salvaged {
        Ok(salvaged) => salvaged,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "stator: {error}");
            return ExitCode::from(IMPOSSIBLE);
        }
    };
    let _ = std::io::stdout().write_all(report(&salvaged).as_bytes());
    match salvaged.lost.is_empty() && salvaged.damage.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(DAMAGED),
    }
}

fn report(salvaged: &Salvaged) -> String {
    let mut text = String::new();
    for damage in &salvaged.damage {
        let _ = writeln!(text, "damaged: {damage}");
    }
    for lost in &salvaged.lost {
        let _ = match lost {
            Lost::Keys {
                file,
                offset,
                from,
                until,
            } => {
                let until = until.as_ref().map(|until| until.escape_ascii());
                let until = until.map_or("the end".to_owned(), |until| format!("\"{until}\""));
                let (file, from) = (file.display(), from.escape_ascii());
                writeln!(
                    text,
                    "lost: keys from \"{from}\" to {until}, of {file} at offset {offset}"
                )
            }
            Lost::Commits {
                file,
                offset,
                first,
                last,
            } => writeln!(
                text,
                "lost: commits {first} to {last}, of {} at offset {offset}; what they wrote is as it \
                 was before",
                file.display()
            ),
        };
    }
    for remark in &salvaged.remarks {
        let _ = writeln!(text, "{remark}");
    }
    let _ = writeln!(
        text,
        "saved {} entries and {} commits of the log; left out {} that may be older than what is lost",
        salvaged.entries, salvaged.commits, salvaged.left_out
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_told_with_file_offset_and_keys() {
        let mut salvaged = Salvaged::default();
        salvaged.lost.push(Lost::Keys {
            file: "/d/7.sst".into(),
            offset: 9,
            from: b"a\0".to_vec(),
            until: None,
        });
        let text = report(&salvaged);
        let first = "lost: keys from \"a\\x00\" to the end, of /d/7.sst at offset 9\n";
        assert!(text.starts_with(first), "{text}");
    }
}
