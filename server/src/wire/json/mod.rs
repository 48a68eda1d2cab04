//! JSON as DynamoDB reads and writes it: a pull parser over the request's bytes and a writer that
//! appends to the answer's.
//!
//! The parser is our own, since three things have to come together that no general one offers:
//! numbers stay text (38 digits do not fit a float), strings are borrowed from the input whenever
//! they hold no escape, and a value of the wrong kind is reported as the token that DynamoDB's
//! message names (`NUMBER_VALUE cannot be converted to String`), with the type it expected.
//!
//! Neither side recurses: the depth of what a client sends costs a counter, not stack.

mod base64;
mod error;
mod reader;
mod scan;
#[cfg(test)]
mod tests;
mod writer;

pub use base64::{decode_base64, decode_base64_append};
pub use error::{Base64Error, Expected, SerializationError, Token};
pub use reader::{MAX_DEPTH, Reader};
pub use writer::Writer;
