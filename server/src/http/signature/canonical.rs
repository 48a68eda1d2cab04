//! The canonical form of a request, which is what is signed (IAM user guide, "Create a signed AWS API
//! request", step 1).

use std::borrow::Cow;

use hyper::http::request::Parts;
use memchr::memmem;
use sha2::{Digest, Sha256};

/// The parameter that holds the signature of a presigned request, and is not signed itself.
const SIGNATURE: &str = "X-Amz-Signature";

/// The canonical form of a request with `body`, of which these headers are signed.
pub(super) fn request(head: &Parts, signed_headers: &str, presigned: bool, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(head.method.as_str().as_bytes());
    out.push(b'\n');
    path(head.uri.path(), &mut out);
    out.push(b'\n');
    if let Some(given) = head.uri.query() {
        query(given, presigned, &mut out);
    }
    out.push(b'\n');
    for name in signed_headers.split(';') {
        header(head, name, &mut out);
    }
    out.push(b'\n');
    out.extend_from_slice(signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(&to_hex(&Sha256::digest(body).into()));
    out
}

/// A path without its dots and double slashes, encoded once more, as all services but S3 have it.
fn path(path: &str, out: &mut Vec<u8>) {
    if path == "/" {
        out.push(b'/');
        return;
    }
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        out.push(b'/');
        encode(segment.as_bytes(), out);
    }
    let folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    if segments.is_empty() || folder {
        out.push(b'/');
    }
}

/// The parameters in the order of their names and then of their values, both encoded.
fn query(query: &str, presigned: bool, out: &mut Vec<u8>) {
    let encoded = |text: &str| {
        let mut out = Vec::with_capacity(text.len());
        encode(decode(text).as_bytes(), &mut out);
        out
    };
    let mut parameters: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| !(presigned && *name == SIGNATURE))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    parameters.sort_unstable();
    for (place, (name, value)) in parameters.iter().enumerate() {
        if place > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// A header with all its values, without what space is too much in them.
fn header(head: &Parts, name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let values = head.headers.get_all(name).iter();
    for (place, value) in values.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let value = value.as_bytes().trim_ascii();
        if memmem::find(value, b"  ").is_none() {
            out.extend_from_slice(value);
            continue;
        }
        let mut before = 0;
        for byte in value {
            if (*byte, before) != (b' ', b' ') {
                out.push(*byte);
            }
            before = *byte;
        }
    }
    out.push(b'\n');
}

/// Percent-encodes all but what RFC 3986 does not reserve.
fn encode(text: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(*byte);
        } else {
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// Undoes percent-encoding; what is none stays. What gives no UTF-8 is signed by nobody, and gives
/// another text.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let pair = after.first_chunk().and_then(|[high, low]| {
            let value = |digit: u8| char::from(digit).to_digit(16);
            u8::try_from(value(*high)? * 16 + value(*low)?).ok()
        });
        match pair.filter(|_| *byte == b'%') {
            Some(decoded) => {
                out.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            None => out.push(*byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// A hash in hexadecimal digits.
pub(super) fn to_hex(hash: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    let mut hex = [0; 64];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(hash) {
        if let [high, low] = pair {
            *high = digit(byte >> 4);
            *low = digit(byte & 15);
        }
    }
    hex
}

/// A hash of hexadecimal digits, which are small.
pub(super) fn from_hex(hex: &str) -> Option<[u8; 32]> {
    let hex: &[u8; 64] = hex.as_bytes().try_into().ok()?;
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(hex.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}
