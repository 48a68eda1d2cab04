//! Key attributes as bytes whose order is the order of the values.
//!
//! ```text
//! N             the number's canonical bytes, which tell where they end
//! S, B, last    the bytes as they are
//! S, B, inner   the bytes with 00 replaced by 00 FF, then 00 01
//! ```
//!
//! A string's order is that of its UTF-8 bytes, as in DynamoDB. *Inner* is a value behind which
//! another one follows in the same key (a secondary index's key goes on with the base table's); its
//! end sorts before any continuation of it. The type is not in the key: the schema of the table knows
//! it, and values of different types never meet in one key attribute.

use super::error::CorruptItem;
use super::number::Number;
use super::value::{Kind, Value, ValueRef};

/// Ends an inner string: smaller than what any byte of a string is written as.
const END: [u8; 2] = [0x00, 0x01];

/// Stands for a zero byte in an inner string.
const ESCAPED_ZERO: [u8; 2] = [0x00, 0xff];

/// Whether something follows a value in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Another value follows.
    Inner,
    /// The key ends with it.
    Last,
}

/// Appends the value, which has to be of type S, N or B; tells whether it was.
#[must_use = "a value of another type is not written"]
pub fn encode(value: ValueRef<'_>, place: Place, out: &mut Vec<u8>) -> bool {
    let encoded = encode_prefix(value, place, out);
    if encoded && place == Place::Inner && value.kind() != Kind::N {
        out.extend_from_slice(&END);
    }
    encoded
}

/// Appends what all strings or binary values that start with this one have in common: for
/// `begins_with`. A number is appended in full.
#[must_use = "a value of another type is not written"]
pub fn encode_prefix(value: ValueRef<'_>, place: Place, out: &mut Vec<u8>) -> bool {
    let Some(bytes) = value.order_bytes() else {
        return false;
    };
    if place == Place::Last || value.kind() == Kind::N {
        out.extend_from_slice(bytes);
        return true;
    }
    let mut runs = bytes.split(|byte| *byte == 0);
    out.extend_from_slice(runs.next().unwrap_or_default());
    for run in runs {
        out.extend_from_slice(&ESCAPED_ZERO);
        out.extend_from_slice(run);
    }
    true
}

/// Reads a value of that type off the front of `bytes`, which are what [`encode`] wrote; gives what
/// follows it.
pub fn decode(kind: Kind, place: Place, bytes: &[u8]) -> Result<(Value, &[u8]), CorruptItem> {
    if kind == Kind::N {
        let (number, rest) =
            Number::split(bytes).ok_or_else(|| CorruptItem::new(0, "a number in a key"))?;
        return match (place, rest) {
            (Place::Inner, _) | (Place::Last, []) => Ok((Value::number(number), rest)),
            _ => Err(CorruptItem::new(
                bytes.len() - rest.len(),
                "the end of a key",
            )),
        };
    }
    let unescaped;
    let (content, rest) = match place {
        Place::Last => (bytes, &[][..]),
        Place::Inner => {
            let (content, rest) = unescape(bytes)?;
            unescaped = content;
            (unescaped.as_slice(), rest)
        }
    };
    let value = match kind {
        Kind::S => std::str::from_utf8(content).ok().map(Value::string),
        Kind::B => Some(Value::binary(content)),
        _ => None,
    };
    match value {
        Some(value) => Ok((value, rest)),
        None => Err(CorruptItem::new(0, "a key attribute of the schema's type")),
    }
}

fn unescape(bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), CorruptItem> {
    let mut content = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let zero = rest.iter().position(|byte| *byte == 0);
        let (run, after) = zero
            .and_then(|zero| rest.split_at_checked(zero))
            .ok_or_else(|| CorruptItem::new(bytes.len(), "the end of a key attribute"))?;
        content.extend_from_slice(run);
        match after.split_first_chunk() {
            Some((&END, behind)) => return Ok((content, behind)),
            Some((&ESCAPED_ZERO, behind)) => {
                content.push(0);
                rest = behind;
            }
            _ => {
                let offset = bytes.len() - after.len();
                return Err(CorruptItem::new(offset, "an escape in a key attribute"));
            }
        }
    }
}

/// The smallest bytes that sort behind everything that starts with `prefix`: the end of a range over
/// all continuations. `None` if there are none (only FF, or nothing).
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.len()
        - prefix
            .iter()
            .rev()
            .take_while(|byte| **byte == 0xff)
            .count();
    let mut end = prefix.get(..kept)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}
