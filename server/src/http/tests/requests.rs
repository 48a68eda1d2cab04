//! What single requests are answered.

use super::*;

const SERIALIZATION: &str = r#"{"__type":"com.amazon.coral.service#SerializationException"}"#;
const UNKNOWN: &str = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;

#[tokio::test]
async fn an_operation_gets_its_body_and_the_answer_its_headers() {
    let answer = ask(request(ECHO, "", r#"{"a":1}"#)).await;
    assert_eq!((answer.status, answer.text()), (200, r#"{"a":1}"#));
    assert_eq!(
        answer.header("content-type"),
        Some("application/x-amz-json-1.0")
    );
}

#[tokio::test]
async fn an_operations_error_keeps_its_status_and_envelope() {
    let answer = ask(request(FAIL, "", "{}")).await;
    assert_eq!(
        (answer.status, answer.text()),
        (
            400,
            r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no \"such\" luck"}"#
        )
    );
}

#[tokio::test]
async fn the_scope_of_the_signature_reaches_the_operation() {
    let answer = ask(request(WHO_AM_I, "", "{}")).await;
    assert_eq!(answer.text(), r#"["me","eu-west-1"]"#);
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_lives_on() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let answer = client.exchange(request(PANIC, "", "{}")).await;
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.text(),
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"Internal server error"}"#
    );
    assert_eq!(client.exchange(request(ECHO, "", "[]")).await.text(), "[]");
}

#[tokio::test]
async fn an_unknown_operation_has_no_message() {
    let answer = ask(request("Frobnicate", "", "{}")).await;
    assert_eq!((answer.status, answer.text()), (400, UNKNOWN));
    let without_target = request(ECHO, "", "{}").replace("X-Amz-Target", "X-Other");
    let answer = ask(without_target).await;
    assert_eq!((answer.status, answer.text()), (400, UNKNOWN));
}

#[tokio::test]
async fn a_body_that_is_no_json_comes_before_target_and_signature() {
    let answer = ask(request("Frobnicate", "", "{nope")).await;
    assert_eq!((answer.status, answer.text()), (400, SERIALIZATION));
    let unsigned = request(ECHO, "", "{nope").replace("Authorization", "X-Other");
    assert_eq!(ask(unsigned).await.text(), SERIALIZATION);
}

#[tokio::test]
async fn an_unsigned_request_is_told_so() {
    let unsigned = request(ECHO, "", "{}").replace("Authorization", "X-Other");
    let answer = ask(unsigned).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.text(),
        r#"{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}"#
    );
    let incomplete = request(ECHO, "", "{}").replace("Signature=", "Sig=");
    let answer = ask(incomplete).await;
    assert!(
        answer.text().starts_with(
            r#"{"__type":"com.amazon.coral.service#IncompleteSignatureException","message":"Authorization header requires 'Signature' parameter. Authorization=AWS4-"#
        ),
        "{answer:?}"
    );
}

#[tokio::test]
async fn json_is_answered_in_the_type_it_came_in() {
    for (sent, expected) in [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        (
            "application/x-amz-json-1.0;charset=UTF-8",
            "application/x-amz-json-1.0",
        ),
    ] {
        let typed = request(ECHO, "", "{}").replace("application/x-amz-json-1.0", sent);
        let answer = ask(typed).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(expected)),
            "{sent}"
        );
    }
    let form = request(ECHO, "", "a=b").replace(
        "application/x-amz-json-1.0",
        "application/x-www-form-urlencoded",
    );
    let answer = ask(form).await;
    assert_eq!(
        (answer.status, answer.text()),
        (404, "<UnknownOperationException/>\n")
    );
}

#[tokio::test]
async fn health_needs_no_signature_and_names_the_region() {
    for path in ["/", "/ping", "/?a=b", "http://dynamodb.local/"] {
        let answer = ask(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.text(), "healthy: dynamodb.eu-north-1.amazonaws.com ");
    }
    let server = start().await;
    let mut client = Client::connect(&server).await;
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let (status, headers) = client.head().await;
    assert_eq!(status, 200);
    assert!(
        headers.contains(&("content-length".to_owned(), "43".to_owned())),
        "{headers:?}"
    );
    assert!(client.received.is_empty(), "a HEAD has no body");
}

#[tokio::test]
async fn other_methods_and_paths_are_no_operations() {
    for line in ["GET /shell", "PUT /", "DELETE /x", "OPTIONS /", "PATCH /"] {
        let answer = ask(format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert_eq!(
            (answer.status, answer.text()),
            (404, "<UnknownOperationException/>\n"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_path_of_an_operation_does_not_matter() {
    for path in [
        "/anything/at/all",
        "http://123456789012.ddb.us-east-1.amazonaws.com/",
    ] {
        let elsewhere = request(ECHO, "", "{}").replace("POST /", &format!("POST {path}"));
        assert_eq!(ask(elsewhere).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_chunked_body_is_put_together() {
    let chunked = request(ECHO, "", "").replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let answer = ask(chunked + "3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n").await;
    assert_eq!(answer.text(), "[1,2]");
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_continue() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let whole = request(ECHO, "Expect: 100-continue\r\n", "[7]");
    let (head, body) = whole.split_at(whole.len() - 3);
    client.send(head).await;
    assert_eq!(client.head().await.0, 100);
    assert_eq!(client.exchange(body).await.text(), "[7]");
}

#[tokio::test]
async fn sixteen_megabytes_pass_and_one_byte_more_does_not() {
    let limit = 16 * 1024 * 1024;
    let fitting = format!("\"{}\"", "x".repeat(limit - 2));
    let answer = ask(request(ECHO, "", &fitting)).await;
    assert_eq!((answer.status, answer.body.len()), (200, limit));
    let answer = ask(request(ECHO, "", &(fitting.clone() + " "))).await;
    assert_eq!((answer.status, answer.body.len()), (413, 0));
    // The same without an announced length.
    let chunked = request(ECHO, "", "").replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let chunk = format!("{:x}\r\n{fitting} \r\n0\r\n\r\n", limit + 1);
    assert_eq!(ask(chunked + &chunk).await.status, 413);
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused_and_changes_nothing() {
    let from = "Origin: https://evil.example\r\n";
    let server = start().await;
    let mut client = Client::connect(&server).await;
    // The operation would panic if it were reached.
    let answer = client.exchange(request(PANIC, from, "{}")).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("--cors https://evil.example"),
        "{answer:?}"
    );
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let preflight = format!("OPTIONS / HTTP/1.1\r\nHost: x\r\n{from}\r\n");
    let answer = ask(preflight).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-methods")),
        (400, None)
    );
}

#[tokio::test]
async fn a_page_of_this_machine_or_of_the_list_is_answered_as_dynamodb_answers() {
    let listed = AllowedOrigins::parse("https://app.example").unwrap();
    let server = start_with(listed).await;
    let mut client = Client::connect(&server).await;
    for origin in ["http://localhost:3000", "https://app.example"] {
        let preflight = format!(
            "OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n\
             Access-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: x-amz-target,x-amz-date\r\n\r\n"
        );
        let answer = client.exchange(preflight).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some("x-amz-target,x-amz-date")
        );
        assert_eq!(answer.header("access-control-max-age"), Some("172800"));
        let answer = client
            .exchange(request(ECHO, &format!("Origin: {origin}\r\n"), "{}"))
            .await;
        assert_eq!((answer.status, answer.text()), (200, "{}"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            answer.header("access-control-expose-headers"),
            Some("x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date")
        );
    }
    let answer = client.exchange(request(ECHO, "", "{}")).await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        None,
        "a program is not a page"
    );
}
