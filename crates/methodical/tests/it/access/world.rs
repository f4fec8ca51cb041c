//! A server with users, records of each kind, and callers of each kind; and the rules of its
//! declaration in words of our own: what is expected comes from here, and from nowhere else.

use std::cell::{Cell, RefCell};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::answer::Answer;
use crate::support::client::{Client, Request};
use crate::support::server::{Options, Server, await_that, tests};

/// Who somebody is, however it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Nobody,
    Ada,
    Ann,
    Ben,
    Mia,
    AdminKey,
    ModeratorKey,
}

use Who::{Ada, AdminKey, Ann, Ben, Mia, ModeratorKey, Nobody};

impl Who {
    pub(super) fn id(self) -> Option<u64> {
        match self {
            Ada => Some(1),
            Ann => Some(2),
            Ben => Some(3),
            Mia => Some(4),
            Nobody | AdminKey | ModeratorKey => None,
        }
    }

    pub(super) fn is_admin(self) -> bool {
        matches!(self, Ada | AdminKey)
    }

    pub(super) fn is_moderator(self) -> bool {
        matches!(self, Mia | ModeratorKey)
    }

    pub(super) fn is_user(self) -> bool {
        self.id().is_some()
    }

    pub(super) fn is_signed_in(self) -> bool {
        self != Nobody
    }
}

/// What becomes of a caller's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// They count.
    Good,
    /// They are of nobody: 401 everywhere.
    Bad,
    /// A cookie that another site's page sent: it counts for what is safe.
    Foreign,
}

/// Somebody who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) name: &'static str,
    pub(super) who: Who,
    pub(super) standing: Standing,
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Caller {
    pub(super) fn request(&self, method: &str, target: &str) -> Request {
        let request = Request::new(method, target);
        self.fields.iter().fold(request, |request, (name, value)| request.field(name, value))
    }
}

/// A record, by what the rules look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The record of a user.
    User(Who),
    /// A note of somebody.
    Note(Who),
    /// A post of somebody; true where it is published.
    Post(Who, bool),
    /// A comment of somebody on a post; true where that is published.
    Comment(Who, bool),
    /// An order of somebody, or of nobody.
    Order(Who),
    /// What is for admins.
    Vault,
}

use Kind::{Comment, Note, Order, Post, User, Vault};

pub(super) const KINDS: &[Kind] = &[
    User(Ann),
    User(Ben),
    User(Mia),
    Note(Ann),
    Note(Ben),
    Note(Mia),
    Post(Ann, true),
    Post(Ann, false),
    Post(Ben, true),
    Post(Ben, false),
    Comment(Ann, true),
    Comment(Ann, false),
    Comment(Ben, true),
    Comment(Ben, false),
    Order(Ann),
    Order(Ben),
    Order(Nobody),
    Vault,
];

pub(super) const RESOURCES: &[&str] = &["users", "notes", "posts", "comments", "orders", "vault"];

impl Kind {
    pub(super) fn resource(self) -> &'static str {
        match self {
            User(_) => "users",
            Note(_) => "notes",
            Post(..) => "posts",
            Comment(..) => "comments",
            Order(_) => "orders",
            Vault => "vault",
        }
    }

    /// A field that anybody who may change the record may write.
    pub(super) fn plain(self) -> &'static str {
        match self {
            User(_) => "name",
            Note(_) | Post(..) => "title",
            Comment(..) => "text",
            Order(_) => "count",
            Vault => "word",
        }
    }
}

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Read,
    Create,
    Update,
    Delete,
}

/// True where the caller may do it to some record at all: otherwise it is refused before anything
/// is looked up. "Private notes: the owner's"; "posts: anyone reads, who is signed in writes,
/// moderators decide"; "orders: anyone orders, a clerk changes"; "the vault: admins".
pub(super) fn may_at_all(who: Who, resource: &str, act: Act) -> bool {
    if who.is_admin() {
        return true;
    }
    match (resource, act) {
        ("users", Act::Read) => who.is_signed_in(),
        ("users", Act::Update) => who.is_user(),
        ("notes", Act::Create) => who.is_signed_in(),
        ("notes", _) => who.is_user(),
        ("posts" | "comments", Act::Read) => true,
        ("posts" | "comments", Act::Create) => who.is_signed_in(),
        ("posts", Act::Update) => who.is_user() || who.is_moderator(),
        ("comments", Act::Update) => who.is_user(),
        ("posts" | "comments", Act::Delete) => who.is_user() || who.is_moderator(),
        ("orders", Act::Read) => who.is_user() || who.is_moderator(),
        ("orders", Act::Create) => true,
        ("orders", Act::Update) => who.is_moderator(),
        _ => false,
    }
}

/// True where the record exists for the caller.
pub(super) fn reads(who: Who, kind: Kind) -> bool {
    if who.is_admin() {
        return true;
    }
    match kind {
        User(_) => who.is_signed_in(),
        Note(owner) => who == owner,
        Post(author, is_published) => is_published || who == author || who.is_moderator(),
        Comment(_, is_published) => is_published,
        Order(owner) => who.is_moderator() || who.is_user() && who == owner,
        Vault => false,
    }
}

/// True where the caller may change the record, which it sees.
pub(super) fn updates(who: Who, kind: Kind) -> bool {
    if who.is_admin() {
        return true;
    }
    match kind {
        User(own) => who == own,
        Note(owner) => who == owner,
        Post(author, is_published) => who.is_moderator() || !is_published && who == author,
        Comment(author, _) => who == author,
        Order(_) => who.is_moderator(),
        Vault => false,
    }
}

/// True where the caller may delete the record, which it sees.
pub(super) fn deletes(who: Who, kind: Kind) -> bool {
    if who.is_admin() {
        return true;
    }
    match kind {
        User(_) | Order(_) | Vault => false,
        Note(owner) => who == owner,
        Post(author, _) | Comment(author, _) => who == author || who.is_moderator(),
    }
}

/// True where the caller reads the field in the record, which it sees. `hint` is secret.
pub(super) fn reads_field(who: Who, kind: Kind, field: &str) -> bool {
    match (kind, field) {
        (_, "hint" | "password") => false,
        _ if who.is_admin() => true,
        (User(own), "email") => who == own || who.is_moderator(),
        (User(_), "salary") => false,
        (Post(author, _), "remark") => who == author || who.is_moderator(),
        (Order(_), "cost") => who.is_moderator(),
        (Order(owner), "address") => who.is_user() && who == owner,
        _ => true,
    }
}

/// The password of a user.
fn password(who: Who) -> String {
    format!("the password of {who:?}")
}

/// The server, and all that is in it.
pub(super) struct World {
    pub(super) server: Server,
    /// Every record that was made.
    records: RefCell<Vec<(Kind, u64)>>,
    pub(super) admin: Client,
    serial: Cell<u64>,
}

impl World {
    /// Users, and one record of each other kind.
    pub(super) fn new() -> Self {
        Self::with(Options::folder(&tests().join("access")))
    }

    pub(super) fn with(options: Options) -> Self {
        let server = options.start();
        let admin = server.admin();
        let world = Self { server, records: RefCell::default(), admin, serial: 0.into() };
        for (who, role) in
            [(Ada, "admin"), (Ann, "customer"), (Ben, "customer"), (Mia, "moderator")]
        {
            let name = format!("{who:?}");
            let made = world.create(
                "users",
                &json!({
                    "name": name, "username": name.to_lowercase(), "password": password(who),
                    "role": role, "email": format!("{name}@example.com"),
                    "salary": who.id().map(|id| id * 1000), "hint": format!("hint of {name}"),
                }),
            );
            assert_eq!(Some(made), who.id(), "users have the ids that they are called by");
            world.records.borrow_mut().push((User(who), made));
        }
        for kind in KINDS.iter().filter(|kind| !matches!(kind, User(_))) {
            world.make(*kind);
        }
        world
    }

    /// Another number each time.
    pub(super) fn next(&self) -> u64 {
        self.serial.set(self.serial.get() + 1);
        self.serial.get()
    }

    /// Creates a record as an admin.
    pub(super) fn create(&self, resource: &str, record: &Value) -> u64 {
        let request = Request::new("POST", &format!("/api/{resource}")).json(record.to_string());
        let answer = self.admin.send(&request);
        assert_eq!(answer.status, 201, "{resource} {record}: {}", answer.show());
        answer.json()["id"].as_u64().expect("an id")
    }

    /// Makes a record of a kind, as an admin.
    pub(super) fn make(&self, kind: Kind) -> u64 {
        let n = self.next();
        let status = |is_published: bool| if is_published { "published" } else { "draft" };
        let id = match kind {
            User(_) => self.create(
                "users",
                &json!({"name": format!("made {n}"), "username": format!("made{n}")}),
            ),
            Note(who) => self.create(
                "notes",
                &json!({"author": who.id(), "title": format!("note {n}"), "rank": n,
                        "body": format!("word{n}")}),
            ),
            Post(who, is_published) => self.create(
                "posts",
                &json!({"author": who.id(), "title": format!("post {n}"),
                        "body": format!("word{n}"),
                        "status": status(is_published), "remark": format!("remark {n}")}),
            ),
            Comment(who, is_published) => {
                let post = self.create(
                    "posts",
                    &json!({"author": Ben.id(), "title": format!("post {n}"),
                            "status": status(is_published)}),
                );
                self.records.borrow_mut().push((Post(Ben, is_published), post));
                let text = format!("word{n}");
                self.create("comments", &json!({"post": post, "author": who.id(), "text": text}))
            }
            Order(who) => {
                let mut order = json!({"count": n, "address": format!("street {n}")});
                if let Some(id) = who.id() {
                    order["customer"] = id.into();
                }
                self.create("orders", &order)
            }
            Vault => self.create("vault", &json!({"word": format!("word{n}")})),
        };
        self.records.borrow_mut().push((kind, id));
        id
    }

    /// Signs in, and gives the token.
    pub(super) fn token(&self, who: Who) -> String {
        let answer = self.login(who, &password(who));
        assert_eq!(answer.status, 200, "{}", answer.show());
        answer.json()["token"].as_str().expect("a token").to_owned()
    }

    /// Tries to sign in.
    pub(super) fn login(&self, who: Who, password: &str) -> Answer {
        let name = format!("{who:?}").to_lowercase();
        let content = json!({"username": name, "password": password}).to_string();
        self.server.client().send(&Request::new("POST", "/api/login").json(content))
    }

    /// Signs in as a browser does, and gives the cookie.
    pub(super) fn cookie(&self, who: Who) -> String {
        let name = format!("{who:?}").to_lowercase();
        let content = format!("username={name}&password={}", password(who).replace(' ', "+"));
        let request = Request::new("POST", "/api/login")
            .content("application/x-www-form-urlencoded", content)
            .field("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .field("sec-fetch-site", "same-origin");
        let answer = self.server.client().send(&request);
        assert_eq!(answer.status, 303, "{}", answer.show());
        let cookie = answer.field("set-cookie").expect("a cookie");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    /// A new API key.
    pub(super) fn key(&self, arguments: &[&str]) -> String {
        let home = self.server.home();
        command(&["key", "create"], home, arguments).trim().to_owned()
    }

    /// A caller with a bearer token.
    pub(super) fn bearer(&self, name: &'static str, who: Who, token: &str) -> Caller {
        let fields = vec![("authorization", format!("Bearer {token}"))];
        Caller { name, who, standing: Standing::Good, fields }
    }

    /// Callers of each kind.
    pub(super) fn callers(&self) -> Vec<Caller> {
        let mut callers = vec![Caller {
            name: "nobody",
            who: Nobody,
            standing: Standing::Good,
            fields: Vec::new(),
        }];
        for (name, who) in
            [("an admin", Ada), ("a user", Ann), ("another user", Ben), ("a moderator", Mia)]
        {
            callers.push(self.bearer(name, who, &self.token(who)));
        }
        callers.push(self.bearer("a key of an admin", AdminKey, &self.key(&["--role", "admin"])));
        let moderator = self.key(&["--role", "moderator", "--name", "robot"]);
        callers.push(self.bearer("a key of a moderator", ModeratorKey, &moderator));
        callers.extend(self.with_cookies());
        callers.extend(self.refused());
        callers
    }

    fn with_cookies(&self) -> Vec<Caller> {
        let cookie = self.cookie(Ann);
        let of = |name, who, standing, fields: &[(&'static str, &str)]| Caller {
            name,
            who,
            standing,
            fields: fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        };
        let (same, other) = (("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site"));
        let own = format!("http://{}", self.server.address());
        let token = format!("Bearer {}", self.token(Ben));
        let name = ("cookie", cookie.as_str());
        vec![
            of("a cookie", Ann, Standing::Good, &[name, same]),
            of("a cookie by Origin", Ann, Standing::Good, &[name, ("origin", &own)]),
            of("a cookie of another site", Ann, Standing::Foreign, &[name, other]),
            of(
                "a cookie of a sister",
                Ann,
                Standing::Foreign,
                &[name, ("sec-fetch-site", "same-site")],
            ),
            of("a cookie from nowhere", Ann, Standing::Foreign, &[name]),
            of(
                "a token and somebody's cookie",
                Ben,
                Standing::Good,
                &[name, same, ("authorization", &token)],
            ),
            of(
                "a bad token and a cookie",
                Ann,
                Standing::Bad,
                &[name, same, ("authorization", "Bearer nonsense")],
            ),
        ]
    }

    fn refused(&self) -> Vec<Caller> {
        let revoked = self.token(Ann);
        let signed = self.server.client_as(&revoked);
        let out = signed.send(&Request::new("POST", "/api/logout"));
        assert_eq!(out.status, 200, "{}", out.show());
        let expired = self.key(&["--role", "admin", "--expires", "1s"]);
        let soon = self.server.client_as(&expired);
        await_that("a key expires", || soon.get("/api/vault").status == 401);
        let deleted = self.deleted();
        let bad = |name, value: String| Caller {
            name,
            who: Nobody,
            standing: Standing::Bad,
            fields: vec![("authorization", value)],
        };
        vec![
            bad("a revoked token", format!("Bearer {revoked}")),
            bad("an expired key", format!("Bearer {expired}")),
            bad("a token of who is gone", format!("Bearer {deleted}")),
            bad("nonsense", "Bearer token123".to_owned()),
            bad("no Bearer", "Basic YW5uOnRoZSBwYXNzd29yZCBvZiBBbm4=".to_owned()),
        ]
    }

    /// The token of a user who was deleted.
    fn deleted(&self) -> String {
        let name = format!("gone{}", self.next());
        let gone = json!({"name": name, "username": name, "password": "a password of who goes"});
        let id = self.create("users", &gone);
        let content = json!({"username": name, "password": "a password of who goes"}).to_string();
        let answer = self.server.client().send(&Request::new("POST", "/api/login").json(content));
        let token = answer.json()["token"].as_str().expect("a token").to_owned();
        let deleted = self.admin.send(&Request::new("DELETE", &format!("/api/users/{id}")));
        assert_eq!(deleted.status, 200, "{}", deleted.show());
        token
    }

    /// The ids of a resource that a caller is to see, in their order.
    pub(super) fn visible(&self, who: Who, resource: &str) -> Vec<u64> {
        let records = self.records.borrow();
        let of = records.iter().filter(|(kind, _)| kind.resource() == resource);
        of.filter(|(kind, _)| reads(who, *kind)).map(|(_, id)| *id).collect()
    }

    /// Every record that was made.
    pub(super) fn records(&self) -> Vec<(Kind, u64)> {
        self.records.borrow().clone()
    }

    /// The number of records of a resource that there are.
    pub(super) fn count(&self, resource: &str) -> u64 {
        let answer = self.admin.get(&format!("/api/{resource}?limit=1&count=exact"));
        answer.json()["total"].as_u64().expect("a total")
    }
}

/// Runs a command on a folder, and gives what it printed.
pub(super) fn command(words: &[&str], home: &std::path::Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_methodical"))
        .args(words)
        .arg(home)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?} {arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}
