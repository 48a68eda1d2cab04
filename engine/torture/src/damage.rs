//! Damage to a copy of a disk, and what may come of it: an error that names the file, or the right
//! answer.

use std::path::{Path, PathBuf};

use stator_engine::io::Simulation;
use stator_engine::{Db, Direction, Error, KeyRange, KeyspaceId, Options, ReadMode};

use crate::check::{Checked, check_all, check_last, read};
use crate::model::Model;
use crate::past::Past;
use crate::run::DIR;
use crate::script::{Damage, DamagedFile};

/// Bytes of a sector.
const SECTOR: usize = 512;

/// What has to be there.
pub(crate) struct State<'a> {
    pub(crate) model: &'a Model,
    pub(crate) past: &'a Past,
    pub(crate) options: &'a Options,
    /// Commits up to this one, if nothing is damaged.
    pub(crate) floor: u64,
    /// Commits up to this one, if the last group of the log is.
    pub(crate) sealed: u64,
}

/// Damages the disk of a machine that was copied for this, and opens the database.
pub(crate) fn check(simulation: &Simulation, damage: &Damage, state: &State<'_>) -> Checked {
    let Some(path) = choose(simulation, damage)? else {
        return Ok(());
    };
    let now_ms = simulation.env().clock.now_ms();
    let mut before = Vec::new();
    let mut tail = false;
    let damaged = simulation.damage(&path, |contents| {
        before.clone_from(contents);
        tail = apply(damage, contents);
    });
    damaged.map_err(|error| error.to_string())?;
    match Db::open(simulation.env(), Path::new(DIR), state.options.clone()) {
        Err(Error::Corruption(_)) => {
            // Refused. Nothing is worse for having tried: mended, it opens.
            simulation.kill();
            let mended = simulation.damage(&path, |contents| *contents = before);
            mended.map_err(|error| error.to_string())?;
            let db = Db::open(simulation.env(), Path::new(DIR), state.options.clone())
                .map_err(|error| format!("mended, it opens no more: {error}"))?;
            let last = db.durable_sequence();
            check_last(last, state.floor, state.model)?;
            let mut model = state.model.clone();
            model.truncate(last);
            state.past.check(&db, &model, now_ms)?;
            check_all(&db, &model)
        }
        Err(error) => Err(format!("{} was damaged: {error}", path.display())),
        Ok(db) => {
            let last = db.durable_sequence();
            let floor = match damage.file {
                // What was appended last can't be told from what was torn.
                DamagedFile::Log => state.sealed,
                DamagedFile::Manifest if tail => 0,
                _ => state.floor,
            };
            check_last(last, floor, state.model)
                .map_err(|seen| format!("{} was damaged: {seen}", path.display()))?;
            let mut model = state.model.clone();
            // The space of a keyspace is given back once its drop is in the log: where damage takes
            // that away again, what was dropped is not all there any more.
            model.leave_out_dropped(last);
            if damage.file == DamagedFile::Manifest && tail {
                model.leave_out_forks();
            }
            model.truncate(last);
            if damage.file != DamagedFile::Manifest || !tail {
                let past = state.past.check(&db, &model, now_ms);
                past.map_err(|seen| format!("{} was damaged: {seen}", path.display()))?;
            }
            right_or_refused(&db, &model, &path)?;
            // Compaction must not make right what was not.
            simulation.run_until_idle();
            right_or_refused(&db, &model, &path)
        }
    }
}

fn choose(simulation: &Simulation, damage: &Damage) -> Checked<Option<PathBuf>> {
    let entries = simulation.env().fs.list(Path::new(DIR));
    let entries = entries.map_err(|error| error.to_string())?;
    let newest_manifest = entries
        .iter()
        .filter(|entry| entry.name.starts_with("MANIFEST-"))
        .map(|entry| entry.name.clone())
        .max();
    let fits = |name: &str| match damage.file {
        DamagedFile::Log => name.ends_with(".wal"),
        DamagedFile::Sstable => name.ends_with(".sst"),
        DamagedFile::Manifest => newest_manifest.as_deref() == Some(name),
        DamagedFile::Current => name == "CURRENT",
    };
    let files: Vec<_> = entries
        .iter()
        .filter(|entry| entry.len > 0 && fits(&entry.name))
        .collect();
    let at = damage.at.0 as usize % files.len().max(1);
    Ok(files.get(at).map(|entry| Path::new(DIR).join(&entry.name)))
}

/// Damages the contents. Answers whether nothing behind it shows that it had been complete: no
/// further record of a manifest.
fn apply(damage: &Damage, contents: &mut [u8]) -> bool {
    // The log is mostly zeros, of which nothing depends on any.
    let used: Vec<usize> = match damage.file {
        DamagedFile::Log => {
            let used = contents.iter().enumerate().filter(|(_, byte)| **byte != 0);
            used.map(|(at, _)| at).collect()
        }
        _ => (0..contents.len()).collect(),
    };
    let Some(at) = used.get(damage.at.1 as usize % used.len().max(1)).copied() else {
        return true;
    };
    let start = at / SECTOR * SECTOR;
    let damaged = if damage.zeros {
        start..contents.len().min(start + SECTOR)
    } else {
        at..at + 1
    };
    // Behind the damage, and not from its start on: what it hits may be the first byte of the last
    // record.
    let behind = contents.get(damaged.end..).unwrap_or_default();
    let tail = !behind.windows(4).any(|window| window == b"EDIT");
    for byte in contents.get_mut(damaged).unwrap_or_default() {
        *byte = if damage.zeros {
            0
        } else {
            *byte ^ (1 << (damage.at.2 % 8))
        };
    }
    tail
}

/// Every read gives what the model has, or an error that names the damaged file.
fn right_or_refused(db: &Db, model: &Model, damaged: &Path) -> Checked {
    let named = |error: Error| match error {
        Error::Corruption(corruption) if corruption.file == damaged => Ok(()),
        error => Err(format!("{} was damaged: {error}", damaged.display())),
    };
    let snapshot = db.snapshot();
    for key in model.keys() {
        match db.get(&key, ReadMode::Blocking) {
            Ok(found) if found == model.get(&key, snapshot.sequence()) => {}
            Ok(_) => {
                return Err(format!(
                    "{} was damaged, and {key:?} has a wrong value",
                    damaged.display()
                ));
            }
            Err(error) => named(error)?,
        }
    }
    let keyspaces: std::collections::BTreeSet<KeyspaceId> =
        model.keys().map(|key| key.keyspace()).collect();
    for keyspace in keyspaces {
        let range = KeyRange::keyspace(keyspace);
        let expected = model.range(&range, snapshot.sequence());
        match read(&snapshot, &range, Direction::Forward) {
            Ok(found) if found == expected => {}
            Ok(_) => {
                return Err(format!(
                    "{} was damaged, and {keyspace:?} reads wrong",
                    damaged.display()
                ));
            }
            Err(error) => named(error)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply_at(at: usize, zeros: bool, contents: &mut [u8]) -> bool {
        let damage = Damage {
            file: DamagedFile::Manifest,
            at: (0, at as u32, 3),
            zeros,
        };
        apply(&damage, contents)
    }

    /// Only a record that begins behind the damage shows that what was damaged had been complete.
    #[test]
    fn the_record_that_is_hit_does_not_vouch_for_itself() {
        let contents = b"EDIT one EDIT two".to_vec();
        for (at, tail) in [(0, false), (8, false), (9, true), (12, true), (16, true)] {
            let mut damaged = contents.clone();
            assert_eq!(apply_at(at, false, &mut damaged), tail, "at {at}");
            let changed = contents.iter().zip(&damaged).filter(|(a, b)| a != b);
            assert_eq!(changed.count(), 1);
        }
        let mut damaged = contents.clone();
        assert!(apply_at(0, true, &mut damaged), "all of it is one sector");
        assert_eq!(damaged, vec![0; contents.len()]);
    }
}
