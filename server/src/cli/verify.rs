//! `stator verify`: whether the data in a directory is as it was written.
//!
//! Exit codes: 0 when it is, 1 when something is damaged, 2 for a command line that makes no sense
//! and when it could not be looked at: a server runs on it, or there is none.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::store::offline::{self, Corruption, Leftover, Verified};

/// Something is damaged.
pub(super) const DAMAGED: u8 = 1;
/// It could not be looked at.
pub(super) const IMPOSSIBLE: u8 = 2;

#[derive(Args, Debug)]
pub(super) struct VerifyArguments {
    /// Directory that holds the tables, of a server that does not run
    #[arg(value_name = "DIRECTORY")]
    dir: PathBuf,
    /// Say what was found as one JSON document on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn verify(arguments: &VerifyArguments) -> ExitCode {
    let bar = bar();
    let verified = offline::verify(&arguments.dir, &mut |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let (text, code) = match verified {
        Ok(found) if arguments.json => (format!("{:#}\n", document(&found)), code(&found)),
        Ok(found) => (report(&arguments.dir, &found), code(&found)),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "stator: {error}");
            return ExitCode::from(IMPOSSIBLE);
        }
    };
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}

/// A bar on a terminal, and nothing elsewhere.
pub(super) fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:40} {bytes} of {total_bytes}, {eta} left";
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn code(found: &Verified) -> u8 {
    match found.damage.is_empty() {
        true => 0,
        false => DAMAGED,
    }
}

fn report(dir: &Path, found: &Verified) -> String {
    let mut text = String::new();
    for Corruption {
        file,
        offset,
        expected,
        found,
    } in &found.damage
    {
        let _ = writeln!(
            text,
            "damaged: {} at offset {offset}\n  expected {expected}\n  found    {found}",
            file.display()
        );
    }
    for Leftover { file, reason } in &found.leftovers {
        let _ = writeln!(text, "not needed: {}: {reason}", file.display());
    }
    let _ = writeln!(
        text,
        "{}: {} SSTables with {} entries, {} commits in the log, {} bytes read: {}",
        dir.display(),
        found.sstables,
        found.entries,
        found.commits,
        found.size,
        match found.damage.len() {
            0 => "all as it was written".to_owned(),
            count => format!("damaged in {count} places"),
        }
    );
    text
}

fn document(found: &Verified) -> Value {
    let damage = found.damage.iter().map(|damage| {
        json!({
            "file": damage.file.display().to_string(),
            "offset": damage.offset,
            "expected": damage.expected,
            "found": damage.found,
        })
    });
    let leftovers = found
        .leftovers
        .iter()
        .map(|left| json!({"file": left.file.display().to_string(), "reason": left.reason}));
    json!({
        "sound": found.damage.is_empty(),
        "damage": damage.collect::<Vec<Value>>(),
        "not_needed": leftovers.collect::<Vec<Value>>(),
        "sstables": found.sstables,
        "entries": found.entries,
        "commits": found.commits,
        "bytes_read": found.size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told_with_file_offset_and_what_should_be_there() {
        let mut found = Verified::default();
        assert_eq!(code(&found), 0);
        assert!(report(Path::new("/d"), &found).ends_with("all as it was written\n"));
        found.damage.push(Corruption {
            file: "/d/7.sst".into(),
            offset: 9,
            expected: "a block".into(),
            found: "noise".into(),
        });
        assert_eq!(code(&found), DAMAGED);
        let text = report(Path::new("/d"), &found);
        assert!(
            text.starts_with(
                "damaged: /d/7.sst at offset 9\n  expected a block\n  found    noise\n"
            )
        );
        assert_eq!(document(&found)["damage"][0]["offset"], 9);
        assert_eq!(document(&found)["sound"], false);
    }
}
