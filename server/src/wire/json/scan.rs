//! Finds the ends of strings and numbers.

/// How many bytes at the start of `bytes` can stand in a JSON string as they are: all up to a quote,
/// a backslash or a control character.
///
/// Most strings are short and go by eight bytes, with the usual arithmetic of finding a zero byte in a
/// word, whose lowest hit is exact. What is longer goes by 32, in a loop that the compiler turns into
/// vector instructions.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    const SHORT: usize = 32;
    let Some((head, tail)) = bytes.split_at_checked(SHORT) else {
        return plain_words(bytes);
    };
    let length = plain_words(head);
    if length < SHORT {
        return length;
    }
    let (blocks, _) = tail.as_chunks::<32>();
    let clean = |block: &&[u8; 32]| block.iter().fold(true, |all, byte| all & plain(*byte));
    let skipped = 32 * blocks.iter().take_while(clean).count();
    length + skipped + plain_words(tail.get(skipped..).unwrap_or_default())
}

fn plain_words(bytes: &[u8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(LOW) & !word & HIGH;
    let (chunks, tail) = bytes.as_chunks::<8>();
    let mut length = 0;
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let quote = zero(word ^ (LOW * u64::from(b'"')));
        let backslash = zero(word ^ (LOW * u64::from(b'\\')));
        let control = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
        let stop = quote | backslash | control;
        if stop != 0 {
            return length + (stop.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length + tail.iter().take_while(|byte| plain(**byte)).count()
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
