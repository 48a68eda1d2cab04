//! What of the front takes text from strangers, for the targets in `fuzz/`. Not part of the API.

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};

use super::credentials;

/// Reads the credentials of a request that has this `Authorization` header, if it is one, and this
/// query string. What is read is part of what was sent.
pub fn authorization(header: Option<&[u8]>, query: &str) {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-date", HeaderValue::from_static("20261122T000000Z"));
    if let Some(Ok(value)) = header.map(HeaderValue::from_bytes) {
        headers.insert(AUTHORIZATION, value);
    }
    match credentials::read(&headers, query) {
        Ok(credentials) => {
            assert!(!credentials.access_key.is_empty());
            assert!(credentials.region.is_none_or(|region| !region.is_empty()));
        }
        Err(error) => assert_eq!(error.status(), 400),
    }
}
