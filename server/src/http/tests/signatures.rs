//! A front that verifies signatures.

use stator_bench::credentials::Credentials;
use stator_bench::signature::Signer;

use super::*;
use crate::http::{Secret, Verifier};

async fn start_verifying() -> Running {
    let secret = Secret {
        key: "secret".to_owned(),
        session_token: None,
    };
    start_with_options(ServerOptions {
        verifier: Some(Arc::new(Verifier::new([("known".to_owned(), secret)]))),
        ..ServerOptions::default()
    })
    .await
}

fn signed(id: &str, secret: &str, seconds: u64, body: &[u8]) -> Vec<u8> {
    let credentials = Credentials {
        access_key: id.to_owned(),
        secret_key: secret.to_owned(),
        session_token: None,
    };
    let targets = [format!("DynamoDB_20120810.{ECHO}")];
    let mut request = Vec::new();
    Signer::new("localhost", "us-east-1", credentials, targets).write(
        0,
        body,
        seconds,
        &mut request,
    );
    request
}

async fn ask_of(running: &Running, request: impl AsRef<[u8]>) -> Answer {
    Client::connect(running).await.exchange(request).await
}

const NOW: u64 = SIGNED_MS / 1000;

#[tokio::test]
async fn who_has_the_secret_is_let_in_and_others_are_not() {
    let running = start_verifying().await;
    for (id, secret, seconds, expected) in [
        ("known", "secret", NOW, "[1]"),
        ("known", "other", NOW, "InvalidSignatureException"),
        ("unknown", "secret", NOW, "UnrecognizedClientException"),
        ("known", "secret", NOW - 901, "Signature expired: "),
        ("known", "secret", NOW + 901, "Signature not yet current: "),
        ("known", "secret", NOW - 900, "[1]"),
    ] {
        let answer = ask_of(&running, signed(id, secret, seconds, b"[1]")).await;
        let status = if expected == "[1]" { 200 } else { 400 };
        assert_eq!(answer.status, status, "{id} {secret} {seconds}");
        assert!(answer.text().contains(expected), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_comes_before_a_wrong_signature() {
    let running = start_verifying().await;
    let answer = ask_of(&running, signed("known", "other", NOW, b"[1")).await;
    assert!(
        answer.text().contains("SerializationException"),
        "{}",
        answer.text()
    );
}

/// What was sent is signed, and not what it says.
#[tokio::test]
async fn a_compressed_body_is_verified_as_it_was_sent() {
    let running = start_verifying().await;
    let body = super::codings::coded("gzip", b"[1]");
    let request = signed("known", "secret", NOW, &body);
    let head = b"POST / HTTP/1.1\r\n";
    let rest = request.strip_prefix(head).unwrap();
    let coded = [head.as_slice(), b"Content-Encoding: gzip\r\n", rest].concat();
    let answer = ask_of(&running, coded).await;
    assert_eq!((answer.status, answer.text()), (200, "[1]"));
}

/// The server itself asks for no signature: its clock, its health.
#[tokio::test]
async fn what_is_no_operation_needs_no_signature() {
    let running = start_verifying().await;
    let request = "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(ask_of(&running, request).await.status, 200);
}
