//! What of the front takes text from strangers, for the targets in `fuzz/`. Not part of the API.

use hyper::Request;
use hyper::header::{AUTHORIZATION, HeaderValue};

use super::credentials;
use super::signature::{Secret, Verifier};

/// Reads the credentials of a request that has this `Authorization` header, if it is one, and this
/// query string. What is read is part of what was sent; and whatever it claims, its signature is not
/// that of a secret that it does not know.
pub fn authorization(header: Option<&[u8]>, query: &str) {
    let (mut head, ()) = Request::new(()).into_parts();
    let date = HeaderValue::from_static("20261122T000000Z");
    head.headers.insert("x-amz-date", date);
    if let Some(Ok(value)) = header.map(HeaderValue::from_bytes) {
        head.headers.insert(AUTHORIZATION, value);
    }
    let target = format!("/?{query}").parse();
    head.uri = target.unwrap_or_default();
    match credentials::read(&head.headers, query) {
        Ok(claim) => {
            let secret = Secret {
                key: "unknown".to_owned(),
                session_token: None,
            };
            let id = claim.credentials.access_key.to_owned();
            let verifier = Verifier::new([(id, secret)]);
            assert!(verifier.verify(&claim, &head, b"{}", None).is_err());
            let credentials = claim.credentials;
            assert!(!credentials.access_key.is_empty());
            assert!(credentials.region.is_none_or(|region| !region.is_empty()));
        }
        Err(error) => assert_eq!(error.status(), 400),
    }
}
