//! Finds the ends of strings and numbers.

use wide::u8x16;

/// Bytes that are looked at together.
const LANES: usize = 16;

/// How many bytes at the start of `bytes` can stand in a JSON string as they are: all up to a quote,
/// a backslash or a control character.
///
/// It goes by sixteen bytes with vector instructions. What is left at the end is looked at together
/// with bytes before it, which are plain already; only what is shorter as a whole goes one by one.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (blocks, tail) = bytes.as_chunks::<LANES>();
    for (number, block) in blocks.iter().enumerate() {
        let stops = stops(*block);
        if stops != 0 {
            return LANES * number + stops.trailing_zeros() as usize;
        }
    }
    match bytes.last_chunk::<LANES>() {
        Some(last) if !tail.is_empty() => match stops(*last) {
            0 => bytes.len(),
            stops => bytes.len() - LANES + stops.trailing_zeros() as usize,
        },
        _ => bytes.len() - tail.len() + tail.iter().take_while(|byte| plain(**byte)).count(),
    }
}

/// Which of the bytes can't stand in a string as they are: the lowest bit is the first.
fn stops(block: [u8; LANES]) -> u32 {
    let block = u8x16::from(block);
    let control = block.simd_eq(block.min(u8x16::splat(0x1f)));
    let quote = block.simd_eq(u8x16::splat(b'"'));
    let backslash = block.simd_eq(u8x16::splat(b'\\'));
    (control | quote | backslash).to_bitmask()
}

fn plain(byte: u8) -> bool {
    (byte >= 0x20) & (byte != b'"') & (byte != b'\\')
}

/// The length of the JSON number at the start of `bytes`; `None` if there is none.
pub(super) fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut end = usize::from(bytes.first() == Some(&b'-'));
    end += match bytes.get(end) {
        Some(b'0') => 1,
        Some(b'1'..=b'9') => digits(end),
        _ => return None,
    };
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        end += 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end);
        if exponent == 0 {
            return None;
        }
        end += exponent;
    }
    Some(end)
}
