use hyper::Request;

use super::*;
use crate::http::credentials;

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const STAMP: &str = "20150830T123600Z";
/// That date.
const STAMP_MS: u64 = 1_440_938_160_000;

/// AWS's own examples ("Signature Version 4 Test Suite", aws-sig-v4-test-suite): their names, methods,
/// targets, headers besides host and date, bodies and signatures.
type Example = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const UNRESERVED: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const EXAMPLES: &[Example] = &[
    (
        "get-vanilla",
        "GET",
        "/",
        &[],
        "",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "post-vanilla",
        "POST",
        "/",
        &[],
        "",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "post-vanilla-query",
        "POST",
        "/?Param1=value1",
        &[],
        "",
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
    (
        "get-vanilla-empty-query-key",
        "GET",
        "/?Param1=value1",
        &[],
        "",
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    (
        "get-vanilla-query-order-key-case",
        "GET",
        "/?Param2=value2&Param1=value1",
        &[],
        "",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "get-vanilla-query-order-value",
        "GET",
        "/?Param1=value2&Param1=value1",
        &[],
        "",
        "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
    ),
    (
        "get-vanilla-utf8-query",
        "GET",
        "/?%E1%88%B4=bar",
        &[],
        "",
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    (
        "get-header-value-trim",
        "GET",
        "/",
        &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
        "",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    (
        "get-header-value-order",
        "GET",
        "/",
        &[
            ("My-Header1", "value4"),
            ("My-Header1", "value1"),
            ("My-Header1", "value3"),
            ("My-Header1", "value2"),
        ],
        "",
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    ),
    (
        "post-header-value-case",
        "POST",
        "/",
        &[("My-Header1", "VALUE1")],
        "",
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    (
        "post-x-www-form-urlencoded",
        "POST",
        "/",
        &[("Content-Type", "application/x-www-form-urlencoded")],
        "Param1=value1",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
    (
        "get-slashes",
        "GET",
        "//example//",
        &[],
        "",
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    (
        "get-relative-relative",
        "GET",
        "/example1/example2/../..",
        &[],
        "",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "get-slash-dot-slash",
        "GET",
        "/./",
        &[],
        "",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
];

fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header("Host", "example.amazonaws.com");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// The names of all headers, in order.
fn names(head: &Parts) -> String {
    let mut names: Vec<&str> = head.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    names.join(";")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signature, made step by step as the documentation has it.
fn sign(head: &Parts, body: &[u8], service: &str, stamp: &str, presigned: bool) -> String {
    let signed = if presigned {
        "host".to_owned()
    } else {
        names(head)
    };
    let request = canonical::request(head, &signed, presigned, body);
    let day = &stamp[..8];
    let key = keys::derive(SECRET, [day, "us-east-1", service, TERMINATOR]);
    let text = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{day}/us-east-1/{service}/aws4_request\n{}",
        hex(&Sha256::digest(&request))
    );
    hex(&key.chain_update(text).finalize().into_bytes())
}

#[test]
fn signatures_are_those_of_awss_examples() {
    let mut wrong = Vec::new();
    let unreserved = format!("/{UNRESERVED}");
    let query = format!("/?{UNRESERVED}={UNRESERVED}");
    let more: [Example; 2] = [
        (
            "get-unreserved",
            "GET",
            unreserved.leak(),
            &[],
            "",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-vanilla-query-unreserved",
            "GET",
            query.leak(),
            &[],
            "",
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
    ];
    for (name, method, target, headers, body, signature) in EXAMPLES.iter().chain(&more) {
        let mut headers = headers.to_vec();
        headers.push(("X-Amz-Date", STAMP));
        let head = head(method, target, &headers);
        if sign(&head, body.as_bytes(), "service", STAMP, false) != *signature {
            wrong.push(*name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A request to DynamoDB and its body.
struct Sent {
    head: Parts,
    body: Vec<u8>,
}

const BODY: &[u8] = b"{\"TableName\":\"Music\"}";

fn unsigned(headers: &[(&str, &str)]) -> Sent {
    let mut all = vec![
        ("Content-Type", "application/x-amz-json-1.0"),
        ("X-Amz-Target", "DynamoDB_20120810.DescribeTable"),
    ];
    all.extend(headers);
    Sent {
        head: head("POST", "/", &all),
        body: BODY.to_vec(),
    }
}

impl Sent {
    /// With the signature of what it is now.
    fn signed(self) -> Self {
        let text = |name| {
            self.head
                .headers
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        let stamp = text("x-amz-date").unwrap_or(STAMP).to_owned();
        let signature = sign(&self.head, &self.body, SERVICE, &stamp, false);
        let names = names(&self.head);
        let day = &stamp[..8];
        self.authorized(&format!(
            "AWS4-HMAC-SHA256 Credential={ID}/{day}/us-east-1/dynamodb/aws4_request, \
             SignedHeaders={names}, Signature={signature}"
        ))
    }

    fn authorized(mut self, authorization: &str) -> Self {
        let value = authorization.parse().unwrap();
        self.head.headers.insert("authorization", value);
        self
    }

    /// With another text in place of one of its `Authorization`.
    fn with(self, old: &str, new: &str) -> Self {
        let authorization = self.head.headers["authorization"].to_str().unwrap();
        assert!(authorization.contains(old), "{authorization}");
        let authorization = authorization.replace(old, new);
        self.authorized(&authorization)
    }

    fn verify(&self, token: Option<&str>, now_ms: Option<u64>) -> Result<(), Error> {
        let secret = Secret {
            key: SECRET.to_owned(),
            session_token: token.map(str::to_owned),
        };
        let verifier = Verifier::new([(ID.to_owned(), secret)]);
        let query = self.head.uri.query().unwrap_or_default();
        let verify = || {
            let claim = credentials::read(&self.head.headers, query)?;
            verifier.verify(&claim, &self.head, &self.body, now_ms)
        };
        // The second time with a key that is known.
        let first = verify();
        assert_eq!(first, verify());
        first
    }

    #[track_caller]
    fn refused(&self, name: &str, message: &str) {
        let error = self.verify(None, Some(STAMP_MS)).unwrap_err();
        assert!(format!("{error:?}").starts_with(name), "{error:?}");
        assert_eq!(error.message().unwrap(), message);
        assert_eq!(error.status(), 400);
    }
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. \
                        Check your AWS Secret Access Key and signing method. Consult the service \
                        documentation for details.";

fn dated(stamp: &str) -> Sent {
    unsigned(&[("X-Amz-Date", stamp)])
}

#[test]
fn a_right_signature_lets_in() {
    assert_eq!(dated(STAMP).signed().verify(None, Some(STAMP_MS)), Ok(()));
}

#[test]
fn whatever_is_changed_afterwards_keeps_out() {
    let signed = || dated(STAMP).signed();
    let mut changed = signed();
    changed.body.push(b' ');
    changed.refused("InvalidSignature", MISMATCH);
    let target = "DynamoDB_20120810.DeleteTable".parse().unwrap();
    let mut changed = signed();
    changed.head.headers.insert("x-amz-target", target);
    changed.refused("InvalidSignature", MISMATCH);
    let mut changed = signed();
    changed.head.uri = "/other".parse().unwrap();
    changed.refused("InvalidSignature", MISMATCH);
    let changed = signed().with("us-east-1", "us-east-2");
    changed.refused("InvalidSignature", MISMATCH);
    let upper = signed();
    let text = upper.head.headers["authorization"]
        .to_str()
        .unwrap()
        .to_owned();
    let (_, signature) = text.split_once("Signature=").unwrap();
    let (old, new) = (signature.to_owned(), signature.to_uppercase());
    upper.with(&old, &new).refused("InvalidSignature", MISMATCH);
    signed()
        .with(&old, "00")
        .refused("InvalidSignature", MISMATCH);
}

#[test]
fn nobody_knows_another_access_key_or_token() {
    let unknown = "The security token included in the request is invalid.";
    let other = dated(STAMP).signed().with(ID, "AKIDOTHER");
    other.refused("UnrecognizedClient", unknown);
    // A token where there is none, and the other way round, and a wrong one.
    let token =
        |token: &str| unsigned(&[("X-Amz-Date", STAMP), ("X-Amz-Security-Token", token)]).signed();
    token("T").refused("UnrecognizedClient", unknown);
    let now = Some(STAMP_MS);
    assert!(dated(STAMP).signed().verify(Some("T"), now).is_err());
    assert!(token("U").verify(Some("T"), now).is_err());
    assert_eq!(token("T").verify(Some("T"), now), Ok(()));
}

#[test]
fn a_signature_holds_for_a_quarter_of_an_hour() {
    let sent = dated(STAMP).signed();
    let quarter = 15 * MINUTE_MS;
    for now_ms in [STAMP_MS - quarter, STAMP_MS + quarter + 999] {
        assert_eq!(sent.verify(None, Some(now_ms)), Ok(()));
    }
    let message = |now_ms| {
        let error = sent.verify(None, Some(now_ms)).unwrap_err();
        assert!(matches!(error, Error::InvalidSignature(_)));
        error.message().unwrap().to_string()
    };
    assert_eq!(
        message(STAMP_MS + quarter + 1000),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
         (20150830T125101Z - 15 min.)"
    );
    assert_eq!(
        message(STAMP_MS - quarter - 1000),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
         (20150830T122059Z + 15 min.)"
    );
    // A clock that is driven says nothing about that of the clients.
    assert_eq!(sent.verify(None, None), Ok(()));
}

#[test]
fn the_date_may_be_that_of_http() {
    for date in ["Sun, 30 Aug 2015 12:36:00 GMT", STAMP] {
        let sent = unsigned(&[("Date", date)]).signed();
        assert_eq!(sent.verify(None, Some(STAMP_MS)), Ok(()), "{date}");
    }
    dated("2015-08-30T12:36:00Z").signed().refused(
        "IncompleteSignature",
        "Date must be in ISO-8601 'basic format'. Got '2015-08-30T12:36:00Z'. See \
         http://en.wikipedia.org/wiki/ISO_8601",
    );
}

#[test]
fn the_scope_is_that_of_this_service() {
    let signed = || dated(STAMP).signed();
    signed().with("/dynamodb/", "/s3/").refused(
        "InvalidSignature",
        "Credential should be scoped to correct service: 'dynamodb'. ",
    );
    signed().with("aws4_request", "aws3_request").refused(
        "InvalidSignature",
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3_request'. ",
    );
    signed().with("20150830/", "20150831/").refused(
        "InvalidSignature",
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '20150831' != '20150830', from '20150830T123600Z'. ",
    );
    signed()
        .with("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")
        .refused(
            "IncompleteSignature",
            "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
        );
}

#[test]
fn host_and_target_have_to_be_signed() {
    dated(STAMP).signed().with("host;", "").refused(
        "InvalidSignature",
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
    dated(STAMP).signed().with(";x-amz-target", "").refused(
        "InvalidSignature",
        "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    );
}

/// A presigned request names in its query what it would otherwise have in headers.
#[test]
fn a_presigned_request_is_let_in_as_long_as_it_says() {
    let sent = |lasts: u64| {
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ID}%2F20150830%2Fus-east-1\
             %2Fdynamodb%2Faws4_request&X-Amz-Date={STAMP}&X-Amz-Expires={lasts}\
             &X-Amz-SignedHeaders=host"
        );
        let head = head("POST", &format!("/?{query}"), &[]);
        let signature = sign(&head, BODY, SERVICE, STAMP, true);
        let uri = format!("/?{query}&X-Amz-Signature={signature}");
        Sent {
            head: super::tests::head("POST", &uri, &[]),
            body: BODY.to_vec(),
        }
    };
    let day_ms = 86_400_000;
    assert_eq!(sent(60).verify(None, Some(STAMP_MS + 60_000)), Ok(()));
    assert_eq!(sent(86_400).verify(None, Some(STAMP_MS + day_ms)), Ok(()));
    let error = sent(60).verify(None, Some(STAMP_MS + 61_000)).unwrap_err();
    assert_eq!(
        error.message().unwrap(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
         (20150830T123701Z - 1 min.)"
    );
    let mut other = sent(60);
    other.body.clear();
    other.refused("InvalidSignature", MISMATCH);
}
