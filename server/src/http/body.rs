//! Reading a request's body: whole, within DynamoDB's limit, and within bounded time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// The largest request, in bytes: 16 MB (BatchWriteItem in the API reference; the front of
/// DynamoDB holds every operation to it).
pub(super) const LIMIT: usize = 16 * 1024 * 1024;

/// How much of a body past the limit is read and thrown away before it is answered. A client that
/// is still writing when the connection closes sees a reset and never reads the answer.
const DISCARD_LIMIT: usize = 64 * 1024 * 1024;

/// How long a client may send nothing in the middle of a body. Long enough for a stalled laptop
/// on a bad network, and short enough that abandoned requests do not gather.
pub(super) const STALL_LIMIT: Duration = Duration::from_secs(20);

/// Space set aside before the body has come, at most: what a header claims is not yet sent.
const INITIAL_CAPACITY: usize = 64 * 1024;

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is larger than [`LIMIT`].
    TooLarge,
    /// The connection ended, or its framing broke, in the middle of it.
    Incomplete {
        /// What had come by then, in bytes.
        received: usize,
    },
    /// Nothing came for [`STALL_LIMIT`].
    Stalled,
}

/// Reads the whole body. One that came in one piece is not copied.
pub(super) async fn read(mut body: Incoming) -> Result<Bytes, BodyError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > LIMIT {
        discard(body).await;
        return Err(BodyError::TooLarge);
    }
    let Some(first) = next(&mut body, 0).await? else {
        return Ok(Bytes::new());
    };
    if body.is_end_stream() {
        return within_limit(first);
    }
    let mut whole = BytesMut::with_capacity(announced.min(INITIAL_CAPACITY).max(first.len()));
    whole.extend_from_slice(&first);
    while let Some(data) = next(&mut body, whole.len()).await? {
        if whole.len() + data.len() > LIMIT {
            drop(whole);
            discard(body).await;
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

fn within_limit(body: Bytes) -> Result<Bytes, BodyError> {
    if body.len() > LIMIT {
        Err(BodyError::TooLarge)
    } else {
        Ok(body)
    }
}

/// The next piece of data after `received` bytes; nothing at the end. Trailers are passed over.
async fn next(body: &mut Incoming, received: usize) -> Result<Option<Bytes>, BodyError> {
    loop {
        let mut frame = pin!(body.frame());
        // A piece that is here already, as most are, needs no timer.
        let arrived = poll_fn(|context| Poll::Ready(frame.as_mut().poll(context))).await;
        let frame = match arrived {
            Poll::Ready(frame) => frame,
            Poll::Pending => match tokio::time::timeout(STALL_LIMIT, frame).await {
                Ok(frame) => frame,
                Err(_) => return Err(BodyError::Stalled),
            },
        };
        let frame = match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(BodyError::Incomplete { received }),
            Some(Ok(frame)) => frame,
        };
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

async fn discard(mut body: Incoming) {
    let mut discarded = 0;
    while discarded < DISCARD_LIMIT {
        match next(&mut body, discarded).await {
            Ok(Some(data)) => discarded += data.len(),
            Ok(None) | Err(_) => return,
        }
    }
}
