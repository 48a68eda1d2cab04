//! The boundary between the front and the operations.

use std::future::Future;

use bytes::Bytes;
use hyper::StatusCode;

use super::control::{ClockKind, ClockReading, ControlAnswer, ControlError, ControlRequest};
use super::{Credentials, RequestId};
use crate::metrics::Answered;
use crate::operation::{self, RequestContext};
use crate::stator::{ClockError, Stator};
use crate::stopwatch::Spent;
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

    /// An operation was answered with this status, and spent its time so.
    fn answered(&self, _operation: Operation, _status: StatusCode, _spent: &Spent) {}

    /// Does what is asked of the server itself.
    fn control(
        &self,
        request: ControlRequest,
    ) -> impl Future<Output = Result<ControlAnswer, ControlError>> + Send;

    /// The time that dates of signatures are held against, in Unix milliseconds; nothing where time is
    /// not that of the clients.
    fn real_time_ms(&self) -> Option<u64>;
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
            host: match operation {
                Operation::DescribeEndpoints => context.host.into(),
                _ => Box::default(),
            },
            wording: self.wording(),
        };
        operation::dispatch(self, &context, operation, &body).await
    }

    fn answered(&self, operation: Operation, status: StatusCode, spent: &Spent) {
        let answered = Answered::with_status(status.as_u16());
        self.request_times().record(operation, spent, answered);
    }

    fn real_time_ms(&self) -> Option<u64> {
        (!self.has_manual_clock()).then(|| self.now_ms())
    }

    async fn control(&self, request: ControlRequest) -> Result<ControlAnswer, ControlError> {
        let now_ms = match request {
            ControlRequest::ReadClock => self.now_ms(),
            ControlRequest::MoveClock(to) => self.move_clock(to).await.map_err(refusal)?,
            ControlRequest::ReadStatistics => {
                return Ok(ControlAnswer::Statistics(Box::new(self.statistics())));
            }
            ControlRequest::SplitShards { stream, shard } => {
                let split = self.split_shards(&stream, shard).await.map_err(not_split)?;
                return Ok(ControlAnswer::Shards { split });
            }
        };
        let clock = if self.has_manual_clock() {
            ClockKind::Manual
        } else {
            ClockKind::System
        };
        Ok(ControlAnswer::Clock(ClockReading { clock, now_ms }))
    }
}

fn refusal(error: ClockError) -> ControlError {
    let status = match &error {
        ClockError::System => StatusCode::CONFLICT,
        ClockError::Backwards { .. } | ClockError::TooFar => StatusCode::BAD_REQUEST,
        ClockError::Store(_) | ClockError::Due(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    ControlError::new(status, error)
}

fn not_split(error: Error) -> ControlError {
    let status = match &error {
        Error::ResourceNotFound(_) => StatusCode::NOT_FOUND,
        other => StatusCode::from_u16(other.status()).unwrap_or(StatusCode::BAD_REQUEST),
    };
    ControlError::new(status, error.message().unwrap_or_default())
}
