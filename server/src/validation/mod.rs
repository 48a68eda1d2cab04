//! The constraints of the API model, the order in which DynamoDB checks them, and the messages of
//! their violations.
//!
//! A generated check per structure ([`constraints`]) reports every broken constraint to
//! [`Violations`], in the service's order; [`Violations::finish`] makes the answer of them, in the
//! words of a [`Wording`]. What is early, alone or differently put in one operation or wording is a
//! row of a table in [`wording`], not a branch. What is known and not served is refused by name
//! ([`members`]).

mod constraints;
mod members;
pub mod pattern;
mod violations;
mod wording;

pub use constraints::check;
pub use members::not_served;
pub use violations::Violations;
pub use wording::Wording;
