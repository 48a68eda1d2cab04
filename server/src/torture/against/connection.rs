//! A client's connection: requests one after the other, over HTTP.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use super::super::{CallError, Caller};
use crate::wire::Operation;

/// Any credentials do; some there have to be.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=torture/20260101/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host;x-amz-date, Signature=0";

/// A connection to a server.
pub(super) struct Connection {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

fn gone(error: impl std::fmt::Display) -> CallError {
    CallError::Gone(error.to_string())
}

impl Connection {
    /// Connects.
    pub(super) fn open(address: SocketAddr) -> Result<Self, CallError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(gone)?;
        let sender = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.map_err(gone)?;
            stream.set_nodelay(true).map_err(gone)?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(gone)?;
            tokio::spawn(connection);
            Ok(sender)
        })?;
        Ok(Self {
            runtime,
            sender,
            address,
        })
    }

    /// The answer to a POST: whether it is a good one, and its document.
    fn post(
        &mut self,
        path: &str,
        target: Option<String>,
        body: String,
    ) -> Result<(bool, Value), CallError> {
        let mut request = hyper::Request::post(path)
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header(AUTHORIZATION, SIGNATURE);
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(gone)?;
        let sender = &mut self.sender;
        let (status, body) = self.runtime.block_on(async {
            let answer = sender.send_request(request).await.map_err(gone)?;
            let status = answer.status();
            let body = answer.into_body().collect().await.map_err(gone)?;
            Ok((status, body.to_bytes()))
        })?;
        let document = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).map_err(gone)?,
        };
        Ok((status.is_success(), document))
    }

    /// Moves the server's clock, and answers where it stands then: Unix milliseconds.
    pub(super) fn advance(&mut self, by_ms: u64) -> Result<u64, CallError> {
        let body = serde_json::json!({"advance_ms": by_ms}).to_string();
        let (good, document) = self.post("/_stator/clock", None, body)?;
        let now_ms = document.get("now_ms").and_then(Value::as_u64);
        now_ms.filter(|_| good).ok_or_else(|| {
            let name = "no move of the clock".to_owned();
            CallError::Refused(name, document)
        })
    }
}

impl Caller for Connection {
    fn call(&mut self, operation: Operation, request: &Value) -> Result<Value, CallError> {
        let service = match operation {
            Operation::ListStreams
            | Operation::DescribeStream
            | Operation::GetShardIterator
            | Operation::GetRecords => "DynamoDBStreams_20120810",
            _ => "DynamoDB_20120810",
        };
        let target = format!("{service}.{}", operation.name());
        let (good, document) = self.post("/", Some(target), request.to_string())?;
        if good {
            return Ok(document);
        }
        let name = document.get("__type").and_then(Value::as_str);
        let name = name.unwrap_or_default().rsplit('#').next();
        let name = name.unwrap_or_default().to_owned();
        Err(CallError::Refused(name, document))
    }
}
