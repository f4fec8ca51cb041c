//! Pages of other origins in a real browser: it sends the preflights and keeps answers from pages,
//! as no client of ours would (Fetch §3.2).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::support::server::{Options, PATIENCE, Server, copy, repository};

/// What a page does with the API, and what it is told: a line each. `API` and `KEY` are filled in.
const PAGE: &str = r#"<!doctype html><title>Page</title><script type="module">
const api = "API", key = "KEY", lines = [];
async function tell(name, target, options = {}) {
  try {
    const answer = await fetch(api + target, options);
    const read = ["etag", "location", "idempotent-replayed", "ratelimit", "request-id"]
      .filter(field => answer.headers.has(field));
    lines.push(`${name}: ${answer.status} ${read.join(" ")}`);
    return answer.headers;
  } catch (fault) {
    lines.push(`${name}: ${fault.name}`);
    return new Headers();
  }
}
const json = { "content-type": "application/json" };
const bearer = { authorization: `Bearer ${key}` };
const found = await tell("get", "/api/products/1");
await tell("query", "/api/products", {
  method: "QUERY", headers: json, body: JSON.stringify({ category: "none" }),
});
const message = JSON.stringify({ email: "page@example.com", text: "from a page" });
const once = { ...json, "idempotency-key": `"${location.hostname}-0123456789abcdef"` };
await tell("post", "/api/messages", { method: "POST", headers: once, body: message });
await tell("again", "/api/messages", { method: "POST", headers: once, body: message });
await tell("patch", "/api/products/1", {
  method: "PATCH",
  headers: {
    ...bearer, "content-type": "application/merge-patch+json", "if-match": found.get("etag") ?? "*",
  },
  body: JSON.stringify({ description: "from a page" }),
});
await tell("refused", "/api/products", { method: "POST", headers: json, body: "{}" });
await tell("cookies", "/api/products/1", { credentials: "include" });
await fetch("/report", { method: "POST", body: lines.join("\n") });
</script>"#;

/// Serves the page to whoever asks, under any name, and gives what it reports.
fn page(html: String) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (report, reports) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (html, report) = (html.clone(), report.clone());
            std::thread::spawn(move || {
                if let Some(text) = answer(stream.expect("a connection"), &html) {
                    // The test may be over.
                    drop(report.send(text));
                }
            });
        }
    });
    (port, reports)
}

fn answer(stream: TcpStream, html: &str) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        // A browser opens connections that it does not use.
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut content = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
    reader.read_exact(&mut content).ok()?;
    let is_report = head.starts_with("POST /report ");
    let html = if is_report { "" } else { html };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{html}",
        html.len()
    );
    reader.into_inner().write_all(answer.as_bytes()).ok()?;
    is_report.then(|| String::from_utf8_lossy(&content).into_owned())
}

/// A browser that knows these names, and ends with this value.
struct Browser {
    process: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    fn open(host: &str, port: u16) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let process = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-dev-shm-usage"])
            .arg(format!("--host-resolver-rules=MAP {host}:80 127.0.0.1:{port}"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("--remote-debugging-port=0")
            .arg(format!("http://{host}/"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium is installed; `make test` installs it where it may");
        Self { process, _profile: profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a page of this host reports of itself.
fn reported(server: &Server, host: &str) -> Vec<String> {
    let api = format!("http://{}", server.address());
    let (port, reports) = page(PAGE.replace("API", &api).replace("KEY", &server.admin_key()));
    let browser = Browser::open(host, port);
    let report = reports.recv_timeout(PATIENCE).expect("the page reports");
    drop(browser);
    report.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_page_of_a_declared_origin_may_do_what_is_declared_and_others_may_not() {
    let home = tempfile::tempdir().expect("a folder");
    copy(&repository().join("examples/shop"), home.path());
    let path = home.path().join("methodical.toml");
    let declared = std::fs::read_to_string(&path).expect("a declaration");
    std::fs::write(path, format!("origins = [\"http://app.example\"]\n{declared}"))
        .expect("a declaration");
    let server = Options::folder(home.path()).start();
    let messages = || {
        let answer = server.admin().get("/api/messages?text=from%20a%20page");
        answer.json()["total"].as_u64().expect("a total")
    };
    assert_eq!(
        reported(&server, "app.example"),
        [
            "get: 200 etag request-id",
            "query: 200 etag location request-id",
            "post: 201 etag location request-id",
            "again: 201 etag location idempotent-replayed request-id",
            "patch: 200 etag request-id",
            "refused: 401 request-id",
            "cookies: TypeError",
        ]
    );
    assert_eq!(messages(), 1, "sent twice, carried out once");
    let found = reported(&server, "other.example");
    assert!(found.iter().all(|line| line.ends_with(": TypeError")), "{found:?}");
    assert_eq!((found.len(), messages()), (7, 1), "what needs a preflight was not even sent");
}
