//! The server's operations on a simulated machine: work, options, faults and the order in which tasks
//! run, all from one seed, on one thread and in virtual time, beside a plain model.
//!
//! After each crash every write that was acknowledged is there, the others up to one of them and none
//! behind it, each as a whole; the indexes are a function of their table, also one that is being
//! filled; the streams have exactly the history of the items; the index of what expires is a function
//! of the items; a transaction that is repeated with its token happens once.

mod local;
mod run;
mod script;

use stator_torture::{Coverage, Failure, Script, Subject, Trial};

use script::Step;

/// The server.
#[must_use]
pub fn subject() -> Box<dyn Subject> {
    stator_torture::subject::<Step>()
}

impl Trial for Step {
    const NAME: &'static str = "server";

    fn script(seed: u64) -> Script<Self> {
        script::script(seed)
    }

    fn run(script: &Script<Self>) -> Result<Coverage, Failure> {
        run::run(script)
    }
}

#[cfg(test)]
mod tests;
