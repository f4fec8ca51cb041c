//! Mail about accounts: from the request that causes it to the code that comes back, with a folder
//! and with a mail server of this test's.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use super::support::client::Request;
use super::support::server::{Options, Server, await_that};

fn options() -> Options {
    Options::shop().set("mail.from", "Shop <shop@shop.example>").set("login.sign_ups", "1000")
}

fn with_folder() -> Server {
    options().set("mail.file", "outbox").start()
}

/// What the mails in the folder say, the oldest first.
fn outbox(server: &Server) -> Vec<String> {
    let folder = server.home().join("outbox");
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().collect::<Vec<_>>());
    let mut paths: Vec<_> = entries.unwrap_or_default().iter().map(fs::DirEntry::path).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
    paths.sort();
    paths.iter().map(|path| unfolded(&fs::read_to_string(path).expect("a mail"))).collect()
}

/// Without the soft line ends of quoted-printable (RFC 2045 §6.7).
fn unfolded(text: &str) -> String {
    text.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=")
}

fn code(mail: &str) -> String {
    let at = mail.find("#mtdc_").expect("a link with a code") + 1;
    mail[at..].split_whitespace().next().expect("a code").to_owned()
}

fn post(target: &str, content: &str) -> Request {
    Request::new("POST", target).json(content)
}

fn login(server: &Server, password: &str) -> (u16, String) {
    let content = format!(r#"{{"username":"alice","password":"{password}"}}"#);
    let answer = server.client().send(&post("/api/login", &content));
    let token = answer.json()["token"].as_str().unwrap_or_default().to_owned();
    (answer.status, token)
}

#[test]
fn a_forgotten_password_is_set_by_the_code_of_a_mail() {
    let server = with_folder();
    let client = server.client();
    let (status, token) = login(&server, "secret123");
    assert_eq!(status, 200);
    let asked = client.send(&post("/api/login/reset", r#"{"username":"alice"}"#));
    assert_eq!((asked.status, asked.text().as_str()), (202, r#"{"status":"accepted"}"#));
    await_that("there is a mail", || outbox(&server).len() == 1);
    let mail = &outbox(&server)[0];
    assert!(mail.contains("To: alice@example.com") && mail.contains("within 1 h"), "{mail}");
    let first = code(mail);
    // Another mail ends the code of the one before.
    client.send(&post("/api/login/reset", r#"{"email":"alice@example.com"}"#));
    await_that("there is another", || outbox(&server).len() == 2);
    let second = outbox(&server).iter().map(|mail| code(mail)).find(|code| *code != first);
    let second = second.expect("another code");
    let set = |code: &str, password: &str| {
        let content = format!(r#"{{"code":"{code}","password":"{password}"}}"#);
        client.send(&post("/api/login/reset", &content))
    };
    assert_eq!(set(&first, "another one").status, 422);
    assert_eq!(set(&second, "short").status, 422, "as short as no password may be");
    assert_eq!(login(&server, "secret123").0, 200, "nothing was done yet");
    let done = set(&second, "another one");
    assert_eq!((done.status, done.text().as_str()), (200, r#"{"status":"changed"}"#));
    assert_eq!(set(&second, "a third one").status, 422, "once");
    assert_eq!(server.client_as(&token).get("/api/me").status, 401, "every session ends");
    assert_eq!(login(&server, "secret123").0, 401);
    let (status, token) = login(&server, "another one");
    assert_eq!(status, 200);
    let own = server.client_as(&token).get("/api/me/email");
    assert_eq!(own.text(), r#"{"email":"alice@example.com","confirmed":true}"#);
    let audit = server.admin().get("/api/audit?operation=password").text();
    assert!(audit.contains(r#""record":"1""#) || audit.contains("\"1\""), "{audit}");
    for secret in [&first, &second, "another one"] {
        assert!(!server.log().contains(secret), "no log has it");
    }
}

#[test]
fn nobody_learns_who_is_there() {
    let server = with_folder();
    let ask = |content: &str| server.client().send(&post("/api/login/reset", content));
    let there = ask(r#"{"username":"alice"}"#);
    let nobody = ask(r#"{"username":"nobody"}"#);
    let without = ask(r#"{"email":"nobody@example.com"}"#);
    for other in [&nobody, &without] {
        assert_eq!((other.status, other.text()), (there.status, there.text()));
    }
    await_that("one mail is there", || outbox(&server).len() == 1);
    for (content, word) in [
        ("{}", "send one of"),
        (r#"{"username":"a","email":"b"}"#, "send one of"),
        (r#"{"code":"x"}"#, "/password"),
        (r#"{"usrname":"a"}"#, "did you mean"),
        (r#"{"code":"mtdc_x","password":"long enough"}"#, "/code"),
    ] {
        let answer = ask(content);
        assert!(
            answer.status == 422 && answer.text().contains(word),
            "{content}: {}",
            answer.show()
        );
    }
    let code = code(&outbox(&server)[0]);
    let refused = server.client().get(&format!("/api/login/reset?code={code}"));
    assert_eq!(refused.status, 400, "a code is no parameter: {}", refused.show());
    let wrong =
        server.client().send(&post("/api/login/confirm", &format!(r#"{{"code":"{code}"}}"#)));
    assert_eq!(wrong.status, 422, "it is good for nothing else");
    let many = (0..20).map(|_| ask(r#"{"username":"bob"}"#).status);
    assert!(many.collect::<Vec<_>>().contains(&429), "nobody is flooded");
}

#[test]
fn a_new_user_confirms_its_address() {
    let server = with_folder();
    let user =
        r#"{"name":"Dora","email":"dora@example.com","username":"dora","password":"dorasecret"}"#;
    assert_eq!(server.admin().send(&post("/api/users", user)).status, 201);
    await_that("there is a mail", || outbox(&server).len() == 1);
    let first = code(&outbox(&server)[0]);
    let session =
        server.client().send(&post("/api/login", r#"{"username":"dora","password":"dorasecret"}"#));
    let own = server.client_as(session.json()["token"].as_str().expect("a token"));
    assert_eq!(
        own.get("/api/me/email").text(),
        r#"{"email":"dora@example.com","confirmed":false}"#
    );
    // A page shows what to do and does nothing.
    for _ in 0..3 {
        let page = server
            .client()
            .send(&Request::new("GET", "/api/login/confirm").field("accept", "text/html"));
        let type_ = page.field("content-type");
        assert_eq!((page.status, type_.as_deref()), (200, Some("text/html; charset=utf-8")));
        let policy = page.field("content-security-policy").expect("a policy");
        assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    }
    assert_eq!(own.send(&post("/api/me/email", "{}")).status, 202);
    await_that("there is another", || outbox(&server).len() == 2);
    let second = outbox(&server).iter().map(|mail| code(mail)).find(|code| *code != first);
    let form = |code: &str| {
        let request = Request::new("POST", "/api/login/confirm")
            .field("accept", "text/html,*/*;q=0.8")
            .content(
                "application/x-www-form-urlencoded",
                format!("code={code}&next=/api/login/confirm%23done"),
            );
        let answer = server.client().send(&request);
        (answer.status, answer.field("location"))
    };
    let failed = Some("/api/login/confirm#failed".to_owned());
    assert_eq!(form(&first), (303, failed.clone()));
    let second = second.expect("another code");
    assert_eq!(form(&second), (303, Some("/api/login/confirm#done".to_owned())));
    assert_eq!(form(&second), (303, failed), "once");
    assert_eq!(own.get("/api/me/email").text(), r#"{"email":"dora@example.com","confirmed":true}"#);
    // Another address is another question.
    let other = Request::new("PATCH", "/api/users/43").json(r#"{"email":"other@example.com"}"#);
    assert_eq!(own.send(&other).status, 200);
    assert_eq!(
        own.get("/api/me/email").text(),
        r#"{"email":"other@example.com","confirmed":false}"#
    );
}

#[test]
fn without_mail_it_is_said_what_is_missing() {
    let server = Options::shop().start();
    let answer = server.client().send(&post("/api/login/reset", r#"{"username":"alice"}"#));
    assert!(answer.status == 404 && answer.text().contains("mail.from"), "{}", answer.show());
}

/// A mail server that answers each mail as it is told, and keeps what it took.
struct MailServer {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<String>>>,
    status: Arc<AtomicU16>,
}

impl MailServer {
    fn start(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("a port");
        let own = Self {
            address: listener.local_addr().expect("an address"),
            taken: Arc::default(),
            status: Arc::new(AtomicU16::new(250)),
        };
        let (taken, status) = (Arc::clone(&own.taken), Arc::clone(&own.status));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (taken, status) = (Arc::clone(&taken), Arc::clone(&status));
                std::thread::spawn(move || {
                    let mut out = stream.try_clone().expect("a handle");
                    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
                    let mut say = move |text: &str| out.write_all(text.as_bytes()).is_ok();
                    say("220 ready\r\n");
                    while let Some(line) = lines.next() {
                        let said = match line.split(' ').next().unwrap_or_default() {
                            "DATA" => {
                                say("354 go on\r\n");
                                let text = lines.by_ref().take_while(|line| line != ".");
                                let text: Vec<String> = text.collect();
                                let code = status.load(Ordering::SeqCst);
                                if code == 250 {
                                    taken.lock().expect("mails").push(unfolded(&text.join("\n")));
                                }
                                say(&format!("{code} so be it\r\n"))
                            }
                            "EHLO" => say("250 mail.example\r\n"),
                            "QUIT" => break,
                            _ => say("250 ok\r\n"),
                        };
                        if !said {
                            break;
                        }
                    }
                });
            }
        });
        own
    }

    fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("mails").clone()
    }
}

/// What a command prints that has to succeed.
fn command(server: &Server, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_methodical"));
    let output = command.args(arguments).current_dir(server.home()).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn jobs(server: &Server, arguments: &[&str]) -> String {
    command(server, &[&["jobs"], arguments].concat())
}

#[test]
fn a_mail_is_sent_once_its_server_takes_it() {
    let mail = MailServer::start("127.0.0.1:0");
    mail.status.store(451, Ordering::SeqCst);
    let url = format!("smtp://{}", mail.address);
    let mut server = options().set("mail.url", &url).start();
    server.client().send(&post("/api/login/reset", r#"{"username":"alice"}"#));
    server.await_log("failed and is tried again");
    // Acknowledged is acknowledged: what was not sent yet survives.
    server.kill_and_restart();
    mail.status.store(250, Ordering::SeqCst);
    await_that("it is sent", || mail.taken().len() == 1);
    assert!(code(&mail.taken()[0]).starts_with("mtdc_"));
    server.await_log("is done");
    mail.status.store(550, Ordering::SeqCst);
    server.client().send(&post("/api/login/reset", r#"{"username":"alice"}"#));
    server.await_log("is given up");
    assert_eq!(mail.taken().len(), 1);
    assert!(!server.log().contains("alice@"), "{}", server.log());
    // The operator sees it, and has it tried again.
    let said = jobs(&server, &["list"]);
    assert!(said.contains("mail  given up ") && said.contains(", tried 1 times: "), "{said}");
    assert!(!said.contains("alice@") && !said.contains("mtdc_"), "{said}");
    let (number, _) = said.trim_start().split_once(' ').expect("a number");
    let status = command(&server, &["status", &server.home().display().to_string()]);
    assert!(status.contains("0 wait, 1 given up"), "{status}");
    mail.status.store(250, Ordering::SeqCst);
    jobs(&server, &["retry", number]);
    await_that("it is sent", || mail.taken().len() == 2);
    await_that("nothing waits", || jobs(&server, &["list"]).starts_with("nothing waits"));
}

#[test]
fn what_cannot_send_mail_does_not_start() {
    for (settings, word) in [
        (&["mail.from=Shop <shop@shop.example>"][..], "mail.url"),
        (&["mail.from=Shop <shop@shop.example>", "mail.url=mail.example"], "smtps://"),
    ] {
        let home = tempfile::tempdir().expect("a folder");
        let dir = home.path().join("api");
        let run = |arguments: &[&str]| {
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_methodical"))
                .args(arguments)
                .stdin(std::process::Stdio::null())
                .output()
                .expect("the program runs");
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let dir = dir.to_str().expect("a path");
        assert!(run(&["init", dir]).0);
        let mut arguments = vec!["serve", dir, "--listen", "127.0.0.1:0"];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        let (served, words) = run(&arguments);
        assert!(!served && words.contains(word), "{settings:?}: {words}");
    }
}
