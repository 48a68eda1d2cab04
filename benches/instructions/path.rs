//! The paths whose instructions are counted.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use stator::http::{Server, ServerOptions};
use stator::operation::dispatch;
use stator::wire::Operation;
use stator::{Stator, StatorOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::counting::allocations;

/// A kind of request, and how it comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    request: Request,
    /// Over a connection, or as a call of the operation.
    over_http: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// Of an item of 1 KiB that is in memory.
    Get,
    /// Over such an item, with another content.
    Put,
    /// Of 25 of them.
    Query,
}

const fn call(request: Request) -> Path {
    Path {
        request,
        over_http: false,
    }
}

const fn http(request: Request) -> Path {
    Path {
        request,
        over_http: true,
    }
}

impl Path {
    /// All that are counted.
    pub(crate) const ALL: [Self; 5] = [
        call(Request::Get),
        call(Request::Put),
        call(Request::Query),
        http(Request::Get),
        http(Request::Put),
    ];

    /// Its name in the record.
    pub(crate) fn name(self) -> &'static str {
        match (self.request, self.over_http) {
            (Request::Get, false) => "get",
            (Request::Put, false) => "put",
            (Request::Query, false) => "query",
            (Request::Get, true) => "http-get",
            (Request::Put, true) => "http-put",
            (Request::Query, true) => "http-query",
        }
    }

    /// How many requests the difference is made of.
    pub(crate) fn requests(self) -> u64 {
        match self.request {
            Request::Query => 200,
            _ => 1000,
        }
    }
}

impl Request {
    fn operation(self) -> Operation {
        match self {
            Self::Get => Operation::GetItem,
            Self::Put => Operation::PutItem,
            Self::Query => Operation::Query,
        }
    }

    fn body(self, number: u64) -> String {
        match self {
            Self::Get => format!(r#"{{"TableName":"items","Key":{{{}}}}}"#, key(number)),
            Self::Put => put(number, number / ITEMS),
            Self::Query => QUERY.to_owned(),
        }
    }
}

/// Items that are there, each with its number as sort key.
const ITEMS: u64 = 100;

const QUERY: &str = r#"{"TableName":"items","Limit":25,"KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"user#00000001"}}}"#;

fn key(number: u64) -> String {
    let sort = number % ITEMS;
    format!(r#""pk":{{"S":"user#00000001"}},"sk":{{"N":"{sort}"}}"#)
}

/// A PutItem of 1 KiB in 12 attributes; `version` makes contents differ.
fn put(number: u64, version: u64) -> String {
    let text = format!("{:04}", version % 10_000).repeat(24);
    let fields: String = (0..10)
        .map(|field| format!(r#","field{field}":{{"S":"{text}"}}"#))
        .collect();
    format!(
        r#"{{"TableName":"items","Item":{{{}{fields}}}}}"#,
        key(number)
    )
}

const TABLE: &str = r#"{"TableName":"items","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],
    "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}"#;

/// Does so many requests on the path of this name.
pub(crate) fn run(name: &str, requests: &str) -> Result<ExitCode, Box<dyn Error>> {
    let path = Path::ALL.into_iter().find(|path| path.name() == name);
    let path = path.ok_or("there is no such path")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let allocations = runtime.block_on(perform(path, requests.parse()?))?;
    println!("{allocations}");
    Ok(ExitCode::SUCCESS)
}

/// Gives how often this thread has asked for memory on behalf of the requests.
async fn perform(path: Path, requests: usize) -> Result<u64, Box<dyn Error>> {
    let stator = Stator::open(StatorOptions::default())?;
    call_operation(&stator, Operation::CreateTable, TABLE).await?;
    for number in 0..ITEMS {
        call_operation(&stator, Operation::PutItem, &put(number, 9999)).await?;
    }
    let request = path.request;
    // Made beforehand, and as many whatever the number of requests: making them is not counted.
    let bodies: Vec<String> = (0..2 * ITEMS).map(|number| request.body(number)).collect();
    let operation = request.operation();
    let before;
    if path.over_http {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let options = ServerOptions::default();
        let server = Server::new(vec![listener], Arc::new(stator.clone()), options);
        tokio::spawn(server.run(std::future::pending()));
        let mut client = Client {
            stream: TcpStream::connect(address).await?,
            answer: Vec::with_capacity(16_384),
        };
        let wire: Vec<String> = bodies
            .iter()
            .map(|body| on_the_wire(operation.name(), body))
            .collect();
        before = allocations();
        for request in wire.iter().cycle().take(requests) {
            client.call(request).await?;
        }
    } else {
        before = allocations();
        for body in bodies.iter().cycle().take(requests) {
            call_operation(&stator, operation, body).await?;
        }
    }
    let after = allocations();
    stator.close()?;
    Ok(after - before)
}

async fn call_operation(
    stator: &Stator,
    operation: Operation,
    body: &str,
) -> Result<(), Box<dyn Error>> {
    let context = stator.context();
    let answer = dispatch(stator, &context, operation, body.as_bytes()).await;
    answer.map_err(|error| format!("{operation} was refused: {error:?}"))?;
    Ok(())
}

/// A request with the head that an SDK sends.
fn on_the_wire(operation: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost:8000\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n\
         Content-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20261122T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={SIGNATURE}\r\n\
         User-Agent: aws-sdk-rust/1.3 os/linux lang/rust/1.95\r\n\
         amz-sdk-invocation-id: 0f0f0f0f-0000-0000-0000-000000000000\r\n\
         amz-sdk-request: attempt=1; max=3\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One connection that is kept.
struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    async fn call(&mut self, request: &str) -> Result<(), Box<dyn Error>> {
        self.stream.write_all(request.as_bytes()).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err("the connection ended".into());
            }
            if is_complete(&self.answer)? {
                return Ok(());
            }
        }
    }
}

fn is_complete(answer: &[u8]) -> Result<bool, Box<dyn Error>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let Some((head, body)) = end.and_then(|end| answer.split_at_checked(end + 4)) else {
        return Ok(false);
    };
    let head = std::str::from_utf8(head)?;
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(format!("the request was refused: {head}").into());
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .ok_or("an answer without a length")?;
    Ok(body.len() >= length.parse()?)
}

const SIGNATURE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
