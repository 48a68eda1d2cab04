//! Members of requests that are known and not served.
//!
//! `model/members.json` says of every member of the operations that are served what becomes of it.
//! What is refused there is refused here, by generated checks (`CreateTableInput::refused` and so on):
//! a member that is accepted and then ignored would let a program believe that it has what it asked
//! for.

use crate::wire::Error;
use crate::wire::shapes::*;

include!(concat!(env!("OUT_DIR"), "/members.rs"));

/// The refusal of the member at `path`, which may end in a value.
///
/// DynamoDB has no such answer, since it serves all its members. A `ValidationException` is what SDKs
/// neither repeat nor hide.
pub fn not_served(path: &str) -> Error {
    Error::validation(format!("{path} is not served by this version of Stator"))
}

#[cfg(test)]
mod tests;
