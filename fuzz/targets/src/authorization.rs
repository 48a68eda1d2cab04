//! The `Authorization` header, and the query string of presigned requests: two lines, of which the
//! first may be empty.

use stator::http::fuzzing::authorization;

pub(crate) fn run(input: &[u8]) {
    let (header, query) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let header = (!header.is_empty()).then_some(header);
    authorization(header, &String::from_utf8_lossy(query));
}
