//! Locks, atomics and pointers that are replaced as a whole, for all that more than one thread uses.
//!
//! They are those of `parking_lot`, the standard library and `arc-swap`; but where the engine is built
//! for `engine/schedules/`, they are those of [shuttle](https://docs.rs/shuttle), which runs one thread
//! at a time and chooses at each use of them which one goes on.

#[cfg(stator_schedules)]
mod explored;

#[cfg(not(stator_schedules))]
pub(crate) use arc_swap::{ArcSwap, ArcSwapOption, Guard};
#[cfg(not(stator_schedules))]
pub(crate) use parking_lot::Mutex;
#[cfg(not(stator_schedules))]
pub(crate) use std::sync::atomic;

#[cfg(stator_schedules)]
pub(crate) use explored::{ArcSwap, ArcSwapOption, Guard, Mutex, atomic};
