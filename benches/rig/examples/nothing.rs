//! A server that does nothing: it answers every request with the same bytes, a thread for each
//! connection. What is left of a measurement against it is the rig's own cost.
//!
//! `cargo run --release -p stator-bench --example nothing`, and then
//! `stator bench --endpoint … --no-load --workload c --closed --connections 16`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// As long as an item of a kilobyte is, in the answer to a GetItem.
fn answer() -> Vec<u8> {
    let item = format!(
        r#"{{"Table":{{}},"Item":{{"field0":{{"S":"{}"}}}}}}"#,
        "x".repeat(1000)
    );
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n\
                x-amzn-RequestId: 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEF\r\n\
                x-amz-crc32: 1234567890\r\n";
    format!("{head}Content-Length: {}\r\n\r\n{item}", item.len()).into_bytes()
}

/// Where the first request in `bytes` ends, if it is whole.
fn end(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let length = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.parse::<usize>().ok())
        .unwrap_or(0);
    (bytes.len() >= head + length).then_some(head + length)
}

fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let answer = answer();
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let size = stream.read(&mut piece)?;
        if size == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(piece.get(..size).unwrap_or_default());
        while let Some(end) = end(&bytes) {
            bytes.drain(..end);
            stream.write_all(&answer)?;
        }
    }
}

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        // A connection that breaks is the other side's affair.
        std::thread::spawn(move || drop(converse(stream)));
    }
    Ok(())
}
