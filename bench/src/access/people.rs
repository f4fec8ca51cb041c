//! Who asks: users who sign in, and API keys.

use std::net::SocketAddr;
use std::path::Path;

use super::data::{self, SIGNERS};
use crate::load::{self, Whole};
use crate::process::Launcher;
use crate::requests;
use crate::work::field;

const PASSWORD: &str = "correct horse battery staple";
const FORM: &str = "application/x-www-form-urlencoded";

/// Those who may ask, each as the fields that its requests carry.
pub(super) struct People {
    /// Records of a table.
    pub(super) size: u64,
    /// Users, by the token of a session.
    pub(super) sessions: Vec<String>,
    /// The same, by a cookie.
    pub(super) cookies: Vec<String>,
    /// A program, by an API key.
    pub(super) key: String,
    /// A program that may change everything.
    pub(super) admin: String,
}

impl People {
    /// Signs everybody in. A database has to be filled for this size.
    pub(super) fn new(
        launcher: &Launcher,
        database: &Path,
        address: SocketAddr,
        size: u64,
    ) -> Result<Self, String> {
        let users = 1..=SIGNERS;
        Ok(Self {
            size,
            sessions: users.clone().map(|user| session(address, user)).collect::<Result<_, _>>()?,
            cookies: users.map(|user| cookie(address, user)).collect::<Result<_, _>>()?,
            key: bearer(&launcher.key(database, "customer")?),
            admin: bearer(&launcher.key(database, "admin")?),
        })
    }
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// Makes the users who sign in.
pub(super) fn create(
    launcher: &Launcher,
    database: &Path,
    address: SocketAddr,
) -> Result<(), String> {
    let admin = bearer(&launcher.key(database, "admin")?);
    for user in 1..=SIGNERS {
        let content = format!("{{\"name\":\"{}\",\"password\":\"{PASSWORD}\"}}", data::name(user));
        let request = requests::send("POST /api/users", "application/json", &admin, &content);
        let answer = load::once(address, &request)?;
        let location = field(&answer, "location").unwrap_or_default();
        if answer.status != 201 || !location.ends_with(&format!("/{user}")) {
            return Err(format!("a new user is {}", said(&answer)));
        }
    }
    Ok(())
}

/// A request that signs a user in.
pub(super) fn login(user: u64) -> Vec<u8> {
    let name = data::name(user);
    let content = format!("{{\"username\":\"{name}\",\"password\":\"{PASSWORD}\"}}");
    requests::post("/api/login", "application/json", &content)
}

fn session(address: SocketAddr, user: u64) -> Result<String, String> {
    let answer = load::once(address, &login(user))?;
    let token =
        answer.content.split_once("\"token\":\"").and_then(|(_, rest)| rest.split_once('"'));
    match token {
        Some((token, _)) if answer.status == 200 => Ok(bearer(token)),
        _ => Err(format!("a login is {}", said(&answer))),
    }
}

/// Signs in as the form of a page does.
fn cookie(address: SocketAddr, user: u64) -> Result<String, String> {
    let content = format!("username={}&password={}", data::name(user), PASSWORD.replace(' ', "+"));
    let page = "sec-fetch-site: same-origin\r\n";
    let request = requests::send("POST /api/login", FORM, page, &content);
    let request = String::from_utf8_lossy(&request).replace("*/*", "text/html,*/*;q=0.8");
    let answer = load::once(address, request.as_bytes())?;
    let cookie = field(&answer, "set-cookie").and_then(|cookie| cookie.split_once(';'));
    match cookie {
        Some((cookie, _)) if answer.status == 303 => Ok(format!("cookie: {cookie}\r\n")),
        _ => Err(format!("a login by a form is {}", said(&answer))),
    }
}

/// An answer that was not expected, without what may be a secret.
fn said(answer: &Whole) -> String {
    if answer.status < 400 {
        return format!("a {}", answer.status);
    }
    format!("a {}: {:.300}", answer.status, answer.content)
}
