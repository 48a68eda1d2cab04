//! Responses: the headers that every answer carries.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};

use super::RequestId;

/// What the front sends back.
pub(super) type Reply = Response<Full<Bytes>>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const CRC32: HeaderName = HeaderName::from_static("x-amz-crc32");

/// DynamoDB's own type. A request that came as `application/json` is answered as such.
pub(super) const JSON_1_0: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
/// What browsers and older clients send.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer with a body: its id, its type, and the checksum of the body as sent, which the SDKs
/// verify.
pub(super) fn reply(status: StatusCode, id: RequestId, kind: HeaderValue, body: Bytes) -> Reply {
    reply_in(HeaderMap::new(), status, id, kind, body)
}

/// The same, with its headers in the memory of `headers`, those of the request for instance, which are
/// forgotten. (hyper reads the next request's into that of the answer's: so a connection has one map.)
pub(super) fn reply_in(
    mut headers: HeaderMap,
    status: StatusCode,
    id: RequestId,
    kind: HeaderValue,
    body: Bytes,
) -> Reply {
    headers.clear();
    headers.insert(REQUEST_ID, id.to_header());
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CRC32, HeaderValue::from(crc32fast::hash(&body)));
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    *reply.headers_mut() = headers;
    reply
}

/// What DynamoDB answers to what is no operation at all: a method that is not POST, or a body
/// that says it is something else than JSON. (Its type is not JSON either, so no SDK parses it.)
pub(super) fn not_an_operation(id: RequestId) -> Reply {
    let body = Bytes::from_static(b"<UnknownOperationException/>\n");
    let checksum = crc32fast::hash(&body);
    let mut reply = bare(StatusCode::NOT_FOUND, id, body);
    reply
        .headers_mut()
        .insert(CRC32, HeaderValue::from(checksum));
    reply
}

/// What DynamoDB answers to a body of more than 16 MB: the status alone.
pub(super) fn too_large(id: RequestId) -> Reply {
    closing(bare(StatusCode::PAYLOAD_TOO_LARGE, id, Bytes::new()))
}

/// Nothing came for too long in the middle of a request.
pub(super) fn timed_out(id: RequestId) -> Reply {
    closing(bare(StatusCode::REQUEST_TIMEOUT, id, Bytes::new()))
}

/// An answer with nothing in its headers but its id.
pub(super) fn bare(status: StatusCode, id: RequestId, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(REQUEST_ID, id.to_header());
    reply
}

/// Closes the connection after this answer: what follows on it is the rest of a request that was
/// not read.
pub(super) fn closing(mut reply: Reply) -> Reply {
    reply
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}
