//! One request, from its head to its answer.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Request, StatusCode};

use super::body::{self, BodyError};
use super::coding::{self, CodingError};
use super::contain::{Panicked, contain};
use super::control;
use super::credentials::{self, Claim};
use super::origin::{self, Origin};
use super::reply::{self, Reply};
use super::{AllowedOrigins, Context, RequestId, Service, Verifier};
use crate::stopwatch::{self, Stage, Stopwatch};
use crate::wire::json::{Reader, SerializationError, Writer};
use crate::wire::{Error, Operation};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// The front of one server: what all its connections share.
pub(super) struct Front<S> {
    pub(super) service: Arc<S>,
    pub(super) origins: AllowedOrigins,
    pub(super) verifier: Option<Arc<Verifier>>,
    /// What `GET /` answers.
    pub(super) health: Bytes,
}

impl<S: Service> Front<S> {
    /// Answers one request. The order of the checks is DynamoDB's: size, method and type, whether
    /// the body is JSON, operation, signature, and then what the operation itself finds.
    pub(super) async fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> Reply {
        let watch = Stopwatch::start();
        let id = RequestId::new();
        let (mut head, body) = request.into_parts();
        let origin = match origin::check(&head.headers, &self.origins) {
            Ok(origin) => origin,
            Err(error) => return reply::closing(refuse(id, reply::JSON_1_0, &error)),
        };
        let control = control::path(&head.method, head.uri.path());
        if control.is_some()
            && let Err(error) = control::check(peer, &head.headers)
        {
            return reply::closing(control::refuse(id, &error));
        }
        let mut answer = if head.method == Method::POST || control.is_some() {
            match body::read(body).await {
                Ok(body) => match control {
                    Some(path) => {
                        control::answer(&*self.service, id, &head.method, path, &body).await
                    }
                    None => self.post(id, &mut head, body, watch).await,
                },
                Err(BodyError::TooLarge) => reply::too_large(id),
                Err(BodyError::Stalled) => reply::timed_out(id),
                Err(BodyError::Incomplete { received }) => {
                    reply::closing(refuse(id, reply::JSON_1_0, &malformed(received)))
                }
            }
        } else {
            self.not_post(id, &head, origin)
        };
        origin::decorate(&mut answer, origin);
        answer
    }

    /// Answers an operation's request, and takes its headers for the answer.
    async fn post(
        &self,
        id: RequestId,
        head: &mut Parts,
        body: Bytes,
        mut watch: Stopwatch,
    ) -> Reply {
        watch.enter(Stage::Parse);
        let Some(kind) = answer_type(head, &body) else {
            return reply::not_an_operation(id);
        };
        let mut asked = None;
        // What was sent is what is signed.
        let sent = self.verifier.as_ref().map(|_| body.clone());
        let answer = match coding::decode(&head.headers, body).await {
            Ok(body) => {
                self.operate(&id, head, body, sent, &mut watch, &mut asked)
                    .await
            }
            Err(CodingError::Broken) => Err(malformed(0)),
            Err(CodingError::TooLarge) => return reply::too_large(id),
        };
        watch.enter(Stage::Respond);
        let (status, body) = match answer {
            Ok(body) => (StatusCode::OK, body),
            Err(error) => envelope(&error),
        };
        let (body, coding) = coding::encode(&head.headers, body).await;
        let headers = std::mem::take(&mut head.headers);
        let mut answer = reply::reply_in(headers, status, id, kind, body);
        if let Some(coding) = coding {
            answer
                .headers_mut()
                .insert(CONTENT_ENCODING, coding.header());
        }
        if let Some(operation) = asked {
            self.service.answered(operation, status, &watch.stop());
        }
        answer
    }

    /// `sent` is the body as it was sent, where signatures are verified. `asked` becomes the operation,
    /// once it is known.
    async fn operate(
        &self,
        id: &RequestId,
        head: &Parts,
        body: Bytes,
        sent: Option<Bytes>,
        watch: &mut Stopwatch,
        asked: &mut Option<Operation>,
    ) -> Result<Bytes, Error> {
        let routed = route(head).and_then(|(operation, claim)| {
            self.verify(&claim, head, sent.as_ref())?;
            Ok((operation, claim.credentials))
        });
        let (operation, credentials) = match routed {
            Ok(routed) => routed,
            // DynamoDB complains about a body that is no JSON before it complains about an unknown
            // operation or a missing signature. The operation's own decoding finds it otherwise.
            Err(error) if body.is_empty() => return Err(error),
            Err(error) => return Err(check_json(&body).err().map_or(error, Error::from)),
        };
        *asked = Some(operation);
        let context = Context {
            request_id: id,
            credentials,
            host: host(head),
        };
        // Some operations' futures are tens of kilobytes: it stays where it is made.
        let mut call = pin!(self.service.call(operation, body, context));
        let answer = stopwatch::timed(watch, contain(call.as_mut())).await;
        answer.unwrap_or_else(|Panicked| {
            tracing::error!(request_id = %id, %operation, "the operation panicked");
            Err(Error::InternalServer("Internal server error".into()))
        })
    }

    /// Verifies the signature of a request that was sent with the body `sent`, if that is asked for.
    fn verify(&self, claim: &Claim<'_>, head: &Parts, sent: Option<&Bytes>) -> Result<(), Error> {
        match (&self.verifier, sent) {
            (Some(verifier), Some(sent)) => {
                verifier.verify(claim, head, sent, self.service.real_time_ms())
            }
            _ => Ok(()),
        }
    }

    fn not_post(&self, id: RequestId, head: &Parts, origin: Origin) -> Reply {
        if origin::is_preflight(&head.method, origin) {
            let mut answer = reply::bare(StatusCode::OK, id, Bytes::new());
            origin::grant(&mut answer, &head.headers);
            return answer;
        }
        let asks_for_health = matches!(head.method, Method::GET | Method::HEAD)
            && matches!(head.uri.path(), "/" | "/ping");
        if !asks_for_health {
            return reply::not_an_operation(id);
        }
        let kind = HeaderValue::from_static("text/plain");
        reply::reply(StatusCode::OK, id, kind, self.health.clone())
    }
}

/// The type to answer in, or nothing if the request's body says it is something else than JSON.
/// What follows a semicolon is ignored, and so is the type of an empty body.
fn answer_type(head: &Parts, body: &Bytes) -> Option<HeaderValue> {
    let declared = head
        .headers
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let kind = declared
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    if kind.eq_ignore_ascii_case(b"application/x-amz-json-1.0") {
        Some(reply::JSON_1_0)
    } else if body.is_empty() || kind.eq_ignore_ascii_case(b"application/json") {
        Some(reply::JSON)
    } else {
        None
    }
}

/// The operation that is asked for, and by whom.
fn route(head: &Parts) -> Result<(Operation, Claim<'_>), Error> {
    let target = head
        .headers
        .get(TARGET)
        .and_then(|target| target.to_str().ok());
    let operation = target
        .and_then(Operation::from_target)
        .ok_or(Error::UnknownOperation)?;
    let claim = credentials::read(&head.headers, head.uri.query().unwrap_or_default())?;
    Ok((operation, claim))
}

/// Host and port that the client addressed: of an absolute URI, or else of the `Host` header.
fn host(head: &Parts) -> &str {
    let header = || head.headers.get(HOST).and_then(|host| host.to_str().ok());
    head.uri
        .authority()
        .map(Authority::as_str)
        .or_else(header)
        .unwrap_or_default()
}

fn check_json(body: &[u8]) -> Result<(), SerializationError> {
    let mut reader = Reader::new(body);
    reader.skip()?;
    reader.finish()
}

/// The complaint about a body that is no JSON from `offset` on.
fn malformed(offset: usize) -> Error {
    SerializationError::Malformed { offset }.into()
}

/// Status and body of an error.
fn envelope(error: &Error) -> (StatusCode, Bytes) {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut writer = Writer::new();
    error.encode(&mut writer);
    (status, writer.into_bytes().into())
}

fn refuse(id: RequestId, kind: HeaderValue, error: &Error) -> Reply {
    let (status, body) = envelope(error);
    reply::reply(status, id, kind, body)
}
