//! What an operation knows of the request besides its input.

use crate::{table::Namespace, validation::Wording};

/// The circumstances of one request, whether it came over HTTP or from a library call.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Account and Region that bare table names mean.
    pub namespace: Namespace,
    /// Time at which the request is handled: Unix milliseconds of the engine's clock. Everything
    /// an operation decides by time, it decides by this one reading.
    pub now_ms: u64,
    /// Host and port that the client addressed, for the operation that tells it; empty if there was no
    /// socket.
    pub host: Box<str>,
    /// Whose words errors have: the server's choice, unless the request is one that only the older
    /// validation layer reads ([`RequestContext::reading`]).
    pub wording: Wording,
}

/// How many arrays and objects may be open at once in JSON that the newer validation layer reads.
/// Deeper requests are the older layer's, in every respect. That shows where a value is nested past
/// some 62 levels: AWS answers 61 in the newer layer's words and 63 in the older's where one item is
/// written, and 61 in the older's within a transaction, whose values stand three deeper
/// (limits/nestingDepth and validation-ordering/deepRequests of the conformance reference). The
/// number is ours: what lies between those records.
const NEWER_LAYER_DEPTH: u32 = 127;

impl RequestContext {
    /// The context of a request whose JSON has `depth` levels, if it is another than this.
    pub(super) fn reading(&self, depth: u32) -> Option<Self> {
        (depth > NEWER_LAYER_DEPTH && self.wording != Wording::Older).then(|| Self {
            wording: Wording::Older,
            ..self.clone()
        })
    }
}
