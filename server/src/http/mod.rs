//! The HTTP front: everything between a socket and an operation.
//!
//! One request is one pass through [`front::Front`]: origin, method, body, target, credentials,
//! then the [`Service`], and back out with a request id and a checksum. What the operations do is
//! unknown here; a test stands a service of its own behind the front.
//!
//! DynamoDB answers over HTTP/1.1 with keep-alive and `application/x-amz-json-1.0` (the developer
//! guide's "DynamoDB low-level API"), so that is all this speaks. Absent on purpose: routing by
//! path (DynamoDB ignores it; only what begins with `/_stator/` is for the server itself), middleware, and anything about tables.

mod body;
mod coding;
mod contain;
mod control;
mod credentials;
mod front;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod origin;
mod reply;
mod request_id;
mod server;
mod service;
mod signature;
#[cfg(test)]
mod tests;
mod timer;

pub use control::{ClockKind, ClockReading, ControlAnswer, ControlError, ControlRequest};
pub use credentials::Credentials;
pub use origin::AllowedOrigins;
pub use request_id::RequestId;
pub use server::{DRAIN_LIMIT, Drained, Server, ServerOptions};
pub use service::{Context, Service};
pub use signature::{Secret, Verifier};
