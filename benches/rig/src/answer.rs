//! Answers as they come in: where one ends, what it says.

use memchr::memmem;

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Where the body begins.
    size: usize,
    body: Framing,
    closes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: std::borrow::Cow<'a, [u8]>,
    /// Whether the connection ends with it.
    pub closes: bool,
}

/// No answer of HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbled;

/// The bytes of one answer, which come in pieces.
#[derive(Debug, Default)]
pub struct Incoming {
    bytes: Vec<u8>,
    filled: usize,
    head: Option<Head>,
}

/// How much is asked for at once: a page of a Query and its head, most of the time.
const PIECE: usize = 16 * 1024;

impl Incoming {
    /// Where the next piece goes.
    pub fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() - self.filled < PIECE / 4 {
            let size = (self.bytes.len() * 2).max(PIECE);
            self.bytes.resize(size, 0);
        }
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }

    /// So many bytes were put into the room.
    pub fn filled(&mut self, size: usize) {
        self.filled = (self.filled + size).min(self.bytes.len());
    }

    /// Forgets the answer; the memory stays.
    pub fn clear(&mut self) {
        self.filled = 0;
        self.head = None;
    }

    /// What has come in, head and body.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    /// Whether nothing of an answer is there.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The answer, if it is complete.
    ///
    /// # Errors
    /// If it is none.
    pub fn answer(&mut self) -> Result<Option<Answer<'_>>, Garbled> {
        let bytes = self.bytes.get(..self.filled).unwrap_or_default();
        let head = match self.head {
            Some(head) => head,
            None => match parse_head(bytes)? {
                None => return Ok(None),
                Some(head) => {
                    self.head = Some(head);
                    head
                }
            },
        };
        let rest = bytes.get(head.size..).unwrap_or_default();
        let body = match head.body {
            Framing::Length(size) => match rest.get(..size) {
                Some(body) => body.into(),
                None => return Ok(None),
            },
            Framing::Chunked => match unchunked(rest)? {
                Some(body) => body.into(),
                None => return Ok(None),
            },
        };
        Ok(Some(Answer {
            status: head.status,
            body,
            closes: head.closes,
        }))
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Garbled> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut response = httparse::Response::new(&mut headers);
    let size = match response.parse(bytes) {
        Ok(httparse::Status::Complete(size)) => size,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Garbled),
    };
    let status = response.code.ok_or(Garbled)?;
    let mut head = Head {
        status,
        size,
        body: Framing::Length(0),
        closes: response.version == Some(0),
    };
    for header in response.headers.iter() {
        let value = header.value;
        if header.name.eq_ignore_ascii_case("content-length") {
            let length = std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.trim().parse().ok());
            head.body = Framing::Length(length.ok_or(Garbled)?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            head.body = Framing::Chunked;
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(Some(head))
}

/// The body that chunks make up, if the last one is there.
fn unchunked(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, Garbled> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(bytes) {
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Garbled),
            Ok(httparse::Status::Complete((head, size))) => {
                let size = usize::try_from(size).map_err(|_| Garbled)?;
                let rest = bytes.get(head..).unwrap_or_default();
                if size == 0 {
                    // Trailers, of which DynamoDB has none, end with an empty line.
                    let ended =
                        rest.starts_with(b"\r\n") || memmem::find(rest, b"\r\n\r\n").is_some();
                    return Ok(ended.then_some(body));
                }
                let Some(end) = size.checked_add(2).filter(|end| *end <= rest.len()) else {
                    return Ok(None);
                };
                body.extend_from_slice(rest.get(..size).unwrap_or_default());
                bytes = rest.get(end..).unwrap_or_default();
            }
        }
    }
}

/// The name of the error that a body tells of, without what stands before the `#`.
pub fn error_name(body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let kind = answer
        .get("__type")
        .or_else(|| answer.get("code"))?
        .as_str()?;
    let name = kind.rsplit('#').next().unwrap_or(kind);
    Some(name.to_owned())
}

/// Whether a batch's answer says that a part of it was not done.
pub fn is_partial(body: &[u8]) -> bool {
    [&b"\"UnprocessedItems\""[..], b"\"UnprocessedKeys\""]
        .iter()
        .filter_map(|member| {
            let at = memmem::rfind(body, member)?;
            body.get(at + member.len()..)
        })
        .any(|rest| {
            let mut rest = rest.iter().filter(|byte| !byte.is_ascii_whitespace());
            rest.next() == Some(&b':') && rest.next() == Some(&b'{') && rest.next() != Some(&b'}')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(incoming: &mut Incoming, bytes: &[u8]) {
        incoming.room()[..bytes.len()].copy_from_slice(bytes);
        incoming.filled(bytes.len());
    }

    fn in_pieces(text: &str) -> (u16, Vec<u8>, bool) {
        let mut incoming = Incoming::default();
        for (place, byte) in text.bytes().enumerate() {
            assert_eq!(incoming.answer(), Ok(None), "after {place} bytes");
            feed(&mut incoming, &[byte]);
        }
        let answer = incoming.answer().unwrap().unwrap();
        (answer.status, answer.body.into_owned(), answer.closes)
    }

    #[test]
    fn answers_are_complete_when_they_are() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-amzn-RequestId: A\r\n\r\n{}";
        assert_eq!(in_pieces(plain), (200, b"{}".to_vec(), false));
        let chunked = "HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\nConnection: close\r\n\r\n\
                       3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n";
        assert_eq!(in_pieces(chunked), (400, b"{\"a\":1}".to_vec(), true));
        let empty = "HTTP/1.0 204 No Content\r\nServer: x\r\n\r\n";
        assert_eq!(in_pieces(empty), (204, Vec::new(), true));
    }

    #[test]
    fn large_answers_find_room_and_clear_makes_way() {
        let mut incoming = Incoming::default();
        let body = vec![b'x'; 100_000];
        feed(
            &mut incoming,
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        );
        for piece in body.chunks(1000) {
            feed(&mut incoming, piece);
        }
        assert_eq!(incoming.answer().unwrap().unwrap().body.len(), 100_000);
        incoming.clear();
        assert!(incoming.is_empty());
        assert_eq!(incoming.answer(), Ok(None));
    }

    #[test]
    fn garbage_is_told_from_a_beginning() {
        let mut incoming = Incoming::default();
        feed(&mut incoming, b"SSH-2.0-x\r\n");
        assert_eq!(incoming.answer(), Err(Garbled));
    }

    #[test]
    fn errors_and_parts_are_recognised() {
        let error =
            br#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"x"}"#;
        assert_eq!(error_name(error).as_deref(), Some("ThrottlingException"));
        assert_eq!(error_name(b"<html>"), None);
        assert!(is_partial(br#"{"UnprocessedItems": {"t": []}}"#));
        assert!(is_partial(br#"{"UnprocessedKeys":{"t":1}}"#));
        assert!(!is_partial(br#"{"UnprocessedItems":{ }}"#));
        assert!(!is_partial(b"{}"));
    }
}
