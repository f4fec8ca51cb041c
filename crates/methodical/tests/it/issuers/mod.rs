//! Tokens of another issuer, which is a small server of this test's: with its keys, and everything
//! that can be wrong with a token.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::{Value, json};

use super::support::client::Request;
use super::support::server::{Options, Server};

/// A key of the issuer.
struct Key {
    id: &'static str,
    pair: KeyPair,
}

impl Key {
    fn new(id: &'static str) -> Self {
        Self { id, pair: KeyPair::generate().expect("a key") }
    }

    fn public(&self) -> Value {
        let point = self.pair.public_key_raw();
        let part = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id,
            "x": part(&point[1..33]), "y": part(&point[33..65]),
        })
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(Algorithm::ES256) };
        let key = EncodingKey::from_ec_der(&self.pair.serialize_der());
        jsonwebtoken::encode(&header, claims, &key).expect("a token")
    }
}

/// The issuer: its discovery document and its keys, over plain HTTP on this machine.
struct Issuer {
    url: String,
    keys: Arc<Mutex<Value>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/realm", listener.local_addr().expect("an address"));
        let issuer = Self { url: url.clone(), keys: Arc::default(), asked: Arc::default() };
        issuer.publish(keys);
        let (keys, asked) = (Arc::clone(&issuer.keys), Arc::clone(&issuer.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut line = String::new();
                let mut reader = BufReader::new(stream);
                if reader.read_line(&mut line).is_err() {
                    continue;
                }
                while reader.read_line(&mut String::new()).is_ok_and(|read| read > 2) {}
                let content = if line.contains("openid-configuration") {
                    json!({ "issuer": url, "jwks_uri": format!("{url}/keys") })
                } else {
                    asked.fetch_add(1, Ordering::SeqCst);
                    keys.lock().expect("keys").clone()
                };
                let content = content.to_string();
                let length = content.len();
                let answer =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{content}");
                drop(reader.into_inner().write_all(answer.as_bytes()));
            }
        });
        issuer
    }

    fn publish(&self, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
        *self.keys.lock().expect("keys") = json!({ "keys": keys });
    }

    #[expect(clippy::disallowed_methods, reason = "a token says when it was made")]
    fn claims(&self) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        json!({
            "iss": self.url, "aud": "shop-api", "sub": "u-1", "iat": now, "exp": now + 600,
            "email": "alice@example.com", "email_verified": true,
        })
    }

    fn serve(&self, home: &Path, more: &str) -> Server {
        let declaration = format!(
            "[issuers.login]\nissuer = \"{}\"\naudience = \"shop-api\"\n{more}\n\
             [resources.users]\nlogin = [\"email\"]\n\
             access = {{ read = \"owner\", write = \"admin\" }}\n\
             fields.email = {{ type = \"string\", unique = true }}\n\
             fields.password = {{ type = \"string\", format = \"password\", optional = true }}\n\
             fields.role = {{ type = \"string\", enum = [\"clerk\", \"admin\"], optional = true, \
             write = \"admin\" }}\n\
             [resources.notes]\naccess = {{ read = \"signed-in\", write = \"clerk\" }}\n\
             fields.text = {{ type = \"string\" }}\n",
            self.url
        );
        std::fs::write(home.join("methodical.toml"), declaration).expect("a declaration");
        let options = Options::default().set("outbound.private", "127.0.0.1");
        let server = Server::over(home, options);
        for email in ["alice@example.com", "bob@example.com"] {
            let user = Request::new("POST", "/api/users").json(format!(r#"{{"email":"{email}"}}"#));
            assert_eq!(server.admin().send(&user).status, 201);
        }
        server
    }
}

fn me(server: &Server, token: &str) -> (u16, String) {
    let answer = server.client_as(token).send(&Request::new("GET", "/api/me"));
    (answer.status, answer.text())
}

#[test]
fn who_a_token_means_is_a_user_here() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]);
    let home = tempfile::tempdir().expect("a folder");
    let server = issuer.serve(home.path(), "claim = \"email\"\nfield = \"email\"");
    let token = key.sign(&issuer.claims());
    for _ in 0..3 {
        let (status, text) = me(&server, &token);
        assert!(status == 200 && text.contains("alice@example.com"), "{status} {text}");
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "keys are kept");
    assert!(!server.log().contains(&token));
    // What becomes of the record counts at once.
    assert_eq!(server.admin().send(&Request::new("DELETE", "/api/users/1")).status, 200);
    let (status, text) = me(&server, &token);
    assert!(status == 401 && text.contains("nobody here is meant"), "{status} {text}");
    let mut claims = issuer.claims();
    claims["email"] = "bob@example.com".into();
    assert_eq!(me(&server, &key.sign(&claims)).0, 200);
    claims["email_verified"] = false.into();
    let (status, text) = me(&server, &key.sign(&claims));
    assert!(status == 401 && text.contains("has not verified"), "{status} {text}");
}

#[test]
fn whatever_is_wrong_with_a_token_is_refused() {
    let (key, other) = (Key::new("one"), Key::new("two"));
    let issuer = Issuer::start(&[&key]);
    let home = tempfile::tempdir().expect("a folder");
    let server = issuer.serve(home.path(), "claim = \"email\"\nfield = \"email\"\nskew = \"5s\"");
    let now = issuer.claims()["iat"].as_u64().expect("a time");
    let with = |name: &str, value: Value| {
        let mut claims = issuer.claims();
        claims[name] = value;
        key.sign(&claims)
    };
    assert_eq!(me(&server, &with("exp", (now + 60).into())).0, 200);
    assert_eq!(me(&server, &with("aud", json!(["x", "shop-api"]))).0, 200);
    for (token, words) in [
        (with("iss", "http://127.0.0.1:1/".into()), "issuer"),
        (with("aud", "another-api".into()), "for somebody else"),
        (with("aud", Value::Null), "lacks one of the claims"),
        (with("exp", (now - 60).into()), "expired"),
        (with("nbf", (now + 60).into()), "not good yet"),
        (with("iat", (now + 600).into()), "in the future"),
        (with("exp", Value::Null), "exp"),
        (with("email", "nobody@example.com".into()), "nobody here is meant"),
        (other.sign(&issuer.claims()), "a key that its issuer does not have"),
        (
            Key { id: "one", pair: KeyPair::generate().expect("a key") }.sign(&issuer.claims()),
            "signature",
        ),
        ("eyJh.e30.".to_owned(), "no JWT"),
    ] {
        let (status, text) = me(&server, &token);
        assert!(status == 401 && text.contains(words), "{words}: {status} {text}");
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = part(&issuer.claims());
    let signature = with("a", 1.into()).rsplit('.').next().expect("a signature").to_owned();
    for head in [
        json!({ "alg": "none", "typ": "JWT" }),
        json!({ "alg": "None" }),
        json!({ "alg": "HS256", "kid": "one" }),
        json!({ "alg": "RS256", "kid": "one" }),
        json!({ "alg": "ES256", "kid": "one", "crit": ["exp"], "exp": 1 }),
        json!({ "alg": "ES256", "kid": "one", "typ": "logout+jwt" }),
        json!({ "kid": "one" }),
    ] {
        let (status, text) = me(&server, &format!("{}.{claims}.{signature}", part(&head)));
        assert_eq!(status, 401, "{head}: {text}");
        assert_eq!(me(&server, &format!("{}.{claims}.", part(&head))).0, 401, "{head}");
    }
    let long = with("more", "x".repeat(9000).into());
    let (status, text) = me(&server, &long);
    assert!(status == 401 && text.contains("longer"), "{status} {text}");
    assert!(issuer.asked.load(Ordering::SeqCst) <= 4, "strangers do not have keys fetched");
    let asked = format!("/api/me?x={}", key.sign(&issuer.claims()));
    assert_eq!(server.client().send(&Request::new("GET", &asked)).status, 400, "never in a URL");
}

#[test]
fn groups_there_are_roles_here() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]);
    let home = tempfile::tempdir().expect("a folder");
    let more = "roles_claim = \"groups\"\nroles = { staff = \"clerk\" }";
    let server = issuer.serve(home.path(), more);
    let note = Request::new("POST", "/api/notes").json(r#"{"text":"n"}"#);
    let mut claims = issuer.claims();
    assert_eq!(me(&server, &key.sign(&claims)).0, 401, "no group, nobody");
    claims["groups"] = json!(["guests", "staff"]);
    let staff = server.client_as(&key.sign(&claims));
    assert_eq!(staff.send(&note).status, 201);
    let audit = server.admin().send(&Request::new("GET", "/api/audit?actor=issuer"));
    assert!(audit.text().contains("login:u-1"), "{}", audit.text());
    // Who sends a key twice is the same, with whichever token.
    let once = note.clone().field("idempotency-key", "0123456789abcdef012345");
    let first = staff.send(&once).text();
    claims["exp"] = (claims["exp"].as_u64().expect("a time") + 1).into();
    let again = server.client_as(&key.sign(&claims)).send(&once);
    assert_eq!(again.text(), first);
    claims["sub"] = "u-2".into();
    let another = server.client_as(&key.sign(&claims)).send(&once);
    assert_ne!(another.text(), first, "somebody else's key is another");
}

#[test]
fn keys_that_the_issuer_exchanges_are_known_at_once() {
    let (old, new, last) = (Key::new("old"), Key::new("new"), Key::new("last"));
    let issuer = Issuer::start(&[&old]);
    let home = tempfile::tempdir().expect("a folder");
    let server = issuer.serve(home.path(), "claim = \"email\"\nfield = \"email\"");
    let is_known = |key: &Key| me(&server, &key.sign(&issuer.claims())).0 == 200;
    assert!(is_known(&old));
    issuer.publish(&[&new]);
    assert!(is_known(&old), "it is good until somebody asks for another");
    assert!(is_known(&new));
    assert!(!is_known(&old), "the issuer does not have it any more");
    // Whoever makes up names of keys has them fetched a few times, and no more.
    for _ in 0..20 {
        assert!(!is_known(&last));
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 4);
    issuer.publish(&[&last]);
    assert!(!is_known(&last), "until a minute has gone by");
    assert!(is_known(&new));
}
