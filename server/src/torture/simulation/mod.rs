//! The server's operations on a simulated machine: work, options, faults and the order in which tasks
//! run, all from one seed, on one thread and in virtual time, beside a plain model.
//!
//! After each crash every write that was acknowledged is there, the others up to one of them and none
//! behind it, each as a whole; the indexes are a function of their table, also one that is being
//! filled; the streams have exactly the history of the items; the index of what expires is a function
//! of the items; a transaction that is repeated with its token happens once.

mod run;
mod script;

use stator_torture::{Coverage, Failure, Finding, Subject, Trial, attempt, replay};

use script::Script;

/// The server.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerSubject;

impl Subject for ServerSubject {
    fn name(&self) -> &'static str {
        Script::NAME
    }

    fn attempt(&self, seed: u64) -> Result<Coverage, Box<Finding>> {
        attempt::<Script>(seed)
    }

    fn replay(&self, seed: u64, steps: Option<&str>) -> Result<Coverage, Box<Finding>> {
        replay::<Script>(seed, steps)
    }
}

impl Trial for Script {
    const NAME: &'static str = "server";

    fn of_seed(seed: u64) -> Self {
        Script::new(seed)
    }

    fn steps(&self) -> Vec<usize> {
        self.steps.iter().map(|(number, _)| *number).collect()
    }

    fn keeping(&self, numbers: &[usize]) -> Self {
        let mut kept = self.clone();
        kept.steps.retain(|(number, _)| numbers.contains(number));
        kept
    }

    fn run(&self) -> Result<Coverage, Failure> {
        run::run(self)
    }

    fn trace(&self) -> String {
        let steps = self.steps.iter();
        let steps = steps.map(|(number, step)| format!("\n{number:4} {step:?}"));
        format!(
            "first options: {:?}{}",
            self.first,
            steps.collect::<String>()
        )
    }
}

#[cfg(test)]
mod tests;
