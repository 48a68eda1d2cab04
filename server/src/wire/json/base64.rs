//! Blobs: strings in base64, by the strict rules of DynamoDB's decoder.

use base64_simd::STANDARD;

use super::error::{Base64Error, SerializationError};

type Result<T> = std::result::Result<T, SerializationError>;

/// The bytes that `text` is the base64 of.
pub fn decode_base64(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    decode_base64_append(text, &mut bytes)?;
    Ok(bytes)
}

/// Appends the bytes that `text` is the base64 of. On an error `out` is as it was.
pub fn decode_base64_append(text: &str, out: &mut Vec<u8>) -> Result<()> {
    STANDARD
        .decode_append(text.as_bytes(), out)
        .map_err(|_| SerializationError::Base64(base64_error(text.as_bytes())))
}

/// Which rule `text`, known to be no base64, breaks.
fn base64_error(text: &[u8]) -> Base64Error {
    if !text.len().is_multiple_of(4) {
        return Base64Error::Length(text.len());
    }
    let padding = text
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count();
    let digits = text.get(..text.len() - padding).unwrap_or_default();
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    match digits.iter().find(|byte| !legal(byte)) {
        Some(byte) => Base64Error::Byte(*byte),
        None => Base64Error::LastCharacter,
    }
}
