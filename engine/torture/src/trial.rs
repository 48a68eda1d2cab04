//! What a seed gives, runs and is shrunk: the engine's [`Script`], and whatever else is simulated.

use std::fmt::Debug;

use crate::campaign::Coverage;
use crate::run::{Failure, run};
use crate::script::{Script, numbers, parse_numbers};
use crate::shrink::shrink;

/// A run as data: made from a seed, done from its beginning to its end on one thread, and made smaller
/// by leaving steps out.
pub trait Trial: Clone + Debug {
    /// What is simulated, as on the command line.
    const NAME: &'static str;

    /// The run that a seed gives.
    fn of_seed(seed: u64) -> Self;

    /// The numbers of its steps.
    fn steps(&self) -> Vec<usize>;

    /// Only some of its steps, by their numbers. All others keep what they do.
    #[must_use]
    fn keeping(&self, numbers: &[usize]) -> Self;

    /// Runs it.
    ///
    /// # Errors
    ///
    /// The first promise that is not kept.
    fn run(&self) -> Result<Coverage, Failure>;

    /// What it does, a line for a step.
    fn trace(&self) -> String;
}

impl Trial for Script {
    const NAME: &'static str = "engine";

    fn of_seed(seed: u64) -> Self {
        Script::new(seed)
    }

    fn steps(&self) -> Vec<usize> {
        self.steps.iter().map(|(number, _)| *number).collect()
    }

    fn keeping(&self, numbers: &[usize]) -> Self {
        self.only(numbers)
    }

    fn run(&self) -> Result<Coverage, Failure> {
        run(self)
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

/// Something to simulate, whatever its scripts are made of.
pub trait Subject: Send + Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Runs what a seed gives.
    ///
    /// # Errors
    ///
    /// What it found, shrunk.
    fn attempt(&self, seed: u64) -> Result<Coverage, Box<Finding>>;

    /// Runs some steps of what a seed gives, or all, as they are.
    ///
    /// # Errors
    ///
    /// What it found.
    fn replay(&self, seed: u64, steps: Option<&str>) -> Result<Coverage, Box<Finding>>;
}

/// The engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineSubject;

impl Subject for EngineSubject {
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

/// Runs what a seed gives.
///
/// # Errors
///
/// What it found, shrunk.
pub fn attempt<T: Trial>(seed: u64) -> Result<Coverage, Box<Finding>> {
    let trial = T::of_seed(seed);
    trial.run().map_err(|failure| {
        let (trial, failure) = shrink(&trial, failure);
        Box::new(Finding::new(seed, &trial, failure))
    })
}

/// Runs some steps of what a seed gives, or all, as they are.
///
/// # Errors
///
/// What it found.
pub fn replay<T: Trial>(seed: u64, steps: Option<&str>) -> Result<Coverage, Box<Finding>> {
    let mut trial = T::of_seed(seed);
    if let Some(steps) = steps {
        trial = trial.keeping(&parse_numbers(steps));
    }
    let failed = |failure| Box::new(Finding::new(seed, &trial, failure));
    trial.run().map_err(failed)
}

/// A run that failed, as small as it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was simulated.
    pub simulation: &'static str,
    /// What it was made from.
    pub seed: u64,
    /// The steps that it takes, as `1-3,7`.
    pub steps: String,
    /// Which promise was not kept.
    pub failure: Failure,
    /// What these steps do.
    pub trace: String,
}

impl Finding {
    /// That a run failed.
    #[must_use]
    pub fn new<T: Trial>(seed: u64, trial: &T, failure: Failure) -> Self {
        Finding {
            simulation: T::NAME,
            seed,
            steps: numbers(&trial.steps()),
            failure,
            trace: trial.trace(),
        }
    }

    /// The command line behind `stator` that runs it again.
    #[must_use]
    pub fn replay(&self) -> String {
        let Finding {
            simulation,
            seed,
            steps,
            ..
        } = self;
        format!("torture --simulation {simulation} --seed {seed} --steps {steps}")
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.failure)?;
        writeln!(f, "{}", self.trace)?;
        write!(f, "replay with: stator {}", self.replay())
    }
}
