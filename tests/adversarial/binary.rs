//! The real binary, over a socket.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stator::wire::Operation;

use crate::round::{Answer, Target};

/// An answer that has not come by then never comes.
const LONGEST: Duration = Duration::from_secs(60);

pub(crate) struct Binary {
    process: Child,
    /// Where it listens.
    address: String,
    /// What it writes to stderr.
    log: File,
    connection: BufReader<TcpStream>,
}

impl Binary {
    pub(crate) fn start() -> Self {
        let log = tempfile::tempfile().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_stator"))
            .args(["serve", "--port", "0", "--in-memory"])
            .stdout(Stdio::piped())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .unwrap();
        let banner = BufReader::new(process.stdout.take().unwrap());
        let address = banner
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                line.trim()
                    .strip_prefix("endpoint")?
                    .trim()
                    .strip_prefix("http://")
                    .map(str::to_owned)
            })
            .expect("the banner names the endpoint");
        Self {
            process,
            connection: connect(&address),
            address,
            log,
        }
    }

    fn log(&mut self) -> String {
        let mut text = String::new();
        self.log.rewind().unwrap();
        self.log.read_to_string(&mut text).unwrap();
        text
    }

    fn exchange(&mut self, operation: Operation, body: &[u8]) -> std::io::Result<Answer> {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=me/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, \
             Signature=0\r\nX-Amz-Date: 20260101T000000Z\r\nContent-Length: {}\r\n\r\n",
            operation.target(),
            body.len()
        );
        self.connection
            .get_mut()
            .write_all(&[head.as_bytes(), body].concat())?;
        let mut line = String::new();
        self.connection.read_line(&mut line)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let (mut length, mut closes) = (0, false);
        while line != "\r\n" {
            line.clear();
            self.connection.read_line(&mut line)?;
            let header = line.trim().to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            closes |= header == "connection: close";
            if line.is_empty() {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        if closes {
            self.connection = connect(&self.address);
        }
        Ok(Answer {
            status: status.unwrap_or_default(),
            body,
        })
    }
}

fn connect(address: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    BufReader::new(stream)
}

impl Target for Binary {
    fn call(&mut self, operation: Operation, body: &[u8]) -> Answer {
        match self.exchange(operation, body) {
            Ok(answer) => answer,
            Err(error) => panic!("no answer: {error}; the server said: {}", self.log()),
        }
    }

    fn stop(&mut self) {
        let log = self.log();
        assert!(!log.contains("panicked"), "{log}");
        assert!(
            self.process.try_wait().unwrap().is_none(),
            "the server has ended: {log}"
        );
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // It may have ended by itself, which `stop` has complained about.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
