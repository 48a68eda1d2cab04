//! The engine under faults: one seed gives work, options, the order in which tasks run, and what the
//! disk does; the whole engine runs on one thread in virtual time, beside a plain model of it.
//!
//! What is promised under which fault is in `format-spec/faults.md`. Here each promise is a check:
//!
//! - after every crash all that was acknowledged is there, and of the rest the commits up to one of
//!   them and none behind it, each as a whole ([`Model`]);
//! - forward and backward iteration and gets agree with each other and with the model, at the present
//!   and for every snapshot that is held;
//! - a keyspace can be read as of every moment that its window or a pin covers, and shows what was
//!   there then;
//! - damage is reported, and never served; what a crash leaves is none, says [`stator_engine::verify`];
//! - an error is only ever the answer where a fault was injected.
//!
//! A run is a [`Script`] made from a seed. One that fails is shrunk to the steps that it takes, and
//! gives a line that replays it: see [`Finding`]. A [`Campaign`] runs many, on all cores.
//!
//! Other simulations have steps of their own: what these have to offer is [`Trial`]. [`Draw`] draws for
//! them too.

mod campaign;
mod check;
mod damage;
mod exhaustive;
mod hunt;
mod model;
mod past;
mod run;
mod script;
mod shrink;
mod trial;

pub use campaign::{Campaign, Coverage, Until, WORKER};
pub use exhaustive::every_operation;
pub use hunt::hunt;
pub use model::Model;
pub use run::{Failure, caught, run};
pub use script::{
    Damage, DamagedFile, Draw, How, Moment, Restart, Script, Step, numbers, parse_numbers,
};
pub use trial::{Finding, Subject, Trial, engine, subject};
