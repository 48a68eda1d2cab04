//! Requests that are right and look unusual.

use super::*;

#[tokio::test]
async fn every_host_name_is_ours() {
    for host in [
        "localhost:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "dynamodb.us-east-1.amazonaws.com",
        "123456789012.ddb.eu-west-1.amazonaws.com",
        "streams.dynamodb.us-east-1.amazonaws.com",
        "search-dynamodb.us-east-1.amazonaws.com",
        "123456789012.search-ddb.us-east-1.amazonaws.com",
        "dynamodb-fips.us-gov-west-1.api.aws",
        "vpce-0a-1b.dynamodb.us-east-1.vpce.amazonaws.com",
        "database",
        "",
    ] {
        let named = request(ECHO, "", "[1]").replace("Host: localhost", &format!("Host: {host}"));
        let answer = ask(named).await;
        assert_eq!((answer.status, answer.text()), (200, "[1]"), "{host}");
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_does_not_matter() {
    // DynamoDB refuses what was signed more than five minutes ago, or will be: an offence that only
    // whoever verifies signatures can punish.
    for date in ["19700101T000000Z", "20991231T235959Z", "yesterday"] {
        let skewed = request(ECHO, "", "[1]").replace("20261122T000000Z", date);
        assert_eq!(ask(skewed).await.status, 200, "{date}");
    }
}

#[tokio::test]
async fn names_of_headers_and_the_version_of_http_do_not_matter() {
    let lower = request(ECHO, "", "[1]")
        .replace("X-Amz-Target", "x-amz-target")
        .replace("Content-Length", "content-length")
        .replace("Authorization", "AUTHORIZATION");
    assert_eq!(ask(lower).await.text(), "[1]");
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let old = request(ECHO, "", "[1]").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(client.exchange(old).await.text(), "[1]");
    assert!(client.is_closed().await, "HTTP/1.0 keeps no connection");
}

#[tokio::test]
async fn a_connection_is_closed_if_the_client_wants_that() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let last = request(ECHO, "Connection: close\r\n", "[1]");
    assert_eq!(client.exchange(last).await.text(), "[1]");
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_body_may_come_byte_by_byte_and_in_chunks_with_trailers() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    for byte in request(ECHO, "", "[1,2,3]").bytes() {
        client.send([byte]).await;
    }
    assert_eq!(client.answer().await.text(), "[1,2,3]");
    let chunked = request(ECHO, "", "").replace("Content-Length: 0", "Transfer-Encoding: chunked");
    client
        .send(chunked + "1;extension=x\r\n[\r\n1\r\n]\r\n0\r\nX-Trailer: y\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.text(), "[]");
    assert_eq!(client.exchange(request(ECHO, "", "7")).await.text(), "7");
}

#[tokio::test]
async fn two_lengths_smuggle_nothing() {
    // With both, the chunks count (RFC 9112, 6.3), and what a front that believes the length would
    // take for a second request is never one.
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let hidden = request(PANIC, "", "{}");
    let both = request(ECHO, "Transfer-Encoding: chunked\r\n", "").replace(
        "Content-Length: 0",
        &format!("Content-Length: {}", 5 + hidden.len()),
    );
    client.send(both + "0\r\n\r\n" + &hidden).await;
    let (status, _) = client.head().await;
    assert!([200, 400].contains(&status), "{status}");
}

#[tokio::test]
async fn a_head_of_any_size_is_answered_or_refused() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let token = format!("X-Amz-Security-Token: {}\r\n", "t".repeat(8000));
    assert_eq!(
        client.exchange(request(ECHO, &token, "1")).await.text(),
        "1"
    );
    let mut client = Client::connect(&server).await;
    let many: String = (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect();
    client.send(request(PANIC, &many, "{}")).await;
    assert_eq!(client.head().await.0, 431);
}
