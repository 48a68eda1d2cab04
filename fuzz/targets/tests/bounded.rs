//! Each target on its seeds, and on a bounded number of inputs that are made of them: without coverage
//! to guide it, but everywhere and every time.
//!
//! `STATOR_FUZZ_INPUTS` says how many inputs each target gets, and `STATOR_SEED` what they are made
//! from.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use stator_fuzz_targets::{ALL, Target};

/// Inputs for each target.
const INPUTS: usize = 4_000;

/// Those of which one input takes milliseconds get so many times fewer.
const SLOW: [(&str, usize); 2] = [("operation", 40), ("db", 10)];

/// As long as an input gets: most of what there is to find is in short ones.
const LONGEST: usize = 4 << 10;

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound.max(1) as u64) as usize
    }

    /// A seed with some things changed.
    fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.pick(seeds);
        for _ in 0..=self.below(6) {
            self.change(&mut input, seeds);
        }
        input.truncate(LONGEST);
        input
    }

    fn pick(&mut self, from: &[Vec<u8>]) -> Vec<u8> {
        let at = self.below(from.len());
        from.get(at).cloned().unwrap_or_default()
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let end = (at + 1 + self.below(8)).min(input.len()).max(at);
        match self.below(7) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..end)),
            2 => {
                let copy = input.get(at..end).unwrap_or_default().to_vec();
                drop(input.splice(at..at, copy));
            }
            3 => {
                let bytes: Vec<u8> = (0..=self.below(4)).map(|_| self.below(256) as u8).collect();
                drop(input.splice(at..at, bytes));
            }
            4 => {
                let other = self.pick(seeds);
                let from = self.below(other.len() + 1);
                let part = other.get(from..).unwrap_or_default().to_vec();
                drop(input.splice(at.., part));
            }
            5 => {
                let telling = [0, 1, 0x7f, 0x80, 0xff, b'0', b'"', b'(', b' ', b'\\'];
                let value = telling.get(self.below(telling.len())).copied();
                if let (Some(byte), Some(value)) = (input.get_mut(at), value) {
                    *byte = value;
                }
            }
            _ => {
                let bit = 1 << self.below(8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bit;
                }
            }
        }
    }
}

fn environment(name: &str, otherwise: usize) -> usize {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Runs a target; answers with how many inputs it got, or with one that does not hold.
fn fuzz(name: &str, target: Target, seed: usize) -> Result<usize, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../seeds")
        .join(name);
    let mut seeds = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| format!("{folder:?}: {error}"))? {
        let read = entry.and_then(|entry| fs::read(entry.path()));
        seeds.push(read.map_err(|error| format!("{folder:?}: {error}"))?);
    }
    // In an order that is the same everywhere.
    seeds.sort();
    let slow = SLOW.iter().find(|(slow, _)| *slow == name);
    let count = environment("STATOR_FUZZ_INPUTS", INPUTS) / slow.map_or(1, |(_, slower)| *slower);
    let mut random = Random(ChaCha8Rng::seed_from_u64(seed as u64));
    let made: Vec<Vec<u8>> = (0..count).map(|_| random.input(&seeds)).collect();
    for input in seeds.iter().chain(&made) {
        catch_unwind(|| target(input)).map_err(|_| {
            let text = String::from_utf8_lossy(input);
            format!("STATOR_SEED={seed}: the target {name} panicked on {input:?}, {text:?}")
        })?;
    }
    Ok(seeds.len() + made.len())
}

/// The target of a name has seeds, is run by libFuzzer too, and holds.
fn check(name: &str) -> Result<(), String> {
    let found = ALL.iter().find(|(known, _)| *known == name);
    let (_, target) = found.ok_or("there is no such target")?;
    let seed = environment("STATOR_SEED", 20_261_122);
    let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz_targets");
    assert!(runner.join(name).with_extension("rs").is_file(), "{name}");
    let count = fuzz(name, *target, seed)?;
    println!("{name}: {count} inputs");
    Ok(())
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test] fn $name() -> Result<(), String> { check(stringify!($name)) })*

        #[test]
        fn all_targets_are_run() {
            let run = [$(stringify!($name),)*];
            for (name, _) in ALL {
                assert!(run.contains(name), "{name} is not run");
            }
        }
    };
}

tests! {
    arn authorization block condition db edit entry_key frame item item_json key key_condition manifest number operation projection request sstable statement stream_definition stream_record table_record update wal
}
