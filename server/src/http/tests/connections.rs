//! Connections: reused, broken off, and brought to rest.

use super::*;

#[tokio::test]
async fn a_connection_is_kept_and_requests_may_be_sent_ahead() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    client
        .send(request(ECHO, "", "[1]") + &request(ECHO, "", "[2]"))
        .await;
    let first = client.answer().await;
    let second = client.answer().await;
    assert_eq!((first.text(), second.text()), ("[1]", "[2]"));
    assert_ne!(
        first.header("x-amzn-requestid"),
        second.header("x-amzn-requestid")
    );
    assert_eq!(
        client.exchange(request(ECHO, "", "[3]")).await.text(),
        "[3]"
    );
}

#[tokio::test]
async fn half_a_body_is_no_json() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let whole = request(PANIC, "", r#"{"a":1}"#);
    client.send(&whole[..whole.len() - 3]).await;
    client.stream.shutdown().await.unwrap();
    let answer = client.answer().await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.text(),
        r#"{"__type":"com.amazon.coral.service#SerializationException"}"#
    );
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn broken_framing_is_answered_and_closed() {
    for broken in [
        "nonsense\r\n\r\n".to_owned(),
        request(PANIC, "", "{}").replace("Content-Length: 2", "Content-Length: two"),
        request(PANIC, "Content-Length: 3\r\n", "{}"),
        request(PANIC, "", "").replace("Content-Length: 0", "Transfer-Encoding: chunked")
            + "zz\r\n{}\r\n0\r\n\r\n",
    ] {
        let server = start().await;
        let mut client = Client::connect(&server).await;
        client.send(&broken).await;
        let (status, _) = client.head().await;
        assert_eq!(status, 400, "{broken}");
        client.received.clear();
        while client.read_more().await {}
    }
}

#[tokio::test]
async fn a_client_that_has_said_everything_still_gets_its_answer() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    client.send(request(WAIT, "", "{}")).await;
    client.stream.shutdown().await.unwrap();
    server.service.begun.notified().await;
    server.service.go.notify_one();
    assert_eq!(client.answer().await.text(), "\"waited\"");
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_is_given_up() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let whole = request(PANIC, "", r#"{"a":1}"#);
    client.send(&whole[..whole.len() - 3]).await;
    assert_eq!(client.answer().await.status, 408);
    assert!(client.is_closed().await);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_head_is_given_up() {
    let server = start().await;
    let mut client = Client::connect(&server).await;
    client.send("POST / HTTP/1.1\r\nHost: x\r\n").await;
    while client.read_more().await {}
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_takes_nothing_new() {
    let server = start().await;
    let mut busy = Client::connect(&server).await;
    let mut idle = Client::connect(&server).await;
    assert_eq!(idle.exchange(request(ECHO, "", "{}")).await.status, 200);
    busy.send(request(WAIT, "", "{}")).await;
    server.service.begun.notified().await;
    server.stop.send(()).unwrap();
    assert!(
        idle.is_closed().await,
        "an idle connection is closed at once"
    );
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "nobody listens any more"
    );
    server.service.go.notify_one();
    assert_eq!(busy.answer().await.text(), "\"waited\"");
    assert_eq!(server.task.await.unwrap(), Drained::Completely);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever() {
    let server = start().await;
    let mut stuck = Client::connect(&server).await;
    stuck.send(request(WAIT, "", "{}")).await;
    server.service.begun.notified().await;
    server.stop.send(()).unwrap();
    assert_eq!(server.task.await.unwrap(), Drained::CutOff);
}
