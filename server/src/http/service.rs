//! The boundary between the front and the operations.

use std::future::Future;

use bytes::Bytes;

use super::{Credentials, RequestId};

/// What the front knows about one request, besides its operation and its body.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The id that the answer carries in `x-amzn-RequestId`.
    pub request_id: &'a RequestId,
    /// Who signed the request, and for which Region.
    pub credentials: Credentials<'a>,
}

/// An operation's error as it goes on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status: 400 for the caller's mistakes, 500 for ours.
    pub status: u16,
    /// The JSON envelope with `__type` and, where there is one, the message.
    pub body: Bytes,
}

/// What stands behind the front: the operations, or a fake one in a test.
pub trait Service: Send + Sync + 'static {
    /// What a target resolves to.
    type Operation: Copy + Send;

    /// The operation that an `X-Amz-Target` header names, or nothing if there is no such operation.
    fn resolve(&self, target: &str) -> Option<Self::Operation>;

    /// Performs one operation and returns the JSON document that answers it.
    ///
    /// The future may be dropped at any point where it waits, which happens when a connection
    /// breaks or the drain limit passes: what must not be left half done is not left to it.
    fn call(
        &self,
        operation: Self::Operation,
        body: Bytes,
        context: Context<'_>,
    ) -> impl Future<Output = Result<Bytes, Failure>> + Send;
}
