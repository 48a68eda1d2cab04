//! Who a request says it is from: the signature's parts, read and not verified.
//!
//! DynamoDB wants a signature on every operation. Any non-empty credentials will do, unless
//! [`super::signature`] verifies them; but a request without them, or with half of them, gets the error that DynamoDB gives: a program
//! that forgot to sign must find out on its own machine. Order and wording of the complaints are
//! those that DynamoDB was seen to give (recorded in the comments of dynalite's `index.js`).

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, DATE, HeaderName};
use memchr::memchr;

use crate::wire::Error;

pub(super) const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// The scope of a request's signature. Both parts are non-empty where they are present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The access key id that signed the request.
    pub access_key: &'a str,
    /// The Region that the request was signed for; absent in a signature for several Regions
    /// (SigV4a).
    pub region: Option<&'a str>,
}

/// All that a request says about its signature. No part is empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub(super) credentials: Credentials<'a>,
    /// Whether it stands in the query string; then the other parts are percent-encoded.
    pub(super) presigned: bool,
    /// How it was signed.
    pub(super) algorithm: &'a str,
    /// `keyid/date/region/service/term`
    pub(super) credential: &'a str,
    /// The names of the headers that were signed, with semicolons between them.
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

/// Reads the claim from the `Authorization` header or, for a presigned request, from the query
/// string.
pub(super) fn read<'a>(headers: &'a HeaderMap, query: &'a str) -> Result<Claim<'a>, Error> {
    let header = headers
        .get(AUTHORIZATION)
        .map(|value| value.to_str().unwrap_or_default());
    let presigned = !query.is_empty() && parameter(query, "X-Amz-Algorithm").is_some();
    match (header, presigned) {
        (Some(_), true) => Err(signed_twice()),
        (None, false) => Err(missing_token()),
        (None, true) => from_query(query),
        (Some(header), false) => from_header(header, headers),
    }
}

fn missing_token() -> Error {
    Error::MissingAuthenticationToken("Request is missing Authentication Token".into())
}

fn signed_twice() -> Error {
    Error::InvalidSignature(
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
            .into(),
    )
}

fn incomplete(message: String) -> Error {
    Error::IncompleteSignature(message.into())
}

fn from_header<'a>(header: &'a str, headers: &HeaderMap) -> Result<Claim<'a>, Error> {
    let header = header.trim();
    if !header.starts_with("AWS4-") {
        return Err(missing_token());
    }
    let (algorithm, parameters) = split_at_byte(header, b' ').unwrap_or((header, ""));
    let (mut credential, mut signature, mut signed_headers) = (None, None, None);
    let mut rest = parameters;
    while !rest.is_empty() {
        let (parameter, after) = split_at_byte(rest, b',').unwrap_or((rest, ""));
        rest = after;
        let parameter = parameter.trim_ascii();
        if parameter.is_empty() {
            continue;
        }
        let Some((name, value)) = split_at_byte(parameter, b'=') else {
            return Err(incomplete(format!(
                "'{parameter}' not a valid key=value pair (missing equal-sign) in Authorization \
                 header: '{header}'."
            )));
        };
        match name {
            "Credential" => credential = Some(value),
            "Signature" => signature = Some(value),
            "SignedHeaders" => signed_headers = Some(value),
            _ => {}
        }
    }
    let credential = credential.filter(|value| !value.is_empty());
    let dated = headers.contains_key(AMZ_DATE) || headers.contains_key(DATE);
    if let (Some(credential), Some(signature), Some(signed_headers), true) =
        (credential, signature, signed_headers, dated)
        && !signature.is_empty()
    {
        return Ok(Claim {
            credentials: scope(credential, header)?,
            presigned: false,
            algorithm,
            credential,
            signed_headers,
            signature,
        });
    }
    let mut missing = String::new();
    for (name, present) in [
        ("Credential", credential.is_some()),
        (
            "Signature",
            signature.is_some_and(|value| !value.is_empty()),
        ),
        ("SignedHeaders", signed_headers.is_some()),
    ] {
        if !present {
            missing.push_str(&format!(
                "Authorization header requires '{name}' parameter. "
            ));
        }
    }
    if !dated {
        missing.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    Err(incomplete(format!("{missing}Authorization={header}")))
}

/// What stands before and behind the first such byte, an ASCII character.
fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let place = memchr(byte, text.as_bytes())?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// Takes `keyid/date/region/service/term` apart. SigV4a leaves the Region out.
fn scope<'a>(credential: &'a str, header: &str) -> Result<Credentials<'a>, Error> {
    let mut rest = Some(credential.trim_end_matches('/'));
    let elements: [Option<&str>; 6] = std::array::from_fn(|_| {
        let text = rest.take()?;
        match split_at_byte(text, b'/') {
            None => Some(text),
            Some((element, after)) => {
                rest = Some(after);
                Some(element)
            }
        }
    });
    match elements {
        [Some(access_key), Some(_), Some(_), Some(_), None, None]
            if header.starts_with("AWS4-ECDSA") =>
        {
            credentials(access_key, None)
        }
        [
            Some(access_key),
            Some(_),
            Some(region),
            Some(_),
            Some(_),
            None,
        ] => credentials(access_key, Some(region)),
        _ => Err(incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got '{credential}'"
        ))),
    }
}

fn credentials<'a>(access_key: &'a str, region: Option<&'a str>) -> Result<Credentials<'a>, Error> {
    if access_key.is_empty() {
        return Err(Error::UnrecognizedClient(
            "The security token included in the request is invalid.".into(),
        ));
    }
    Ok(Credentials {
        access_key,
        region: region.filter(|region| !region.is_empty()),
    })
}

/// The query string's form of the same. The values stay percent-encoded, so the slashes of the
/// credential are still `%2F`, in either case.
fn from_query(query: &str) -> Result<Claim<'_>, Error> {
    let mut missing = String::new();
    for name in [
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
    ] {
        if parameter(query, name).is_none_or(str::is_empty) {
            missing.push_str(&format!(
                "AWS query-string parameters must include '{name}'. "
            ));
        }
    }
    let credential = parameter(query, "X-Amz-Credential").unwrap_or_default();
    if !missing.is_empty() {
        missing.push_str("Re-examine the query-string parameters.");
        return Err(incomplete(missing));
    }
    let mut elements = credential.split('/').flat_map(|part| part.split("%2F"));
    let mut elements = elements.by_ref().flat_map(|part| part.split("%2f"));
    let access_key = elements.next().unwrap_or_default();
    let region = elements.nth(1);
    let given = |name| parameter(query, name).unwrap_or_default();
    Ok(Claim {
        credentials: credentials(access_key, region)?,
        presigned: true,
        algorithm: given("X-Amz-Algorithm"),
        credential,
        signed_headers: given("X-Amz-SignedHeaders"),
        signature: given("X-Amz-Signature"),
    })
}

/// The value of a parameter of a query string, percent-encoded as it is there.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn read<'a>(headers: &'a HeaderMap, query: &'a str) -> Result<Credentials<'a>, Error> {
        super::read(headers, query).map(|claim| claim.credentials)
    }

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=me/20261122/eu-west-1/dynamodb/aws4_request, \
                        SignedHeaders=host;x-amz-date, Signature=00ff";

    fn headers(authorization: &str, date: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
        if date {
            headers.insert("x-amz-date", HeaderValue::from_static("20261122T000000Z"));
        }
        headers
    }

    fn message(result: Result<Credentials<'_>, Error>) -> String {
        match result {
            Err(Error::IncompleteSignature(message)) => message.into_owned(),
            other => panic!("expected an incomplete signature, got {other:?}"),
        }
    }

    #[test]
    fn the_scope_of_a_signature_is_read() {
        let headers = headers(GOOD, true);
        let read = read(&headers, "").unwrap();
        assert_eq!(
            read,
            Credentials {
                access_key: "me",
                region: Some("eu-west-1")
            }
        );
    }

    #[test]
    fn spaces_between_the_parameters_do_not_matter() {
        let headers = headers(&GOOD.replace(", ", ","), true);
        assert_eq!(read(&headers, "").unwrap().access_key, "me");
    }

    #[test]
    fn a_signature_for_several_regions_has_none() {
        let headers = headers(
            "AWS4-ECDSA-P256-SHA256 Credential=me/20261122/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=00",
            true,
        );
        let read = read(&headers, "").unwrap();
        assert_eq!(
            read,
            Credentials {
                access_key: "me",
                region: None
            }
        );
    }

    #[test]
    fn no_token_and_another_kind_of_token_are_missing_tokens() {
        assert!(matches!(
            read(&HeaderMap::new(), ""),
            Err(Error::MissingAuthenticationToken(_))
        ));
        let bearer = headers("Bearer abc", true);
        assert!(matches!(
            read(&bearer, ""),
            Err(Error::MissingAuthenticationToken(_))
        ));
    }

    #[test]
    fn every_missing_part_is_named_in_one_message() {
        let header = "AWS4-HMAC-SHA256 Signature=";
        assert_eq!(
            message(read(&headers(header, false), "")),
            "Authorization header requires 'Credential' parameter. \
             Authorization header requires 'Signature' parameter. \
             Authorization header requires 'SignedHeaders' parameter. \
             Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
             Authorization=AWS4-HMAC-SHA256 Signature="
        );
    }

    #[test]
    fn a_part_without_an_equal_sign_is_named() {
        let header = "AWS4-HMAC-SHA256 Signature=b, Credential, SignedHeaders=c";
        assert_eq!(
            message(read(&headers(header, true), "")),
            format!(
                "'Credential' not a valid key=value pair (missing equal-sign) in Authorization \
                 header: '{header}'."
            )
        );
    }

    #[test]
    fn a_credential_has_five_elements() {
        let header = "AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=h, Signature=s";
        assert_eq!(
            message(read(&headers(header, true), "")),
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got 'a/b/c/d'"
        );
    }

    #[test]
    fn an_empty_access_key_is_nobody() {
        let header = "AWS4-HMAC-SHA256 Credential=/b/c/d/e, SignedHeaders=h, Signature=s";
        assert!(matches!(
            read(&headers(header, true), ""),
            Err(Error::UnrecognizedClient(_))
        ));
    }

    #[test]
    fn a_presigned_request_carries_its_scope_in_the_query() {
        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=me%2F20261122%2Fus-east-2\
                     %2Fdynamodb%2Faws4_request&X-Amz-Date=d&X-Amz-SignedHeaders=host\
                     &X-Amz-Signature=00";
        let none = HeaderMap::new();
        let read_back = read(&none, query).map(|c| (c.access_key, c.region));
        assert!(matches!(read_back, Ok(("me", Some("us-east-2")))));
        let both = headers(GOOD, true);
        assert!(matches!(
            read(&both, query),
            Err(Error::InvalidSignature(_))
        ));
        assert_eq!(
            message(read(
                &HeaderMap::new(),
                "X-Amz-Algorithm=x&X-Amz-Credential=c&X-Amz-Date=d"
            )),
            "AWS query-string parameters must include 'X-Amz-Signature'. \
             AWS query-string parameters must include 'X-Amz-SignedHeaders'. \
             Re-examine the query-string parameters."
        );
    }
}
