//! Requests for the server itself.

use serde_json::{Value, json};

use super::{AllowedOrigins, Answer, Client, ask, start_with};

fn control(method: &str, path: &str, more: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} /_stator/{path} HTTP/1.1\r\nHost: localhost\r\n{more}\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn the_clock_is_read_and_moved() {
    let answer = ask(control("GET", "clock", "", "")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(body(&answer), json!({"clock": "manual", "now_ms": 1}));
    let answer = ask(control("POST", "clock", "", r#"{"set_ms": 7}"#)).await;
    assert_eq!(body(&answer), json!({"clock": "manual", "now_ms": 7}));
}

#[tokio::test]
async fn shards_are_split() {
    let answer = ask(control("POST", "shards", "", r#"{"split": "arn"}"#)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(body(&answer), json!({"split": 3}));
}

#[tokio::test]
async fn what_is_not_done_is_said_with_its_status() {
    let answer = ask(control("POST", "clock", "", r#"{"advance_ms": 7}"#)).await;
    assert_eq!(answer.status, 409);
    assert_eq!(body(&answer), json!({"message": "it is stuck"}));
    for (method, path, status) in [
        ("POST", "clock", 400),
        ("PUT", "clock", 405),
        ("GET", "watch", 404),
    ] {
        let answer = ask(control(method, path, "", "")).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn web_pages_from_elsewhere_cannot_move_it() {
    // Not even where they may use the tables.
    let server = start_with(AllowedOrigins::Any).await;
    let page = async |origin: &str| {
        let origin = format!("Origin: {origin}\r\n");
        let request = control("POST", "clock", &origin, r#"{"set_ms": 7}"#);
        Client::connect(&server).await.exchange(request).await
    };
    assert_eq!(page("https://example.com").await.status, 403);
    let local = page("http://localhost:3000").await;
    assert_eq!(local.status, 200);
    assert_eq!(local.header("access-control-allow-origin"), Some("*"));
}
