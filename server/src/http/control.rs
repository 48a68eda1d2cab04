//! What is asked of the server itself, below `/_stator/`: no operation of DynamoDB.
//!
//! Only programs of this machine may ask: a connection from elsewhere is refused, and so is a web
//! page from elsewhere, whatever `--cors` says. There are no credentials.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /_stator/clock` | | `{"clock": "system" or "manual", "now_ms": N}` |
//! | `POST /_stator/clock` | `{"set_ms": N}` or `{"advance_ms": N}` | the same, once everything that is due by then has happened |
//! | `GET /_stator/statistics` | | what the server knows of its own work: the README describes it |
//! | `POST /_stator/shards` | `{"split": ARN of a stream}`, and `"shard": id` if it is not to be all open ones | `{"split": how many}`, once they are |
//!
//! Errors are `{"message": "…"}`: 400 for a body that is not understood or a clock that would go
//! back, 403 for strangers, 404 and 405 for what there is not (a stream, for instance), 409 where the clock is the system's.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, StatusCode,
    header::{ALLOW, HeaderValue},
};
use serde::{Deserialize, Serialize};

use super::origin::{self, AllowedOrigins};
use super::reply::{self, Reply};
use super::{RequestId, Service};
use crate::metrics::Statistics;
use crate::stator::ClockMove;

/// Where paths of this module begin.
const ROOT: &str = "/_stator/";

/// What is asked of the server itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlRequest {
    /// Where the clock stands.
    ReadClock,
    /// To move it.
    MoveClock(ClockMove),
    /// What it knows of its own work.
    ReadStatistics,
    /// To split shards of a stream.
    SplitShards {
        /// ARN of the stream.
        stream: String,
        /// Id of the shard; all open ones if there is none.
        shard: Option<String>,
    },
}

/// The answer to a [`ControlRequest`].
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ControlAnswer {
    /// Where the clock stands.
    Clock(ClockReading),
    /// What it knows of its own work.
    Statistics(Box<Statistics>),
    /// Shards were split.
    Shards {
        /// How many.
        split: usize,
    },
}

/// Where a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClockReading {
    /// Whose clock it is.
    pub clock: ClockKind,
    /// Where it stands: Unix milliseconds.
    pub now_ms: u64,
}

/// Whose clock it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockKind {
    /// The system's.
    System,
    /// One that stands until it is moved.
    Manual,
}

/// Why a [`ControlRequest`] was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlError {
    /// The status of the answer.
    pub status: StatusCode,
    /// What is wrong, for people.
    pub message: String,
}

impl ControlError {
    /// An error with a status.
    pub fn new(status: StatusCode, message: impl ToString) -> Self {
        Self {
            status,
            message: message.to_string(),
        }
    }
}

/// The body of a move of the clock.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveBody {
    set_ms: Option<u64>,
    advance_ms: Option<u64>,
}

/// The body of a split of shards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitBody {
    split: String,
    shard: Option<String>,
}

/// The path behind the root, if a request is for this module. A browser's question before the
/// request is not.
pub(super) fn path<'a>(method: &Method, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(ROOT)
        .filter(|_| *method != Method::OPTIONS)
}

/// Who may ask.
pub(super) fn check(peer: IpAddr, headers: &HeaderMap) -> Result<(), ControlError> {
    let refused = |who| {
        let message = format!("{who} may not control this server: only this machine may");
        Err(ControlError::new(StatusCode::FORBIDDEN, message))
    };
    if !peer.to_canonical().is_loopback() {
        return refused(peer.to_string());
    }
    if origin::check(headers, &AllowedOrigins::Local).is_err() {
        return refused("web pages from elsewhere".to_owned());
    }
    Ok(())
}

/// Does what is asked for, and answers.
pub(super) async fn answer<S: Service>(
    service: &S,
    id: RequestId,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Reply {
    let request = match parse(method, path, body) {
        Ok(request) => request,
        Err(error) => return refuse(id, &error),
    };
    match service.control(request).await {
        Ok(answer) => json(StatusCode::OK, id, &answer),
        Err(error) => refuse(id, &error),
    }
}

fn parse(method: &Method, path: &str, body: &[u8]) -> Result<ControlRequest, ControlError> {
    let wrong_method = |message: &str| {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Err(ControlError::new(status, message))
    };
    match (path, method) {
        ("clock", &Method::GET | &Method::HEAD) => Ok(ControlRequest::ReadClock),
        ("clock", &Method::POST) => clock_move(body).map(ControlRequest::MoveClock),
        ("clock", _) => wrong_method("GET reads the clock, and POST moves it"),
        ("statistics", &Method::GET | &Method::HEAD) => Ok(ControlRequest::ReadStatistics),
        ("statistics", _) => wrong_method("GET reads the statistics"),
        ("shards", &Method::POST) => split(body),
        ("shards", _) => wrong_method("POST splits shards"),
        _ => {
            let message = format!(
                "there is nothing at {ROOT}{path}; there are {ROOT}clock, {ROOT}shards and \
                 {ROOT}statistics"
            );
            Err(ControlError::new(StatusCode::NOT_FOUND, message))
        }
    }
}

fn split(body: &[u8]) -> Result<ControlRequest, ControlError> {
    let wanted = "write {\"split\": \"the ARN of a stream\"}, and \"shard\" for one shard";
    let body: SplitBody = serde_json::from_slice(body).map_err(|error| {
        ControlError::new(StatusCode::BAD_REQUEST, format!("{error}; {wanted}"))
    })?;
    Ok(ControlRequest::SplitShards {
        stream: body.split,
        shard: body.shard,
    })
}

fn clock_move(body: &[u8]) -> Result<ClockMove, ControlError> {
    let wanted = "write {\"set_ms\": N} or {\"advance_ms\": N}, with N in milliseconds";
    let bad = |message: String| ControlError::new(StatusCode::BAD_REQUEST, message);
    let body: MoveBody =
        serde_json::from_slice(body).map_err(|error| bad(format!("{error}; {wanted}")))?;
    match (body.set_ms, body.advance_ms) {
        (Some(to_ms), None) => Ok(ClockMove::Set(to_ms)),
        (None, Some(by_ms)) => Ok(ClockMove::Advance(by_ms)),
        _ => Err(bad(format!("{wanted}: one of the two"))),
    }
}

/// The answer to a request that was not done.
pub(super) fn refuse(id: RequestId, error: &ControlError) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        message: &'a str,
    }
    let message = error.message.as_str();
    let mut reply = json(error.status, id, &Body { message });
    if error.status == StatusCode::METHOD_NOT_ALLOWED {
        let methods = HeaderValue::from_static("GET, POST");
        reply.headers_mut().insert(ALLOW, methods);
    }
    reply
}

fn json(status: StatusCode, id: RequestId, body: &impl Serialize) -> Reply {
    let body = serde_json::to_vec(body).unwrap_or_default();
    reply::reply(status, id, reply::JSON, Bytes::from(body))
}

#[cfg(test)]
mod tests {
    use hyper::header::ORIGIN;

    use super::*;

    #[test]
    fn only_this_machine_may_ask() {
        let none = HeaderMap::new();
        for peer in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(check(peer.parse().unwrap(), &none), Ok(()), "{peer}");
        }
        for peer in ["192.168.0.7", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1"] {
            let error = check(peer.parse().unwrap(), &none).unwrap_err();
            assert_eq!(error.status, StatusCode::FORBIDDEN, "{peer}");
        }
        let local = "127.0.0.1".parse().unwrap();
        let page = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
            check(local, &headers)
        };
        assert_eq!(page("http://localhost:3000"), Ok(()));
        assert!(page("https://example.com").is_err());
        assert!(page("null").is_err());
    }

    #[test]
    fn requests_are_what_the_table_says() {
        let post = |body: &str| parse(&Method::POST, "clock", body.as_bytes());
        let moved = |to| Ok(ControlRequest::MoveClock(to));
        assert_eq!(post(r#"{"set_ms": 7}"#), moved(ClockMove::Set(7)));
        assert_eq!(post(r#"{"advance_ms":0}"#), moved(ClockMove::Advance(0)));
        let status = |request: Result<ControlRequest, ControlError>| request.unwrap_err().status;
        for body in [
            "",
            "{}",
            "7",
            r#"{"advance_ms": -1}"#,
            r#"{"advance_ms": 1.5}"#,
            r#"{"advance_ms": "1"}"#,
            r#"{"advance_ms": 1, "set_ms": 1}"#,
            r#"{"advance": 1}"#,
        ] {
            assert_eq!(status(post(body)), StatusCode::BAD_REQUEST, "{body}");
        }
        assert_eq!(
            parse(&Method::GET, "clock", b""),
            Ok(ControlRequest::ReadClock)
        );
        assert_eq!(
            status(parse(&Method::DELETE, "clock", b"")),
            StatusCode::METHOD_NOT_ALLOWED
        );
        assert_eq!(status(parse(&Method::GET, "", b"")), StatusCode::NOT_FOUND);
        assert_eq!(
            parse(&Method::GET, "statistics", b""),
            Ok(ControlRequest::ReadStatistics)
        );
        assert_eq!(
            status(parse(&Method::POST, "statistics", b"")),
            StatusCode::METHOD_NOT_ALLOWED
        );
        let split = |shard: Option<&str>| {
            Ok(ControlRequest::SplitShards {
                stream: "arn".to_owned(),
                shard: shard.map(str::to_owned),
            })
        };
        let post = |body: &str| parse(&Method::POST, "shards", body.as_bytes());
        assert_eq!(post(r#"{"split": "arn"}"#), split(None));
        assert_eq!(post(r#"{"split": "arn", "shard": "s"}"#), split(Some("s")));
        assert_eq!(status(post("{}")), StatusCode::BAD_REQUEST);
        assert_eq!(
            status(parse(&Method::GET, "shards", b"")),
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
}
