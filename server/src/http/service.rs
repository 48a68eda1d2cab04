//! The boundary between the front and the operations.

use std::future::Future;

use bytes::Bytes;

use super::{Credentials, RequestId};
use crate::wire::{Error, Operation};

/// What the front knows about one request, besides its operation and its body.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The id that the answer carries in `x-amzn-RequestId`.
    pub request_id: &'a RequestId,
    /// Who signed the request, and for which Region.
    pub credentials: Credentials<'a>,
}

/// What stands behind the front: the operations, or a fake one in a test.
pub trait Service: Send + Sync + 'static {
    /// Performs one operation and returns the JSON document that answers it.
    ///
    /// The future may be dropped at any point where it waits, which happens when a connection
    /// breaks or the drain limit passes: what must not be left half done is not left to it.
    fn call(
        &self,
        operation: Operation,
        body: Bytes,
        context: Context<'_>,
    ) -> impl Future<Output = Result<Bytes, Error>> + Send;
}
