//! Compressed bodies, both ways.

use std::io::Read;

use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder, ZlibDecoder, ZlibEncoder};

use super::*;

pub(super) fn coded(name: &str, plain: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    match name {
        "gzip" => GzEncoder::new(plain, Compression::best()).read_to_end(&mut coded),
        _ => ZlibEncoder::new(plain, Compression::best()).read_to_end(&mut coded),
    }
    .unwrap();
    coded
}

fn plain(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.header("content-encoding") {
        Some("gzip") => GzDecoder::new(&*answer.body).read_to_end(&mut plain),
        Some("deflate") => ZlibDecoder::new(&*answer.body).read_to_end(&mut plain),
        None => return answer.body.clone(),
        Some(other) => panic!("{other}"),
    }
    .unwrap();
    plain
}

fn coded_request(operation: &str, coding: &str, body: &[u8]) -> Vec<u8> {
    let head = request(operation, &format!("Content-Encoding: {coding}\r\n"), "");
    let length = format!("Content-Length: {}", body.len());
    [head.replace("Content-Length: 0", &length).as_bytes(), body].concat()
}

#[tokio::test]
async fn a_compressed_request_is_read() {
    let body = format!("[\"{}\"]", "x".repeat(200_000));
    for (header, coding) in [
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate", "deflate"),
    ] {
        let sent = coded(coding, body.as_bytes());
        assert!(sent.len() < 1000);
        let answer = ask(coded_request(ECHO, header, &sent)).await;
        assert_eq!(answer.status, 200, "{header}");
        assert!(answer.text() == body, "{header}");
        assert_eq!(
            answer.header("content-encoding"),
            None,
            "it was not asked for"
        );
    }
    let answer = ask(coded_request(ECHO, "amz-1.0", b"[1]")).await;
    assert_eq!((answer.status, answer.text()), (200, "[1]"));
    let answer = ask(coded_request(ECHO, "gzip", b"")).await;
    assert_eq!((answer.status, answer.text()), (200, ""));
}

#[tokio::test]
async fn a_request_that_is_not_what_its_header_says_is_no_json() {
    let whole = coded("gzip", b"{}");
    for body in [
        b"{}".as_slice(),
        &whole[..whole.len() - 1],
        &coded("deflate", b"{}"),
        &[&whole, b"{}".as_slice()].concat(),
    ] {
        let answer = ask(coded_request(PANIC, "gzip", body)).await;
        assert_eq!(
            (answer.status, answer.text()),
            (
                400,
                r#"{"__type":"com.amazon.coral.service#SerializationException"}"#
            )
        );
    }
}

#[tokio::test]
async fn sixteen_megabytes_are_the_limit_of_what_comes_out() {
    let limit = 16 * 1024 * 1024;
    let fitting = coded("gzip", format!("\"{}\"", "x".repeat(limit - 2)).as_bytes());
    let answer = ask(coded_request(ECHO, "gzip", &fitting)).await;
    assert_eq!((answer.status, answer.body.len()), (200, limit));
    // A gigabyte in a megabyte, which nobody ever holds: streams that follow one another are one.
    let bomb = coded("gzip", &vec![b' '; 1 << 20]).repeat(1 << 10);
    assert!(bomb.len() < 2_000_000, "{}", bomb.len());
    let server = start().await;
    let mut client = Client::connect(&server).await;
    let answer = client.exchange(coded_request(PANIC, "gzip", &bomb)).await;
    assert_eq!((answer.status, answer.body.len()), (413, 0));
}

#[tokio::test]
async fn an_answer_is_compressed_for_who_can_read_that() {
    let short = format!("\"{}\"", "x".repeat(4093));
    let long = format!("\"{}\"", "x".repeat(4094));
    let huge = format!("\"{}\"", "xyz".repeat(100_000));
    for (accept, body, coding) in [
        ("gzip", &short, None),
        ("gzip", &long, Some("gzip")),
        ("gzip", &huge, Some("gzip")),
        ("deflate", &long, Some("deflate")),
        ("br, gzip;q=0.5", &long, Some("gzip")),
        ("identity", &long, None),
        ("", &long, None),
    ] {
        let accept = format!("Accept-Encoding: {accept}\r\n");
        let answer = ask(request(ECHO, &accept, body)).await;
        assert_eq!(answer.header("content-encoding"), coding, "{accept}");
        assert_eq!(answer.body.len() < body.len(), coding.is_some());
        assert!(plain(&answer) == body.as_bytes(), "{accept}");
    }
}
