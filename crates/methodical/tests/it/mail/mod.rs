//! Mail about accounts: from the request that causes it to the code that comes back, with a folder
//! and with a mail server of this test's.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

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
    await_that("it is asked", || outbox(&server).len() == 3);
    let mails = outbox(&server);
    let third = mails.iter().find(|mail| mail.contains("To: other@example.com"));
    assert_eq!(
        form(&code(third.expect("a mail to it"))).1.as_deref(),
        Some("/api/login/confirm#done")
    );
    assert_eq!(
        own.get("/api/me/email").text(),
        r#"{"email":"other@example.com","confirmed":true}"#
    );
    // What leaves the address as it is asks nothing.
    let name = Request::new("PATCH", "/api/users/43").json(r#"{"name":"Dorothea"}"#);
    assert_eq!(own.send(&name).status, 200);
    await_that("nothing waits", || jobs(&server, &["list"]).starts_with("nothing waits"));
    assert_eq!(outbox(&server).len(), 3);
}

#[test]
fn users_of_a_batch_are_asked_to_confirm_and_those_of_a_bulk_are_not() {
    let server = with_folder();
    let user =
        |name: &str| format!(r#"{{"name":"N","email":"{name}@example.com","username":"{name}"}}"#);
    let lines = [user("one"), user("two")].join("\n");
    let bulk = Request::new("POST", "/api/users").content("application/x-ndjson", lines);
    assert_eq!(server.admin().send(&bulk).status, 201);
    let batch = format!(
        r#"{{"operations":[{{"method":"POST","path":"/api/users","body":{}}}]}}"#,
        user("three")
    );
    assert_eq!(server.admin().send(&post("/api/batch", &batch)).status, 200);
    // What is undone asks nobody.
    let undone = format!(
        r#"{{"operations":[{{"method":"POST","path":"/api/users","body":{}}},
            {{"method":"DELETE","path":"/api/users/9999"}}]}}"#,
        user("four")
    );
    assert_eq!(server.admin().send(&post("/api/batch", &undone)).status, 404);
    await_that("there is a mail", || !outbox(&server).is_empty());
    await_that("nothing waits", || jobs(&server, &["list"]).starts_with("nothing waits"));
    let mails = outbox(&server);
    assert!(mails.len() == 1 && mails[0].contains("To: three@example.com"), "{mails:?}");
}

#[test]
fn where_addresses_have_to_be_confirmed_nobody_signs_in_before() {
    let server = options().set("mail.file", "outbox").set("login.confirmed", "on").start();
    let user =
        r#"{"name":"Dora","email":"dora@example.com","username":"dora","password":"dorasecret"}"#;
    assert_eq!(server.admin().send(&post("/api/users", user)).status, 201);
    let login = |password: &str| {
        let content = format!(r#"{{"username":"dora","password":"{password}"}}"#);
        server.client().send(&post("/api/login", &content))
    };
    assert_eq!(login("another one").status, 401, "who does not know the password learns nothing");
    let refused = login("dorasecret");
    let kind = refused.json()["type"].as_str().unwrap_or_default().to_owned();
    assert_eq!((refused.status, kind.as_str()), (403, "/problems/address-not-confirmed"));
    assert!(refused.text().contains("/api/login/reset"), "{}", refused.show());
    await_that("there is a mail", || outbox(&server).len() == 1);
    let confirm = format!(r#"{{"code":"{}"}}"#, code(&outbox(&server)[0]));
    assert_eq!(server.client().send(&post("/api/login/confirm", &confirm)).status, 200);
    assert_eq!(login("dorasecret").status, 200);
    // Whoever was there before comes in by the mail that sets a password.
    let alice = post("/api/login", r#"{"username":"alice","password":"secret123"}"#);
    assert_eq!(server.client().send(&alice).status, 403);
    server.client().send(&post("/api/login/reset", r#"{"username":"alice"}"#));
    await_that("there is another", || outbox(&server).len() == 2);
    let mails = outbox(&server);
    let mail = mails.iter().find(|mail| mail.contains("To: alice@")).expect("a mail to her");
    let reset = format!(r#"{{"code":"{}","password":"secret123"}}"#, code(mail));
    assert_eq!(server.client().send(&post("/api/login/reset", &reset)).status, 200);
    assert_eq!(server.client().send(&alice).status, 200);
}

#[test]
fn without_mail_it_is_said_what_is_missing() {
    let server = Options::shop().start();
    let answer = server.client().send(&post("/api/login/reset", r#"{"username":"alice"}"#));
    assert!(answer.status == 404 && answer.text().contains("mail.from"), "{}", answer.show());
}

/// Whether a mail server speaks TLS.
#[derive(Clone)]
enum Secure {
    Never,
    /// From the first byte on (RFC 8314 §3.3).
    AtOnce(Arc<ServerConfig>),
    /// When it is asked to (RFC 3207).
    WhenAsked(Arc<ServerConfig>),
}

/// A mail server that answers each mail as it is told, and keeps what it took.
struct MailServer {
    address: SocketAddr,
    heard: Heard,
}

/// What a mail server was told, and what it answers.
#[derive(Clone)]
struct Heard {
    taken: Arc<Mutex<Vec<String>>>,
    /// The commands that came over TLS, and those that did not.
    commands: [Arc<Mutex<String>>; 2],
    status: Arc<AtomicU16>,
}

impl MailServer {
    fn start(secure: Secure) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let status = Arc::new(AtomicU16::new(250));
        let heard = Heard { taken: Arc::default(), commands: Default::default(), status };
        let own = Self { address, heard: heard.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (heard, secure) = (heard.clone(), secure.clone());
                std::thread::spawn(move || match secure {
                    Secure::Never => drop(heard.talk(stream, 1, "250 mail.example", true)),
                    Secure::AtOnce(config) => {
                        drop(heard.talk(encrypted(config, stream), 0, AUTH, true));
                    }
                    Secure::WhenAsked(config) => {
                        let offer = "250-mail.example\r\n250 STARTTLS";
                        if let Some(stream) = heard.talk(stream, 1, offer, true) {
                            drop(heard.talk(encrypted(config, stream), 0, AUTH, false));
                        }
                    }
                });
            }
        });
        own
    }

    fn taken(&self) -> Vec<String> {
        self.heard.taken.lock().expect("mails").clone()
    }

    fn answer(&self, status: u16) {
        self.heard.status.store(status, Ordering::SeqCst);
    }

    /// What came over TLS, and what did not.
    fn commands(&self) -> [String; 2] {
        self.heard.commands.each_ref().map(|commands| commands.lock().expect("commands").clone())
    }
}

/// Who signs in does so in the words of RFC 4616.
const AUTH: &str = "250-mail.example\r\n250 AUTH PLAIN";

fn encrypted(
    config: Arc<ServerConfig>,
    stream: TcpStream,
) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(config).expect("a connection"), stream)
}

impl Heard {
    /// Talks until it is over; gives the connection back where it is to become one of TLS.
    fn talk<S: Read + Write>(&self, stream: S, kept: usize, ehlo: &str, greets: bool) -> Option<S> {
        let mut stream = BufReader::new(stream);
        let mut said = if greets { "220 ready".to_owned() } else { String::new() };
        let mut mail: Option<String> = None;
        loop {
            if !said.is_empty() {
                stream.get_mut().write_all(format!("{said}\r\n").as_bytes()).ok()?;
                stream.get_mut().flush().ok()?;
            }
            if said == "220 begin" {
                return Some(stream.into_inner());
            }
            let mut line = String::new();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(text) = &mut mail {
                if line != ".\r\n" {
                    text.push_str(&line.replace("\r\n", "\n"));
                    said = String::new();
                    continue;
                }
                let status = self.status.load(Ordering::SeqCst);
                if status == 250 {
                    self.taken.lock().expect("mails").push(unfolded(text));
                }
                (mail, said) = (None, format!("{status} so be it"));
                continue;
            }
            self.commands[kept].lock().expect("commands").push_str(&line);
            said = match line.split([' ', '\r']).next().unwrap_or_default() {
                "EHLO" => ehlo.to_owned(),
                "STARTTLS" => "220 begin".to_owned(),
                "AUTH" => "235 you are".to_owned(),
                "DATA" => {
                    mail = Some(String::new());
                    "354 go on".to_owned()
                }
                "QUIT" => return None,
                _ => "250 ok".to_owned(),
            };
        }
    }
}

/// A certificate for the addresses of this machine, and what a server shows it with.
fn certificate(path: &std::path::Path) -> Arc<ServerConfig> {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "0.0.0.0".to_owned()]);
    let own = params.and_then(|params| params.self_signed(&key)).expect("a certificate");
    fs::write(path, own.pem()).expect("a file");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], key);
    Arc::new(config.expect("a configuration"))
}

#[test]
fn mail_that_leaves_the_machine_is_encrypted() {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path().join("root.pem");
    let config = certificate(&root);
    let (at_once, when_asked) = (Secure::AtOnce(config.clone()), Secure::WhenAsked(config));
    // 0.0.0.0 leads here too, and is no name of this machine.
    for (secure, scheme, host) in [(at_once, "smtps", "127.0.0.1"), (when_asked, "smtp", "0.0.0.0")]
    {
        let mail = MailServer::start(secure.clone());
        let url = format!("{scheme}://shop:p%40ss%2Fword@{host}:{}", mail.address.port());
        let start = |trusted: bool| {
            let options = options().environment("METHODICAL_MAIL_URL", &url);
            let root = root.to_str().expect("a path");
            if trusted { options.set("outbound.roots", root) } else { options }.start()
        };
        let server = start(true);
        server.client().send(&post("/api/login/reset", r#"{"username":"alice"}"#));
        await_that("it is sent", || mail.taken().len() == 1);
        let [secret, open] = mail.commands();
        let word = base64::engine::general_purpose::STANDARD.encode("\0shop\0p@ss/word");
        assert!(secret.contains(&format!("AUTH PLAIN {word}")), "{secret}");
        assert!(secret.contains("RCPT TO:<alice@example.com>"), "{secret}");
        for word in ["AUTH", "MAIL", "RCPT", "DATA"] {
            assert!(!open.contains(word), "{scheme}: {open}");
        }
        // Whom nobody vouches for is told nothing.
        let server = start(false);
        server.client().send(&post("/api/login/reset", r#"{"username":"alice"}"#));
        server.await_log("failed and is tried again");
        assert!(!server.log().contains("p@ss"), "{}", server.log());
        assert_eq!(mail.taken().len(), 1);
        assert!(!mail.commands()[1].contains("AUTH"));
    }
    // Nor is one that speaks no TLS.
    let mail = MailServer::start(Secure::Never);
    let url = format!("smtp://shop:word@0.0.0.0:{}", mail.address.port());
    let server = options().set("mail.url", &url).start();
    server.client().send(&post("/api/login/reset", r#"{"username":"alice"}"#));
    server.await_log("failed and is tried again");
    assert!(mail.taken().is_empty() && !mail.commands()[1].contains("AUTH"));
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
    let mail = MailServer::start(Secure::Never);
    mail.answer(451);
    let url = format!("smtp://{}", mail.address);
    let mut server = options().set("mail.url", &url).start();
    server.client().send(&post("/api/login/reset", r#"{"username":"alice"}"#));
    server.await_log("failed and is tried again");
    // Acknowledged is acknowledged: what was not sent yet survives.
    server.kill_and_restart();
    mail.answer(250);
    await_that("it is sent", || mail.taken().len() == 1);
    assert!(code(&mail.taken()[0]).starts_with("mtdc_"));
    server.await_log("is done");
    mail.answer(550);
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
    mail.answer(250);
    jobs(&server, &["retry", number]);
    await_that("it is sent", || mail.taken().len() == 2);
    await_that("nothing waits", || jobs(&server, &["list"]).starts_with("nothing waits"));
}

#[test]
fn what_cannot_send_mail_does_not_start() {
    for (settings, word) in [
        (&["mail.from=Shop <shop@shop.example>"][..], "mail.url"),
        (&["mail.from=Shop <shop@shop.example>", "mail.url=mail.example"], "smtps://"),
        (&["mail.from=Shop", "mail.file=out"], "is no address"),
        (&["mail.url=smtp://localhost"], "mail.from"),
        (&["login.confirmed=on"], "mail.from"),
        (&["mail.from=a@shop.example", "mail.file=out", "proxies=127.0.0.1"], "origin"),
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
