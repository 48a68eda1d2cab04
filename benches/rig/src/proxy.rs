//! The proxy of `--record`: it stands before an endpoint, writes down what passes, and signs it anew,
//! since the host that was signed was the proxy's.
//!
//! A thread for each connection, each with a connection of its own to the endpoint: a proxy is there
//! for the pools of a few programs, and not to be measured.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;

use crate::answer::Incoming;
use crate::client::PATIENCE;
use crate::failure::{Doing, Failure};
use crate::recording::Line;
use crate::signature::Signer;
use crate::stream::{Connector, Waiting};

/// What a request may have at most: DynamoDB takes 16 MB.
const LARGEST: usize = 17 * 1024 * 1024;

/// Heads are shorter than this.
const LARGEST_HEAD: usize = 64 * 1024;

/// How often the listener looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// What all connections share.
struct Shared {
    connector: Connector,
    signer: Mutex<(Signer, Vec<String>)>,
    lines: Sender<Line>,
    start: Instant,
    passed: AtomicU64,
}

/// Listens until `stop` is set, and writes what passes to a file. The number of requests is returned.
///
/// # Errors
/// If it cannot listen, or the file cannot be written.
pub fn record(
    listen: SocketAddr,
    path: &Path,
    connector: Connector,
    signer: Signer,
    stop: &AtomicBool,
) -> Result<u64, Failure> {
    let listener = TcpListener::bind(listen).doing(format!("{listen} can't be listened on"))?;
    listener
        .set_nonblocking(true)
        .doing(format!("{listen} can't be listened on"))?;
    let address = listener.local_addr().doing("the proxy has no address")?;
    let shown = path.display().to_string();
    let file = std::fs::File::create(path).doing(format!("'{shown}' can't be written"))?;
    let (lines, received) = mpsc::channel::<Line>();
    let writer = std::thread::Builder::new()
        .name("recorder".to_owned())
        .spawn(move || {
            let mut file = io::BufWriter::new(file);
            for line in received {
                if line.target.is_empty() {
                    break;
                }
                serde_json::to_writer(&mut file, &line)?;
                file.write_all(b"\n")?;
            }
            file.flush()
        });
    let writer = writer.doing("the proxy can't start its threads")?;
    let shared = Arc::new(Shared {
        connector,
        signer: Mutex::new((signer, Vec::new())),
        lines,
        start: Instant::now(),
        passed: AtomicU64::new(0),
    });
    eprintln!("recording what passes through http://{address}; Ctrl-C ends it");
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                let serve = move || {
                    // A connection that breaks is the affair of its two ends.
                    drop(
                        stream
                            .set_nonblocking(false)
                            .and_then(|()| converse(stream, &shared)),
                    );
                };
                let thread = std::thread::Builder::new()
                    .name("proxy".to_owned())
                    .spawn(serve);
                drop(thread.doing("the proxy can't start its threads")?);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(LOOK),
            Err(error) => return Err(Failure(format!("the proxy can't listen: {error}."))),
        }
        if writer.is_finished() {
            break;
        }
    }
    let passed = shared.passed.load(Ordering::Relaxed);
    // Connections that are still open keep their sender, so that an empty target ends the writer,
    // behind all that came before.
    let end = Line {
        at_ns: 0,
        target: String::new(),
        body: RawValue::NULL.to_owned(),
    };
    drop(shared.lines.send(end));
    drop(shared);
    match writer.join() {
        Ok(written) => written.doing(format!("'{shown}' can't be written"))?,
        Err(_) => return Err(Failure::new("the proxy has failed.")),
    }
    Ok(passed)
}

/// A request's head, as far as it matters here.
struct Head {
    size: usize,
    length: usize,
    target: Option<String>,
    is_plain: bool,
}

fn head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let size = match request.parse(bytes) {
        Ok(httparse::Status::Complete(size)) => size,
        Ok(httparse::Status::Partial) if bytes.len() < LARGEST_HEAD => return Ok(None),
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let mut head = Head {
        size,
        length: 0,
        target: None,
        is_plain: true,
    };
    for header in request.headers.iter() {
        let value = String::from_utf8_lossy(header.value);
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let length = value
                    .trim()
                    .parse()
                    .ok()
                    .filter(|length| *length <= LARGEST);
                head.length = length.ok_or(io::ErrorKind::InvalidData)?;
            }
            "x-amz-target" => head.target = Some(value.into_owned()),
            "content-encoding" | "transfer-encoding" => head.is_plain = false,
            _ => {}
        }
    }
    Ok(Some(head))
}

fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut upstream: Option<Box<dyn Waiting>> = None;
    let mut bytes = Vec::new();
    let mut piece = vec![0; 16 * 1024];
    loop {
        let found = match head(&bytes)? {
            Some(head) if bytes.len() >= head.size + head.length => head,
            _ => {
                let size = stream.read(&mut piece)?;
                if size == 0 {
                    return Ok(());
                }
                bytes.extend_from_slice(piece.get(..size).unwrap_or_default());
                continue;
            }
        };
        let at_ns = u64::try_from(shared.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let rest = bytes.split_off(found.size + found.length);
        let body = bytes.split_off(found.size);
        bytes = rest;
        let text = String::from_utf8(body).ok();
        // Lines end in JSON only between its parts, and a request is one line.
        let body =
            text.and_then(|text| RawValue::from_string(text.replace(['\n', '\r'], " ")).ok());
        // What is no request of DynamoDB's, or would have to be decoded first, is not let through:
        // a recording that lacks something would be played as if it were whole.
        let (Some(target), Some(body), true) = (found.target, body, found.is_plain) else {
            return stream.write_all(REFUSED);
        };
        let request = sign(shared, &target, body.get().as_bytes());
        shared.passed.fetch_add(1, Ordering::Relaxed);
        let line = Line {
            at_ns,
            target,
            body,
        };
        // After the end nobody writes any more.
        drop(shared.lines.send(line));
        let mut connection = match upstream.take() {
            Some(connection) => connection,
            None => shared.connector.connect_and_wait(PATIENCE)?,
        };
        connection.write_all(&request)?;
        let mut incoming = Incoming::default();
        let closes = loop {
            if let Some(answer) = incoming.answer().map_err(|_| io::ErrorKind::InvalidData)? {
                break answer.closes;
            }
            let size = connection.read(incoming.room())?;
            if size == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            incoming.filled(size);
        };
        stream.write_all(incoming.bytes())?;
        if closes {
            return Ok(());
        }
        upstream = Some(connection);
    }
}

const REFUSED: &[u8] =
    b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

fn sign(shared: &Shared, target: &str, body: &[u8]) -> Vec<u8> {
    let mut guard = shared.signer.lock().unwrap_or_else(PoisonError::into_inner);
    let (signer, targets) = &mut *guard;
    let place = targets
        .iter()
        .position(|known| known == target)
        .unwrap_or_else(|| {
            targets.push(target.to_owned());
            signer.set_targets(targets.clone());
            targets.len() - 1
        });
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut request = Vec::new();
    signer.write(place, body, now.as_secs(), &mut request);
    request
}
