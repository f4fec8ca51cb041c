//! How content is framed: RFC 9112 §6 and §7, and what must be refused.

use super::Client;

fn post(fields: &str, content: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: a\r\n{fields}\r\n{content}")
}

#[tokio::test]
async fn content_by_length_and_by_chunks() {
    let mut client = Client::new();
    client.send(post("Content-Length: 5\r\n", "hello")).await;
    client.expect(200, "POST /x a hello").await;
    client.send(post("Content-Length: 0\r\n", "")).await;
    client.expect(200, "POST /x a ").await;
    let chunks = "5;ext=\"1\"\r\nhello\r\n6\r\n world\r\n0\r\nHost: b\r\nX-Trailer: y\r\n\r\n";
    client.send(post("Transfer-Encoding: Chunked\r\n", chunks)).await;
    client.expect(200, "POST /x a hello world").await;
    client.send(post("", "")).await;
    client.expect(200, "POST /x a ").await;
}

#[tokio::test]
async fn what_two_parsers_could_understand_differently_is_refused() {
    for (status, fields, words) in [
        (400, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "contradict"),
        (400, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "contradict"),
        (400, "Content-Length: 5\r\nContent-Length: 5\r\n", "more than once"),
        (400, "Content-Length: 5\r\nContent-Length: 6\r\n", "more than once"),
        (400, "Content-Length: 5, 5\r\n", "one decimal number"),
        (400, "Content-Length: +5\r\n", "one decimal number"),
        (400, "Content-Length: -1\r\n", "one decimal number"),
        (400, "Content-Length: 0x5\r\n", "one decimal number"),
        (400, "Content-Length: 5 5\r\n", "one decimal number"),
        (400, "Content-Length:\r\n", "one decimal number"),
        (400, "Content-Length: 18446744073709551616\r\n", "64 bits"),
        (400, "Transfer-Encoding: gzip\r\n", "not chunked"),
        (400, "Transfer-Encoding: chunked, gzip\r\n", "not chunked"),
        (400, "Transfer-Encoding: xchunked\r\n", "not chunked"),
        (400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "not chunked"),
        (400, "Transfer-Encoding: chunked, chunked\r\n", "more than once"),
        (400, "Transfer-Encoding:\r\n", "empty"),
        (501, "Transfer-Encoding: gzip, chunked\r\n", "only transfer coding"),
        (400, "Transfer-Encoding : chunked\r\n", "colon"),
        (400, "Transfer-Encoding: chunked\0\r\n", "NUL"),
        (400, "Transfer-Encoding:\r\n chunked\r\n", "Folded"),
        (400, "Content-Length: 5\rX: y\r\n", "CR"),
    ] {
        let mut client = Client::new();
        // What could be a smuggled second request is never answered.
        client.send(post(fields, "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        client.expect_refusal(status, words).await;
    }
}

#[tokio::test]
async fn transfer_encoding_in_http_1_0_is_faulty() {
    let mut client = Client::new();
    client.send("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").await;
    client.expect_refusal(400, "HTTP/1.0").await;
}

#[tokio::test]
async fn broken_chunks_are_refused_and_not_applied() {
    for chunks in [
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhello0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nnot a field\r\n\r\n",
    ] {
        let mut client = Client::new();
        client.send(post("Transfer-Encoding: chunked\r\n", chunks)).await;
        let (status, head, _) = client.answer(false).await;
        assert_eq!(status, 400, "{chunks:?}");
        assert!(head.contains("\r\nconnection: close\r\n"), "{chunks:?}: {head}");
        client.expect_end().await;
        assert_eq!(client.applied(), 0, "{chunks:?}");
    }
}

#[tokio::test]
async fn a_chunk_larger_than_memory_is_only_a_promise() {
    let mut client = Client::new();
    client.send(post("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\nhello")).await;
    tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await.unwrap();
    let (status, ..) = client.answer(false).await;
    assert_eq!((status, client.applied()), (400, 0));
}

#[tokio::test]
async fn content_that_is_cut_off_is_not_applied() {
    for request in [
        post("Content-Length: 10\r\n", "hello"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"),
    ] {
        let mut client = Client::new();
        client.send(&request).await;
        tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await.unwrap();
        let (status, head, _) = client.answer(false).await;
        assert_eq!(status, 400, "{request}");
        assert!(head.contains("connection: close"), "{head}");
        client.expect_end().await;
        assert_eq!(client.applied(), 0, "{request}");
    }
}

#[tokio::test]
async fn content_arrives_in_any_pieces() {
    let mut client = Client::new();
    let request =
        post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n1;x\r\n!\r\n0\r\nA: b\r\n\r\n");
    for byte in request.bytes() {
        client.send([byte]).await;
        tokio::task::yield_now().await;
    }
    client.expect(200, "POST /x a hello!").await;
    client.send(&request).await;
    client.expect(200, "POST /x a hello!").await;
}

#[tokio::test]
async fn content_that_nobody_read_is_passed_over_or_ends_the_connection() {
    let early = |fields: &str, content: &str| {
        format!("POST /early HTTP/1.1\r\nHost: a\r\n{fields}\r\n{content}")
    };
    let mut client = Client::new();
    client.send(early("Content-Length: 5\r\n", "hello")).await;
    assert!(!client.expect(404, "early").await.contains("connection: close"));
    client.send(early("Content-Length: 5\r\n", "")).await;
    assert!(!client.expect(404, "early").await.contains("connection: close"));
    client.send("hello").await;
    client.send(early("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")).await;
    assert!(!client.expect(404, "early").await.contains("connection: close"));
    client.send(early("Content-Length: 99999999\r\n", "hello")).await;
    assert!(client.expect(404, "early").await.contains("connection: close"));
    client.expect_end().await;
}
