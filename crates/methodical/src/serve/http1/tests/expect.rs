//! Expect: 100-continue (RFC 9110 §10.1.1): lazily, and never after a decision.

use super::Client;

const EXPECT: &str = "Expect: 100-Continue\r\n";

fn head(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{EXPECT}{fields}\r\n")
}

#[tokio::test]
async fn content_that_is_wanted_is_asked_for() {
    for fields in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        let mut client = Client::new();
        client.send(head("POST", "/x", fields)).await;
        let (status, head, _) = client.answer(false).await;
        assert_eq!((status, head.as_str()), (100, "HTTP/1.1 100 Continue\r\n\r\n"));
        let chunked = fields.starts_with('T');
        client.send(if chunked { "5\r\nhello\r\n0\r\n\r\n" } else { "hello" }).await;
        let head = client.expect(200, "POST /x a hello").await;
        assert!(!head.contains("connection: close"), "{head}");
    }
}

#[tokio::test]
async fn a_decision_comes_instead_of_100_and_ends_the_connection() {
    let mut client = Client::new();
    client.send(head("POST", "/early", "Content-Length: 5\r\n")).await;
    let head = client.expect(404, "early").await;
    assert!(head.contains("\r\nconnection: close\r\n"), "{head}");
    client.expect_end().await;
}

#[tokio::test]
async fn content_that_is_already_here_needs_no_100() {
    let mut client = Client::new();
    client.send(head("POST", "/x", "Content-Length: 5\r\n") + "hello").await;
    client.expect(200, "POST /x a hello").await;
}

#[tokio::test]
async fn no_content_and_http_1_0_get_no_100() {
    let mut client = Client::new();
    client.send(head("GET", "/x", "")).await;
    client.expect(200, "GET /x a ").await;
    let mut client = Client::new();
    client.send(format!("POST /x HTTP/1.0\r\n{EXPECT}Content-Length: 5\r\n\r\n")).await;
    tokio::task::yield_now().await;
    client.send("hello").await;
    client.expect(200, "POST /x - hello").await;
}
