//! A client that sends one request at a time over a plain socket: no SDK, so that nothing is tried
//! again unseen, and a connection can be reset in the middle of a request.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::server::Outcome;

/// An answer that has not come by then never comes.
const LONGEST: Duration = Duration::from_secs(60);

/// A connection to one process of the server.
pub struct Connection {
    stream: BufReader<TcpStream>,
    /// Which process it is.
    pub generation: usize,
}

/// Status and body of an answer.
pub type Answer = (u16, Value);

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there.
    pub fn open(address: &str, generation: usize) -> Outcome<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LONGEST))?;
        Ok(Connection {
            stream: BufReader::new(stream),
            generation,
        })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// If the connection is gone. Whether the request was received is not known.
    pub fn send(&mut self, operation: &str, body: &Value) -> Outcome {
        let body = body.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: DynamoDB_20120810.{operation}\r\n\
             X-Amz-Date: 20260101T000000Z\r\n\
             Authorization: AWS4-HMAC-SHA256 \
             Credential=a/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=0\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())
    }

    /// Receives the answer to what was sent.
    ///
    /// # Errors
    /// If the connection ends before.
    pub fn receive(&mut self) -> Outcome<Answer> {
        let mut line = String::new();
        let (mut status, mut length) = (None, 0);
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if status.is_none() {
                let code = text.split(' ').nth(1).and_then(|code| code.parse().ok());
                status = Some(code.ok_or(io::ErrorKind::InvalidData)?);
            } else if let Some((name, value)) = text.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value
                    .trim()
                    .parse()
                    .map_err(|_| io::ErrorKind::InvalidData)?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        Ok((status, serde_json::from_slice(&body)?))
    }

    /// Resets the connection: what the server has not read of it is gone, and so is the answer.
    ///
    /// # Errors
    /// If it was gone before.
    pub fn reset(self) -> Outcome {
        let stream = self.stream.into_inner();
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
        Ok(())
    }
}
