//! Order, persistence, slow and leaving clients, and how connections end (RFC 9112 §9).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Client;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let mut client = Client::new();
    let post = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    client.send([get("/a"), post.to_owned(), get("/c"), get("/large"), get("/d")].concat()).await;
    client.expect(200, "GET /a a ").await;
    client.expect(200, "POST /b a hi").await;
    client.expect(200, "GET /c a ").await;
    assert_eq!(client.answer(false).await.2.len(), 1_000_000);
    client.expect(200, "GET /d a ").await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_does_not_wait_for_the_one_behind_it() {
    let mut client = Client::new();
    client.send([get("/a"), get("/slow")].concat()).await;
    let start = tokio::time::Instant::now();
    client.expect(200, "GET /a a ").await;
    assert!(start.elapsed() < Duration::from_secs(1));
    client.expect(200, "GET /slow a ").await;
}

#[tokio::test]
async fn whoever_asks_for_the_end_gets_it() {
    for (request, closes) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", true),
    ] {
        let mut client = Client::new();
        client.send(request).await;
        let head = client.expect(200, "GET / a ").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert_eq!(head.contains("connection: close"), closes, "{request}");
        assert_eq!(
            head.contains("connection: keep-alive"),
            !closes && request.contains("HTTP/1.0"),
            "{request}"
        );
        if closes {
            client.expect_end().await;
        } else {
            client.send(get("/again")).await;
            client.expect(200, "GET /again a ").await;
        }
    }
}

#[tokio::test]
async fn the_engine_can_end_a_connection() {
    let mut client = Client::new();
    client.send([get("/close"), get("/never")].concat()).await;
    assert!(client.expect(200, "bye").await.contains("connection: close"));
    client.expect_end().await;
}

#[tokio::test]
async fn head_is_answered_without_content() {
    let mut client = Client::new();
    client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (_, head, _) = client.answer(true).await;
    assert!(head.contains("content-length: 10\r\n"), "{head}");
    client.send(get("/y")).await;
    client.expect(200, "GET /y a ").await;
}

#[tokio::test]
async fn a_half_closed_client_is_answered() {
    let mut client = Client::new();
    client.send([get("/a"), get("/b")].concat()).await;
    client.stream.shutdown().await.unwrap();
    client.expect(200, "GET /a a ").await;
    client.expect(200, "GET /b a ").await;
    client.expect_end().await;
    let mut client = Client::new();
    client.send("GET / HT").await;
    client.stream.shutdown().await.unwrap();
    client.expect_refusal(400, "ended inside").await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_read_is_dropped_when_its_client_leaves_and_a_write_is_not() {
    let mut client = Client::new();
    client.send(get("/slow")).await;
    client.stream.shutdown().await.unwrap();
    client.expect_end().await;
    assert_eq!(client.applied(), 0);
    let mut client = Client::new();
    client.send("DELETE /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.stream.shutdown().await.unwrap();
    client.expect(200, "DELETE /slow a ").await;
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let mut client = Client::new();
    client.send(get("/panic")).await;
    let (status, head, content) = client.answer(false).await;
    assert_eq!(status, 500);
    let id = head.lines().find_map(|line| line.strip_prefix("request-id: ")).unwrap();
    assert!(content.contains(id), "{content}");
    assert!(!content.contains("seeded"), "{content}");
    client.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn slow_content_is_a_408() {
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n";
    let mut client = Client::new();
    client.send(head).await;
    client.send("x").await;
    let start = tokio::time::Instant::now();
    assert!(client.expect(408, "slow").await.contains("connection: close"));
    assert_eq!(start.elapsed().as_secs(), 10, "silence is cut off after the gap");
    // A byte now and then buys next to nothing; what is fast enough has the whole time.
    for (bytes, seconds) in [(1, 10), (600, 60)] {
        let mut client = Client::new();
        client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n").await;
        let start = tokio::time::Instant::now();
        let second = Duration::from_secs(1);
        loop {
            client.send(vec![b'x'; bytes]).await;
            if tokio::time::timeout(second, client.fill()).await.is_ok() {
                break;
            }
        }
        assert_eq!(start.elapsed().as_secs(), seconds, "{bytes} bytes a second");
        assert!(client.expect(408, "slow").await.contains("connection: close"));
        assert_eq!(client.applied(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_let_go() {
    let mut client = Client::new();
    client.send(get("/large")).await;
    let start = tokio::time::Instant::now();
    (&mut client.task).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 30);
    // Nor does a byte now and then hold the answer: what is taken buys its time.
    for (bytes, is_kept) in [(1, false), (600, true)] {
        let mut client = Client::new();
        client.send(get("/large")).await;
        let mut taken = vec![0; bytes];
        for _ in 0..300 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if client.task.is_finished() {
                break;
            }
            client.stream.read_exact(&mut taken).await.unwrap();
        }
        assert_eq!(!client.task.is_finished(), is_kept, "{bytes} bytes a second");
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_drops_nothing_that_was_accepted() {
    let mut idle = Client::new();
    idle.send(get("/a")).await;
    idle.expect(200, "GET /a a ").await;
    let mut reading = Client::new();
    reading.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Le").await;
    let mut running = Client::new();
    running.send(get("/slow")).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    for client in [&idle, &reading, &running] {
        client.connections.stop();
    }
    idle.expect_end().await;
    assert!(running.expect(200, "GET /slow a ").await.contains("connection: close"));
    running.expect_end().await;
    reading.send("ngth: 5\r\n\r\nhello").await;
    assert!(reading.expect(200, "POST /x a hello").await.contains("connection: close"));
    reading.expect_end().await;
    for client in [idle, reading, running] {
        drop(client.stream);
        client.connections.drained().await;
    }
}

#[tokio::test(start_paused = true)]
async fn pipelined_requests_are_all_answered_when_the_server_stops_or_the_client_half_closes() {
    for half_closes in [false, true] {
        let mut client = Client::new();
        client
            .send(["DELETE /slow HTTP/1.1\r\nHost: a\r\n\r\n", &get("/b"), &get("/c")].concat())
            .await;
        if half_closes {
            client.stream.shutdown().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        client.connections.stop();
        client.expect(200, "DELETE /slow a ").await;
        client.expect(200, "GET /b a ").await;
        assert!(client.expect(200, "GET /c a ").await.contains("connection: close"));
        client.expect_end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_on_its_way_when_the_server_stops_is_answered() {
    let mut client = Client::new();
    tokio::time::sleep(Duration::from_millis(10)).await;
    client.connections.stop();
    tokio::time::sleep(Duration::from_millis(10)).await;
    client.send(get("/late")).await;
    assert!(client.expect(200, "GET /late a ").await.contains("connection: close"));
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_what_still_arrives_is_read() {
    let mut client = Client::new();
    client.send("GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(client.answer(false).await.0, 400);
    // More than the pipe holds: a server that stopped reading would block this.
    client.send("x".repeat(200_000)).await;
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
}
