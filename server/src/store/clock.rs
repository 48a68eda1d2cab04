//! Whose time it is: the system's, or that of somebody who drives the clock.
//!
//! A clock that is driven never goes back, not even over a restart: where it stands is a row of the
//! catalog, which is durable before anybody sees the new time. A store that was last written to by
//! the system's clock begins where that was, at the earliest.

use std::sync::Arc;

use stator_engine::{Batch, Db, Env, Error as EngineError, ReadMode, io::ManualClock};
use thiserror::Error;

use super::{Store, system};
use crate::wire;

/// Which clock a store runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockMode {
    /// That of its [`Env`].
    #[default]
    System,
    /// One that stands until [`Store::set_clock`] moves it.
    Manual {
        /// Where it starts, in Unix milliseconds, if the store has not been further. `None`: where
        /// it stood when the store was last open, or at the time of the [`Env`].
        start_ms: Option<u64>,
    },
}

/// Why the clock was not moved.
#[derive(Debug, Error)]
pub enum ClockError {
    /// It is the system's.
    #[error("the clock is the system's; start the server with --clock manual to move it")]
    System,
    /// Time does not go back.
    #[error("the clock stands at {now_ms} and does not go back to {asked_ms}")]
    Backwards {
        /// Where it stands: Unix milliseconds.
        now_ms: u64,
        /// Where it was to be put.
        asked_ms: u64,
    },
    /// There is no such time.
    #[error("the clock can't be moved beyond {MAX_MS}, the end of the year 9999")]
    TooFar,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] EngineError),
    /// The clock was moved, and something that is due by now could not be done.
    #[error("the clock was moved, but not everything that is due has happened: {0:?}")]
    Due(wire::Error),
}

/// The last millisecond of the year 9999: dates in messages have four digits for the year.
const MAX_MS: u64 = 253_402_300_799_999;

/// Puts the clock of `mode` into `env`. It stands too early until [`set_out`] has looked into the
/// store.
pub(super) fn install(env: &mut Env, mode: ClockMode) -> Option<Arc<ManualClock>> {
    let ClockMode::Manual { start_ms } = mode else {
        return None;
    };
    let clock = Arc::new(ManualClock::new(
        Arc::clone(&env.clock),
        start_ms.unwrap_or_default(),
    ));
    env.clock = Arc::clone(&clock) as Arc<_>;
    Some(clock)
}

/// Moves the clock to where it begins: before anything is written. `system_ms` is what the system's
/// says. Returns what is to be written then.
pub(super) fn set_out(
    db: &Db,
    mode: ClockMode,
    clock: Option<&ManualClock>,
    system_ms: u64,
) -> Result<Batch, EngineError> {
    let row = db.get(&system::clock(), ReadMode::Blocking)?;
    let stood_ms = row
        .as_deref()
        .and_then(|row| row.try_into().ok())
        .map(u64::from_be_bytes);
    let mut batch = Batch::new();
    match (mode, clock) {
        (ClockMode::Manual { start_ms }, Some(clock)) => {
            if start_ms.is_none() && stood_ms.is_none() {
                clock.advance_to(system_ms);
            }
            clock.advance_to(stood_ms.unwrap_or_default());
            clock.advance_to(db.newest_time_ms().unwrap_or_default());
            // Also so that it stands while nothing runs.
            let now_ms = db.env().clock.now_ms();
            batch.put(system::clock(), now_ms.to_be_bytes().to_vec());
        }
        // Under the system's clock time has gone on; what was driven before says nothing any more.
        _ if stood_ms.is_some() => batch.delete(system::clock()),
        _ => {}
    }
    Ok(batch)
}

impl Store {
    /// Whether the clock stands until [`Store::set_clock`] moves it.
    pub fn has_manual_clock(&self) -> bool {
        self.manual_clock().is_some()
    }

    /// Moves the clock to `now_ms`, Unix milliseconds, once it is durable that it was there: blocks.
    /// Two calls must not overlap.
    ///
    /// # Errors
    /// If the clock is the system's, or stands later than that, and failures of the store.
    pub fn set_clock(&self, now_ms: u64) -> Result<(), ClockError> {
        let clock = self.manual_clock().ok_or(ClockError::System)?;
        let stands_ms = self.now_ms();
        if now_ms < stands_ms {
            return Err(ClockError::Backwards {
                now_ms: stands_ms,
                asked_ms: now_ms,
            });
        }
        if now_ms > MAX_MS {
            return Err(ClockError::TooFar);
        }
        if now_ms > stands_ms {
            let mut batch = Batch::new();
            batch.put(system::clock(), now_ms.to_be_bytes().to_vec());
            self.write_upkeep(batch)?.wait()?;
            clock.advance_to(now_ms);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use super::*;
    use crate::store::{Key, Simulation, Storage, StoreOptions};

    fn open(machine: &Simulation, clock: ClockMode) -> Store {
        Store::open(StoreOptions {
            storage: Storage::Env(machine.env(), PathBuf::from("/data")),
            clock,
            ..StoreOptions::default()
        })
        .unwrap()
    }

    const MANUAL: ClockMode = ClockMode::Manual { start_ms: None };

    fn manual(start_ms: u64) -> ClockMode {
        ClockMode::Manual {
            start_ms: Some(start_ms),
        }
    }

    /// Something with the store's time in the log.
    fn write(store: &Store) {
        let mut batch = Batch::new();
        batch.put(Key::new(system::CATALOG, b"test", b""), vec![1]);
        store.write(batch).unwrap().wait().unwrap();
    }

    #[test]
    fn it_starts_at_the_systems_time_and_stands() {
        let machine = Simulation::new(1);
        let system_ms = machine.env().clock.now_ms();
        let store = open(&machine, MANUAL);
        machine.advance(Duration::from_secs(60));
        assert_eq!(store.now_ms(), system_ms);
        assert!(store.has_manual_clock());
        store.set_clock(system_ms + 5).unwrap();
        assert_eq!(store.now_ms(), system_ms + 5);
        assert!(matches!(
            store.set_clock(system_ms),
            Err(ClockError::Backwards { .. })
        ));
        assert!(matches!(
            store.set_clock(MAX_MS + 1),
            Err(ClockError::TooFar)
        ));
        assert_eq!(store.now_ms(), system_ms + 5);
    }

    #[test]
    fn it_stands_where_it_stood_after_a_crash() {
        let machine = Simulation::new(2);
        let store = open(&machine, manual(1_000));
        store.set_clock(5_000).unwrap();
        machine.crash();
        drop(store);
        assert_eq!(open(&machine, MANUAL).now_ms(), 5_000);
        machine.crash();
        assert_eq!(open(&machine, manual(4_000)).now_ms(), 5_000);
        machine.crash();
        assert_eq!(open(&machine, manual(6_000)).now_ms(), 6_000);
    }

    #[test]
    fn it_does_not_begin_before_what_the_system_wrote() {
        let machine = Simulation::new(3);
        let store = open(&machine, ClockMode::System);
        machine.advance(Duration::from_secs(60));
        let written_ms = store.now_ms();
        write(&store);
        store.close().unwrap();
        machine.advance(Duration::from_secs(60));
        let store = open(&machine, manual(0));
        assert_eq!(store.now_ms(), written_ms);
        store.close().unwrap();
        // The system's clock takes over, and what was driven is forgotten.
        let store = open(&machine, ClockMode::System);
        assert!(!store.has_manual_clock());
        assert!(matches!(store.set_clock(u64::MAX), Err(ClockError::System)));
        write(&store);
        store.close().unwrap();
        let now_ms = machine.env().clock.now_ms();
        assert_eq!(open(&machine, MANUAL).now_ms(), now_ms);
    }
}
