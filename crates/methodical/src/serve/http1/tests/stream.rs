//! Content that is read while it is sent: chunks (RFC 9112 §7.1), HTTP/1.0 (§6.1), HEAD, what
//! breaks off, and clients that are slow, in a hurry or gone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use engine::content::Interrupted;

use super::super::Chunks;
use super::super::connection::End;
use super::Client;

/// Content as a path says it: `/chunks/a/bb/-`. A piece `-` is empty, `pause` takes three seconds,
/// `break` is an interruption, `panic` one, `large` is more than the pipe holds, and `flood` is a
/// piece that comes again for ever.
#[derive(Debug)]
pub(super) struct Script {
    pieces: Vec<String>,
    at: usize,
}

/// Pieces of every flood: how far content is read that nobody takes.
static FLOODED: AtomicUsize = AtomicUsize::new(0);

impl Script {
    pub(super) fn of(path: &str) -> Option<Self> {
        let pieces = path.strip_prefix("/chunks")?.split('/').skip(1);
        Some(Self { pieces: pieces.map(str::to_owned).collect(), at: 0 })
    }
}

impl Chunks for Script {
    async fn next(&mut self) -> Option<Result<Bytes, Interrupted>> {
        let piece = self.pieces.get(self.at)?;
        self.at += 1;
        match piece.as_str() {
            "-" => Some(Ok(Bytes::new())),
            "pause" => {
                tokio::time::sleep(Duration::from_secs(3)).await;
                Some(Ok(Bytes::from_static(b"late")))
            }
            "large" => Some(Ok(Bytes::from(vec![b'x'; 200_000]))),
            "break" => Some(Err(Interrupted { cause: "the disk".to_owned() })),
            "panic" => panic!("a seeded panic"),
            "flood" => {
                self.at -= 1;
                FLOODED.fetch_add(1, Ordering::Relaxed);
                Some(Ok(Bytes::from(vec![b'x'; 50_000])))
            }
            text => Some(Ok(Bytes::copy_from_slice(text.as_bytes()))),
        }
    }
}

fn ask(method: &str, path: &str, version: &str) -> String {
    format!("{method} {path} HTTP/{version}\r\nHost: a\r\n\r\n")
}

impl Client {
    /// Reads the head of an answer whose length it does not say.
    async fn head(&mut self) -> String {
        let (status, head, content) = self.answer(true).await;
        assert_eq!((status, content.as_str()), (200, ""));
        assert!(!head.contains("content-length"), "{head}");
        head
    }

    /// Reads until the server ends the connection.
    async fn all(&mut self) -> String {
        self.stream.read_to_end(&mut self.rest).await.unwrap();
        String::from_utf8(std::mem::take(&mut self.rest)).unwrap()
    }

    async fn expect_bytes(&mut self, bytes: &str) {
        while self.rest.len() < bytes.len() {
            self.fill().await;
        }
        let got: Vec<u8> = self.rest.drain(..bytes.len()).collect();
        assert_eq!(String::from_utf8_lossy(&got), bytes);
    }
}

#[tokio::test]
async fn each_piece_is_a_chunk_and_an_empty_one_is_none() {
    let mut client = Client::new();
    client.send(ask("GET", "/chunks/a/-/0123456789abcdef0/-", "1.1")).await;
    let head = client.head().await;
    assert_eq!(head.matches("transfer-encoding: chunked\r\n").count(), 1, "{head}");
    client.expect_bytes("1\r\na\r\n11\r\n0123456789abcdef0\r\n0\r\n\r\n").await;
    client.send(ask("GET", "/chunks/-", "1.1")).await;
    client.head().await;
    client.expect_bytes("0\r\n\r\n").await;
    client.send(ask("GET", "/after", "1.1")).await;
    client.expect(200, "GET /after a ").await;
}

#[tokio::test]
async fn http_1_0_has_no_chunks_and_gets_content_to_the_end_of_the_connection() {
    for keep in ["", "Connection: keep-alive\r\n"] {
        let mut client = Client::new();
        client.send(format!("GET /chunks/a/-/bb HTTP/1.0\r\n{keep}\r\n")).await;
        let head = client.head().await;
        assert!(!head.contains("transfer-encoding"), "{head}");
        assert!(head.contains("connection: close\r\n"), "{head}");
        assert_eq!(client.all().await, "abb");
        drop(client.stream);
        assert_eq!(client.task.await.unwrap(), End::Linger);
    }
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_reads_nothing() {
    let mut client = Client::new();
    client.send(ask("HEAD", "/chunks/panic", "1.1")).await;
    let head = client.head().await;
    assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
    client.send(ask("GET", "/after", "1.1")).await;
    client.expect(200, "GET /after a ").await;
    client.send("HEAD /chunks/panic HTTP/1.0\r\n\r\n").await;
    let head = client.head().await;
    assert!(!head.contains("transfer-encoding"), "{head}");
    client.expect_end().await;
}

#[tokio::test]
async fn what_breaks_off_has_no_last_chunk() {
    for path in ["/chunks/a/break/b", "/chunks/a/panic/b"] {
        let mut client = Client::new();
        client.send([ask("GET", path, "1.1"), ask("GET", "/never", "1.1")].concat()).await;
        client.head().await;
        assert_eq!(client.all().await, "1\r\na\r\n", "{path}");
        assert_eq!(client.task.await.unwrap(), End::Drop);
        // The end of the connection alone would say that it is whole (RFC 9112 §6.3).
        let mut client = Client::new();
        client.send(ask("GET", path, "1.0")).await;
        client.head().await;
        assert_eq!(client.all().await, "a", "{path}");
        assert_eq!(client.task.await.unwrap(), End::Reset);
    }
}

#[tokio::test]
async fn requests_behind_a_stream_are_answered_in_their_order() {
    let mut client = Client::new();
    let post = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
    let asked = [
        ask("GET", "/a", "1.1"),
        ask("GET", "/chunks/x", "1.1"),
        post.to_owned(),
        ask("GET", "/chunks/y", "1.1"),
        ask("GET", "/d", "1.1"),
    ];
    client.send(asked.concat()).await;
    client.expect(200, "GET /a a ").await;
    client.head().await;
    client.expect_bytes("1\r\nx\r\n0\r\n\r\n").await;
    client.expect(200, "POST /b a hi").await;
    client.head().await;
    client.expect_bytes("1\r\ny\r\n0\r\n\r\n").await;
    client.expect(200, "GET /d a ").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_there_does_not_wait_for_what_is_not() {
    let mut client = Client::new();
    client.send(ask("GET", "/chunks/pause/a/pause", "1.1")).await;
    let start = Instant::now();
    client.head().await;
    assert!(start.elapsed() < Duration::from_secs(1));
    client.expect_bytes("4\r\nlate\r\n1\r\na\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 3);
    client.expect_bytes("4\r\nlate\r\n0\r\n\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn content_is_read_only_as_far_as_it_is_taken_and_a_reader_that_takes_nothing_is_let_go() {
    let mut client = Client::new();
    let before = FLOODED.load(Ordering::Relaxed);
    client.send(ask("GET", "/chunks/flood", "1.1")).await;
    let start = Instant::now();
    assert_eq!((&mut client.task).await.unwrap(), End::Drop);
    assert_eq!(start.elapsed().as_secs(), 30);
    // The pipe holds 64 KiB: one piece, and the one that is being sent.
    assert_eq!(FLOODED.load(Ordering::Relaxed) - before, 2);
    assert_eq!(client.connections.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_ends_the_reading() {
    // While a piece is read: at once where the connection is gone, and after a while where the
    // client has only finished sending.
    for (path, pieces) in [("/chunks/a/pause/b", "1\r\na\r\n"), ("/chunks/pause", "")] {
        let mut client = Client::new();
        client.send(ask("GET", path, "1.1")).await;
        client.head().await;
        client.expect_bytes(pieces).await;
        client.stream.shutdown().await.unwrap();
        assert_eq!(client.all().await, "");
        assert_eq!(client.task.await.unwrap(), End::Drop);
    }
    // While it is sent.
    let mut client = Client::new();
    client.send(ask("GET", "/chunks/large/panic", "1.1")).await;
    client.head().await;
    drop(client.stream);
    assert_eq!(client.task.await.unwrap(), End::Drop);
}

#[tokio::test]
async fn whoever_has_only_finished_sending_gets_what_is_there() {
    let mut client = Client::new();
    client.send(ask("GET", "/chunks/a/bb/ccc", "1.1")).await;
    client.stream.shutdown().await.unwrap();
    client.head().await;
    let all = client.all().await;
    assert_eq!(all, "1\r\na\r\n2\r\nbb\r\n3\r\nccc\r\n0\r\n\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_when_the_server_stops_and_the_connection_ends_after_it() {
    let mut client = Client::new();
    client.send(ask("GET", "/chunks/a/pause/pause/b", "1.1")).await;
    client.head().await;
    client.expect_bytes("1\r\na\r\n").await;
    client.connections.stop();
    client.expect_bytes("4\r\nlate\r\n4\r\nlate\r\n1\r\nb\r\n0\r\n\r\n").await;
    client.expect_end().await;
}
