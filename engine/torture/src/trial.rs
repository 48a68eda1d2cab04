//! What a seed gives, runs and is shrunk: a [`Script`] of the engine's steps, or of whatever else is
//! simulated.

use std::fmt::Debug;
use std::marker::PhantomData;

use crate::campaign::Coverage;
use crate::run::{Failure, run};
use crate::script::{Script, Step, numbers, parse_numbers};
use crate::shrink::shrink;

/// What a simulation's scripts are made of.
pub trait Trial: Clone + Debug + Send + Sync + 'static {
    /// What is simulated, as on the command line.
    const NAME: &'static str;

    /// The run that a seed gives.
    fn script(seed: u64) -> Script<Self>;

    /// Runs a script from its beginning to its end, on this thread.
    ///
    /// # Errors
    ///
    /// The first promise that is not kept.
    fn run(script: &Script<Self>) -> Result<Coverage, Failure>;
}

impl Trial for Step {
    const NAME: &'static str = "engine";

    fn script(seed: u64) -> Script {
        Script::new(seed)
    }

    fn run(script: &Script) -> Result<Coverage, Failure> {
        run(script)
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
#[must_use]
pub fn engine() -> Box<dyn Subject> {
    subject::<Step>()
}

/// What is simulated by scripts of these steps.
#[must_use]
pub fn subject<S: Trial>() -> Box<dyn Subject> {
    Box::new(Of::<S>(PhantomData))
}

/// What steps of a type simulate.
struct Of<S>(PhantomData<S>);

impl<S: Trial> Subject for Of<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn attempt(&self, seed: u64) -> Result<Coverage, Box<Finding>> {
        let script = S::script(seed);
        S::run(&script).map_err(|failure| {
            let (script, failure) = shrink(&script, failure);
            Box::new(Finding::new(&script, failure))
        })
    }

    fn replay(&self, seed: u64, steps: Option<&str>) -> Result<Coverage, Box<Finding>> {
        let mut script = S::script(seed);
        if let Some(steps) = steps {
            script = script.only(&parse_numbers(steps));
        }
        S::run(&script).map_err(|failure| Box::new(Finding::new(&script, failure)))
    }
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
    pub fn new<S: Trial>(script: &Script<S>, failure: Failure) -> Self {
        Finding {
            simulation: S::NAME,
            seed: script.seed,
            steps: numbers(&script.numbers()),
            failure,
            trace: script.trace(),
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
