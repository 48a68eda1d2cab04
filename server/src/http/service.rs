//! The boundary between the front and the operations.

use std::future::Future;

use bytes::Bytes;

use super::{Credentials, RequestId};
use crate::operation::{self, RequestContext};
use crate::stator::Stator;
use crate::wire::{Error, Operation};

/// What the front knows about one request, besides its operation and its body.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The id that the answer carries in `x-amzn-RequestId`.
    pub request_id: &'a RequestId,
    /// Who signed the request, and for which Region.
    pub credentials: Credentials<'a>,
    /// Host and port that the client addressed; empty if it did not say.
    pub host: &'a str,
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

impl Service for Stator {
    async fn call(
        &self,
        operation: Operation,
        body: Bytes,
        context: Context<'_>,
    ) -> Result<Bytes, Error> {
        let context = RequestContext {
            namespace: self.namespace(None, context.credentials.region),
            now_ms: self.now_ms(),
            request_id: context.request_id.as_str().into(),
            host: context.host.into(),
        };
        operation::dispatch(self, &context, operation, &body).await
    }
}
