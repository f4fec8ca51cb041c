//! Request lines and fields: RFC 9112 §2, §3, §5, and what must be refused.

use super::Client;
use model::setting::Settings;

#[tokio::test]
async fn targets() {
    for (head, content) in [
        ("GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a?b=c h "),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / h "),
        ("GET http://other:81/a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a other:81 "),
        ("GET HTTP://other HTTP/1.1\r\nHost: h\r\n\r\n", "GET / other "),
        ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * h "),
        ("get / HTTP/1.1\r\nHost: h\r\n\r\n", "get / h "),
        ("GET / HTTP/1.9\r\nHost: h\r\n\r\n", "GET / h "),
        ("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n", "GET / h "),
        ("GET / HTTP/1.1\r\nHost: [::1]:8080\r\nEmpty:\r\n\r\n", "GET / [::1]:8080 "),
    ] {
        let mut client = Client::new();
        client.send(head).await;
        client.expect(200, content).await;
        client.send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n").await;
        client.expect(200, "GET /next h ").await;
    }
}

#[tokio::test]
async fn malformed_heads_are_refused() {
    for (head, status, words) in [
        ("GET / HTTP/1.1\r\n\r\n", 400, "Host is missing"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "more than once"),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "not a host name"),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "not a host name"),
        ("GET http://other/ HTTP/1.1\r\n\r\n", 400, "Host is missing"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "colon"),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "before the first field"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", 400, "Folded"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400, "CR"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 400, "NUL"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400, "no colon"),
        ("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400, "name is empty"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX{: x\r\n\r\n", 400, "name"),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "single spaces"),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "single spaces"),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "single spaces"),
        ("GET /\r\nHost: a\r\n\r\n", 400, "single spaces"),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", 400, "HTTP version"),
        ("GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 400, "HTTP version"),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "token"),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "HTTP/1.1"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/1.1"),
        ("GET /#top HTTP/1.1\r\nHost: a\r\n\r\n", 400, "fragment"),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "OPTIONS only"),
        ("GET users HTTP/1.1\r\nHost: a\r\n\r\n", 400, "path that begins"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "CONNECT"),
        ("GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "CONNECT"),
        ("GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "secret-in-url"),
        ("GET /?q=100% HTTP/1.1\r\nHost: a\r\n\r\n", 400, "%25"),
        ("GET /caf\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Percent-encode"),
        ("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", 400, "empty lines"),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "LF alone"),
        ("GET / HTTP/1.1\nHost: a\n\n", 400, "LF alone"),
        ("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400, "LF alone"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "LF alone"),
    ] {
        let mut client = Client::new();
        client.send(head).await;
        client.expect_refusal(status, words).await;
    }
}

#[tokio::test]
async fn a_refused_head_request_gets_no_content() {
    let mut client = Client::new();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await;
    let (status, head, _) = client.answer(true).await;
    assert_eq!(status, 400);
    assert!(head.contains("content-length: "), "{head}");
    client.expect_end().await;
}

#[tokio::test]
async fn too_much_is_refused_before_its_end() {
    let long = "x".repeat(9000);
    for (head, status, words) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 414, "8192"),
        (format!("GET /{long}"), 414, "QUERY"),
        ("G".repeat(9000), 400, "method"),
        (
            format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "y".repeat(70_000)),
            431,
            "65536",
        ),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {}", "y".repeat(70_000)), 431, "65536"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(200)), 431, "100"),
    ] {
        let mut client = Client::new();
        client.send(head).await;
        client.expect_refusal(status, words).await;
    }
}

#[tokio::test]
async fn a_target_and_fields_at_their_limits_are_taken() {
    let mut client = Client::new();
    let path = format!("/{}", "x".repeat(8191));
    client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    client.expect(200, &format!("GET {path} a ")).await;
    let fields = "X: y\r\n".repeat(99);
    client.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")).await;
    client.expect(200, "GET / a ").await;
    client.send(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(60_000))).await;
    client.expect(200, "GET / a ").await;
}

#[tokio::test]
async fn a_head_in_single_bytes() {
    let mut client = Client::new();
    for byte in b"\r\nGET /drip HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n" {
        client.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    client.expect(200, "GET /drip a ").await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_is_a_408_and_silence_is_no_answer() {
    let mut client = Client::new();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n").await;
    client.expect_refusal(408, "not complete in time").await;
    Client::new().expect_end().await;
    let settings =
        Settings { first_byte_timeout: std::time::Duration::MAX / 4, ..Settings::default() };
    let mut client =
        Client::with(Settings { first_byte_timeout: settings.head_timeout, ..settings });
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.expect(200, "GET / a ").await;
    client.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn endless_fields_end_at_their_time() {
    let mut client = Client::new();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n").await;
    let start = tokio::time::Instant::now();
    let mut answered = false;
    for number in 0..100 {
        client.send(format!("X-{number}: y\r\n")).await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        if client.task.is_finished() || start.elapsed().as_secs() > 13 {
            answered = true;
            break;
        }
    }
    assert!(answered, "the head was read for {:?}", start.elapsed());
    assert_eq!(client.answer(false).await.0, 408);
}
