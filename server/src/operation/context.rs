//! What an operation knows of the request besides its input.

use crate::table::Namespace;

/// The circumstances of one request, whether it came over HTTP or from a library call.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Account and Region that bare table names mean.
    pub namespace: Namespace,
    /// Time at which the request is handled: Unix milliseconds of the engine's clock. Everything
    /// an operation decides by time, it decides by this one reading.
    pub now_ms: u64,
    /// `x-amzn-RequestId`.
    pub request_id: Box<str>,
    /// Host and port that the client addressed, empty if there was no socket.
    pub host: Box<str>,
}
