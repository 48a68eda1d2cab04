//! How many instructions a request takes, counted by callgrind, how often it asks for memory, and whether
//! either has become more.
//!
//! `cargo bench -p stator-benches --bench instructions` counts and compares with [`recorded.txt`]; more than
//! 3 % above its instructions is a failure, and so is one allocation more. `STATOR_REWRITE=1` records what
//! there is now. Without valgrind no instructions are counted, and a line says so.
//!
//! This program runs itself under callgrind, once with so many requests and once with twice as many: the
//! difference is what those in between took, without start and end. Each is run several times, and the least
//! counts. Processor, allocator and time play no part, so that a loaded machine counts the same. Each path runs on one thread, but for the engine's own.
//!
//! [`recorded.txt`]: recorded.txt

mod count;
mod counting;
mod path;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path as FilePath;
use std::process::ExitCode;

use counting::Counting;
use path::Path;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What may be added before it counts as more, in percent. The same build counts the same within a few per
/// mille; this leaves room for another machine of the same kind.
const TOLERANCE_PERCENT: f64 = 3.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [count::CHILD, name, requests] => path::run(name, requests),
        _ => check(),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What one request takes.
struct Costs {
    /// Nothing where they can't be counted.
    instructions: Option<u64>,
    allocations: u64,
}

/// Counts all paths, and compares.
fn check() -> Result<ExitCode, Box<dyn Error>> {
    let file = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("instructions/recorded.txt");
    let recorded = std::fs::read_to_string(&file)?;
    let counts_instructions = count::is_possible();
    if !counts_instructions {
        println!("skipped: instructions are counted by valgrind, which is not installed");
    }
    let (mut passed, mut failed) = (0, 0);
    let mut now = String::from(HEADER);
    for path in Path::ALL {
        let counted = Costs {
            instructions: counts_instructions
                .then(|| count::count(path))
                .transpose()?,
            allocations: count::allocations(path)?,
        };
        let known = known(&recorded, path)?;
        let instructions = counted.instructions.unwrap_or_default();
        let allocations = counted.allocations;
        writeln!(now, "{:12} {instructions:>9} {allocations:>6}", path.name())?;
        match compare(&counted, known) {
            Ok(verdict) => {
                passed += 1;
                println!("{:12} {verdict}", path.name());
            }
            Err(complaint) => {
                failed += 1;
                println!("{:12} {complaint}  FAILED", path.name());
            }
        }
    }
    if counts_instructions && std::env::var_os("STATOR_REWRITE").is_some() {
        std::fs::write(&file, now)?;
        println!("recorded in {}", file.display());
        return Ok(ExitCode::SUCCESS);
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {passed} passed; {failed} failed");
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// What stands at the head of the file.
const HEADER: &str = "\
# Instructions for each request by callgrind, and allocations. Written by
# STATOR_REWRITE=1 cargo bench -p stator-benches --bench instructions
";

/// What is recorded of a path: instructions and allocations.
fn known(recorded: &str, path: Path) -> Result<Option<(u64, u64)>, std::num::ParseIntError> {
    let mut lines = recorded.lines().map(str::split_whitespace);
    let line = lines.find_map(|mut words| (words.next() == Some(path.name())).then_some(words));
    let Some(mut words) = line else {
        return Ok(None);
    };
    let mut number = || words.next().unwrap_or_default().parse();
    Ok(Some((number()?, number()?)))
}

/// What the comparison says; an error if there is more than is recorded.
fn compare(counted: &Costs, known: Option<(u64, u64)>) -> Result<String, String> {
    let allocations = counted.allocations;
    let Some((known_instructions, known_allocations)) = known else {
        let instructions = counted.instructions.unwrap_or_default();
        return Err(format!(
            "{instructions} instructions, {allocations} allocations: not recorded"
        ));
    };
    let mut text = format!("{allocations} allocations (recorded {known_allocations})");
    let mut more = allocations > known_allocations;
    let mut less = allocations < known_allocations;
    if let Some(instructions) = counted.instructions {
        let percent = (instructions as f64 / known_instructions as f64 - 1.0) * 100.0;
        more |= percent > TOLERANCE_PERCENT;
        less |= percent < -TOLERANCE_PERCENT;
        text = format!(
            "{instructions} instructions (recorded {known_instructions}, {percent:+.2} %), {text}"
        );
    }
    if more {
        return Err(text);
    }
    if less {
        text.push_str("  less: record it with STATOR_REWRITE=1");
    }
    Ok(text)
}
