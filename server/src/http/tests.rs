//! The front over real sockets, with a service behind it that is no database.

mod codings;
mod connections;
mod controls;
mod oddities;
mod requests;
mod signatures;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::{
    AllowedOrigins, ClockKind, ClockReading, Context, ControlAnswer, ControlError, ControlRequest,
    Drained, Server, ServerOptions, Service,
};
use crate::stator::ClockMove;
use crate::wire::{Error, Operation};

/// What the fake takes for the time.
const SIGNED_MS: u64 = 1_767_225_600_000;

/// Answers a few of the operations, each in a way of its own.
#[derive(Default)]
struct FakeService {
    begun: Notify,
    go: Notify,
}

/// What the fake does for each operation, under names that say it.
const ECHO: &str = "GetItem";
const WHO_AM_I: &str = "ListTables";
const FAIL: &str = "PutItem";
const PANIC: &str = "DeleteTable";
/// Says that it has begun, then waits until it is let go.
const WAIT: &str = "Scan";

impl Service for FakeService {
    async fn call(
        &self,
        operation: Operation,
        body: Bytes,
        context: Context<'_>,
    ) -> Result<Bytes, Error> {
        match operation.name() {
            ECHO => Ok(body),
            WHO_AM_I => {
                let region = context.credentials.region.unwrap_or("nowhere");
                Ok(format!("[\"{}\",\"{region}\"]", context.credentials.access_key).into())
            }
            FAIL => Err(Error::validation("no \"such\" luck")),
            PANIC => panic!("the fake was asked to"),
            WAIT => {
                self.begun.notify_one();
                self.go.notified().await;
                Ok(Bytes::from_static(b"\"waited\""))
            }
            other => panic!("nobody asked for {other}"),
        }
    }

    fn real_time_ms(&self) -> Option<u64> {
        Some(SIGNED_MS)
    }

    /// A clock that says where it was moved to.
    async fn control(&self, request: ControlRequest) -> Result<ControlAnswer, ControlError> {
        let now_ms = match request {
            ControlRequest::ReadClock => 1,
            ControlRequest::MoveClock(ClockMove::Set(to_ms)) => to_ms,
            ControlRequest::MoveClock(ClockMove::Advance(_)) => {
                return Err(ControlError::new(StatusCode::CONFLICT, "it is stuck"));
            }
            ControlRequest::ReadStatistics => {
                return Err(ControlError::new(
                    StatusCode::NOT_FOUND,
                    "it counts nothing",
                ));
            }
            ControlRequest::SplitShards { .. } => return Ok(ControlAnswer::Shards { split: 3 }),
        };
        let clock = ClockKind::Manual;
        Ok(ControlAnswer::Clock(ClockReading { clock, now_ms }))
    }
}

/// A running server, and the means to stop it.
struct Running {
    address: SocketAddr,
    service: Arc<FakeService>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Drained>,
}

async fn start_with(origins: AllowedOrigins) -> Running {
    start_with_options(ServerOptions {
        region: "eu-north-1".to_owned(),
        origins,
        verifier: None,
    })
    .await
}

async fn start_with_options(options: ServerOptions) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Arc::new(FakeService::default());
    let server = Server::new(vec![listener], Arc::clone(&service), options);
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Running {
        address,
        service,
        stop,
        task,
    }
}

async fn start() -> Running {
    start_with(AllowedOrigins::Local).await
}

/// An answer, taken apart.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} twice");
        value
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The checksum and the id must be right on every answer with a body.
    fn checked(self) -> Self {
        assert_eq!(
            self.header("x-amzn-requestid").map(str::len),
            Some(52),
            "{self:?}"
        );
        if !self.body.is_empty() {
            let checksum = crc32fast::hash(&self.body).to_string();
            assert_eq!(
                self.header("x-amz-crc32"),
                Some(checksum.as_str()),
                "{self:?}"
            );
        }
        self
    }
}

/// A client that sends exactly the bytes it is told to.
struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    async fn connect(server: &Running) -> Self {
        let stream = TcpStream::connect(server.address).await.unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads more; false at the end of the stream or after a reset.
    async fn read_more(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.received).await, Ok(length) if length > 0)
    }

    /// Whether the server has closed the connection without sending anything more.
    async fn is_closed(&mut self) -> bool {
        self.received.is_empty() && !self.read_more().await
    }

    async fn head(&mut self) -> (u16, Vec<(String, String)>) {
        let end = loop {
            let end = self
                .received
                .windows(4)
                .position(|window| window == b"\r\n\r\n");
            match end {
                Some(end) => break end + 4,
                None => assert!(self.read_more().await, "no answer: {:?}", self.received),
            }
        };
        let head: Vec<u8> = self.received.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        (status, headers.collect())
    }

    async fn answer(&mut self) -> Answer {
        let (status, headers) = self.head().await;
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, length)| length.parse().unwrap());
        while self.received.len() < length {
            assert!(self.read_more().await, "half an answer");
        }
        let body = self.received.drain(..length).collect();
        Answer {
            status,
            headers,
            body,
        }
        .checked()
    }

    async fn exchange(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).await;
        self.answer().await
    }
}

const AUTHORIZATION: &str = "Authorization: AWS4-HMAC-SHA256 \
    Credential=me/20261122/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00\r\n\
    X-Amz-Date: 20261122T000000Z\r\n";

/// A well-formed request, with more headers if any are given.
fn request(operation: &str, more: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: DynamoDB_20120810.{operation}\r\n{AUTHORIZATION}{more}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn ask(bytes: impl AsRef<[u8]>) -> Answer {
    let server = start().await;
    Client::connect(&server).await.exchange(bytes).await
}
