//! Content codings: compressed bodies, both ways.
//!
//! DynamoDB reads requests in `gzip` and `deflate` (that is, zlib), and compresses an answer beyond
//! some size for a client that says it can read it. `x-amz-crc32` is of the body as sent, so of the
//! compressed one (aws-sdk-go-v2, `service/dynamodb/internal/customizations`). No SDK asks for either
//! by itself.

use std::io::{self, BufRead, Read};

use bytes::{Buf, Bytes};
use flate2::Compression;
use flate2::bufread::{GzEncoder, MultiGzDecoder, ZlibDecoder, ZlibEncoder};
use hyper::HeaderMap;
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue};

use super::body::LIMIT;

/// A way to compress a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// HTTP's name for the zlib format (RFC 9110, 8.4.1.2).
    Deflate,
}

/// Answers from this size on, in bytes, are compressed if the client can read that. That there is
/// such a size is all that AWS says; below this one, compression saves no packet worth the time.
const SMALLEST: usize = 4096;

/// How much is inflated or deflated at once on a thread that serves other connections too, in bytes:
/// well under a millisecond of work. What is more goes to a thread that may be busy.
const INLINE: usize = 64 * 1024;

/// Why a body could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CodingError {
    /// It is not in the coding that its header names, or it ends too early.
    Broken,
    /// What comes out of it is larger than [`LIMIT`]. It was not inflated further than that.
    TooLarge,
}

impl Coding {
    fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }

    /// The value of `Content-Encoding`.
    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        })
    }

    /// The coding of a request's body. A name that is not known is passed over, since older clients
    /// put names of their own there (`amz-1.0`): a body that is really coded so is no JSON, and is
    /// refused as that.
    fn of_request(headers: &HeaderMap) -> Option<Self> {
        let named = headers.get(CONTENT_ENCODING)?.to_str().ok()?;
        Self::from_name(named)
    }

    /// The coding that the client likes best. `*` asks for nothing in particular.
    fn of_answer(headers: &HeaderMap) -> Option<Self> {
        let mut best = None;
        for listed in headers.get_all(ACCEPT_ENCODING) {
            for one in listed.to_str().unwrap_or_default().split(',') {
                let (name, weight) = one.split_once(';').unwrap_or((one, ""));
                let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
                let weight = weight.trim().parse::<f32>().unwrap_or(0.0);
                let Some(coding) = Self::from_name(name).filter(|_| weight > 0.0) else {
                    continue;
                };
                if best.is_none_or(|(_, heaviest)| weight > heaviest) {
                    best = Some((coding, weight));
                }
            }
        }
        best.map(|(coding, _)| coding)
    }
}

/// The body of a request as its operation reads it, at most [`LIMIT`] bytes.
pub(super) async fn decode(headers: &HeaderMap, body: Bytes) -> Result<Bytes, CodingError> {
    let Some(coding) = Coding::of_request(headers).filter(|_| !body.is_empty()) else {
        return Ok(body);
    };
    let mut inflation = Inflation::new(coding, body);
    if inflation.advance(INLINE)? {
        return Ok(inflation.plain.into());
    }
    let rest = tokio::task::spawn_blocking(move || match inflation.advance(LIMIT)? {
        true => Ok(inflation.plain.into()),
        false => Err(CodingError::TooLarge),
    });
    rest.await.unwrap_or(Err(CodingError::Broken))
}

/// A body that is being inflated.
struct Inflation {
    source: Source,
    plain: Vec<u8>,
}

enum Source {
    Gzip(MultiGzDecoder<bytes::buf::Reader<Bytes>>),
    Deflate(ZlibDecoder<bytes::buf::Reader<Bytes>>),
}

impl Inflation {
    fn new(coding: Coding, body: Bytes) -> Self {
        let source = match coding {
            Coding::Gzip => Source::Gzip(MultiGzDecoder::new(body.reader())),
            Coding::Deflate => Source::Deflate(ZlibDecoder::new(body.reader())),
        };
        Self {
            source,
            plain: Vec::new(),
        }
    }

    /// Goes on until there are more than `limit` bytes, which gives `false`, or to the end.
    fn advance(&mut self, limit: usize) -> Result<bool, CodingError> {
        let room = (limit + 1).saturating_sub(self.plain.len()) as u64;
        let plain = &mut self.plain;
        let inflated = match &mut self.source {
            Source::Gzip(source) => source.take(room).read_to_end(plain),
            Source::Deflate(source) => source.take(room).read_to_end(plain),
        };
        inflated.map_err(|_| CodingError::Broken)?;
        if self.plain.len() > limit {
            return Ok(false);
        }
        match &mut self.source {
            // Behind a gzip stream there may be another, and anything else was an error above.
            Source::Gzip(_) => Ok(true),
            Source::Deflate(source) => match source.get_mut().fill_buf() {
                Ok([]) => Ok(true),
                _ => Err(CodingError::Broken),
            },
        }
    }
}

/// The body of an answer as it is sent, and its coding if it has one.
pub(super) async fn encode(headers: &HeaderMap, body: Bytes) -> (Bytes, Option<Coding>) {
    if body.len() < SMALLEST {
        return (body, None);
    }
    let Some(coding) = Coding::of_answer(headers) else {
        return (body, None);
    };
    let coded = if body.len() <= INLINE {
        deflate(coding, &body)
    } else {
        let body = body.clone();
        let work = tokio::task::spawn_blocking(move || deflate(coding, &body));
        work.await.unwrap_or_else(|error| Err(error.into()))
    };
    match coded {
        Ok(coded) => (coded.into(), Some(coding)),
        Err(_) => (body, None),
    }
}

/// At the fastest level: the network of a server on one machine is seldom what a client waits for.
fn deflate(coding: Coding, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut coded = Vec::with_capacity(body.len() / 4);
    match coding {
        Coding::Gzip => GzEncoder::new(body, Compression::fast()).read_to_end(&mut coded)?,
        Coding::Deflate => ZlibEncoder::new(body, Compression::fast()).read_to_end(&mut coded)?,
    };
    Ok(coded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(accepted: &[&'static str]) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        for value in accepted {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        Coding::of_answer(&headers)
    }

    #[test]
    fn the_client_says_what_it_can_read() {
        assert_eq!(best(&[]), None);
        assert_eq!(best(&["identity"]), None);
        assert_eq!(best(&["*"]), None);
        assert_eq!(best(&["br, zstd"]), None);
        assert_eq!(best(&["gzip"]), Some(Coding::Gzip));
        assert_eq!(best(&["X-GZIP"]), Some(Coding::Gzip));
        assert_eq!(best(&["gzip, deflate, br"]), Some(Coding::Gzip));
        assert_eq!(best(&["br", "deflate"]), Some(Coding::Deflate));
        assert_eq!(best(&["gzip;q=0.2, deflate; q=0.8"]), Some(Coding::Deflate));
        assert_eq!(best(&["gzip;q=0"]), None);
        assert_eq!(best(&["gzip;q=nonsense"]), None);
    }

    #[test]
    fn both_ways_give_back_what_was_there() {
        let body: Vec<u8> = (0..300_000_u32)
            .flat_map(|n| (n / 7).to_le_bytes())
            .collect();
        for coding in [Coding::Gzip, Coding::Deflate] {
            let coded = deflate(coding, &body).unwrap();
            assert!(coded.len() < body.len());
            let mut inflation = Inflation::new(coding, coded.clone().into());
            assert_eq!(inflation.advance(INLINE), Ok(false));
            assert_eq!(inflation.plain.len(), INLINE + 1);
            assert_eq!(inflation.advance(LIMIT), Ok(true));
            assert!(inflation.plain == body);
            for cut in [0, 1, coded.len() / 2, coded.len() - 1] {
                let half = Bytes::copy_from_slice(&coded[..cut]);
                let broken = Inflation::new(coding, half).advance(LIMIT);
                assert_eq!(broken, Err(CodingError::Broken), "{coding:?} {cut}");
            }
            let longer = [coded, b"rest".to_vec()].concat();
            let broken = Inflation::new(coding, longer.into()).advance(LIMIT);
            assert_eq!(broken, Err(CodingError::Broken), "{coding:?}");
        }
    }

    #[test]
    fn a_bomb_goes_off_at_the_limit_and_not_beyond() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let bomb = deflate(coding, &vec![b' '; LIMIT + 100_000]).unwrap();
            assert!(bomb.len() < 200_000, "{}", bomb.len());
            let mut inflation = Inflation::new(coding, bomb.into());
            assert_eq!(inflation.advance(LIMIT), Ok(false));
            assert_eq!(inflation.plain.len(), LIMIT + 1);
            let fits = deflate(coding, &vec![b' '; LIMIT]).unwrap();
            assert_eq!(Inflation::new(coding, fits.into()).advance(LIMIT), Ok(true));
        }
    }
}
