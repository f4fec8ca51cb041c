//! Sessions, keys and the audit log: what is found, what ends, and what moves the counter.

use model::setting::Settings;

use super::*;
use crate::audit_log::{Act, Actor, Acts, Ids};
use crate::care::keys::Keys;
use crate::credential::{ApiKey, CREDENTIALS, Credential, NewKey, Session, TokenHash, Used, Which};

const SIGNED: &str = r#"
title = "Test"
[resources.users]
login = ["name"]
fields.name     = { type = "string", unique = true }
fields.password = { type = "string", format = "password", optional = true }
[resources.notes]
fields.owner = { references = "users", onDelete = "cascade" }
"#;

fn bench() -> Bench {
    Bench::of(SIGNED, |options| options.sessions_max = 3)
}

fn person(id: i64) -> Record {
    Record { values: vec![text(&format!("u{id}")), text("hash")], ..user(id, "") }
}

fn hash(number: u8) -> TokenHash {
    [number; 32]
}

fn session(user: i64, lasting: i64) -> Session {
    Session {
        number: 0,
        user: Id::Integer(user),
        seal: [7; 16],
        created_at: clock(),
        expires_at: Timestamp(clock().0 + lasting),
        used_at: None,
        address: "192.0.2.1".to_owned(),
        agent: "curl/8".to_owned(),
    }
}

fn open(token: u8, user: i64) -> Change {
    Change::OpenSession(hash(token), session(user, 1_000_000_000_000))
}

impl Bench {
    async fn token(&self, token: u8) -> Option<Credential> {
        let lookup = Lookup { credential: Some(hash(token)), ..Lookup::default() };
        self.reader().read(lookup).await.unwrap().credential
    }

    async fn signed_in(&self, token: u8) -> Option<(Session, Option<Record>)> {
        match self.token(token).await {
            Some(Credential::Session(session, record)) => Some((session, record)),
            _ => None,
        }
    }

    /// A session of user 77, who is not there, and whom no trigger saw go: it is found without one.
    /// A start sweeps such sessions once, which may come in between: then the next one is found.
    async fn orphan(&self, user: i64) {
        for token in 20..=29 {
            self.commit(vec![open(token, user)]).await.unwrap();
            let outside = self.outside();
            outside.execute_batch("PRAGMA ignore_check_constraints = 1").unwrap();
            let edit = "UPDATE _methodical_sessions SET user = 77 WHERE hash = ?";
            assert_eq!(outside.execute(edit, [hash(token)]).unwrap(), 1);
            if let Some((_, user)) = self.signed_in(token).await {
                return assert_eq!(user, None);
            }
        }
        panic!("no session is found without its user");
    }

    async fn sessions(&self, user: i64) -> Vec<i64> {
        let lookup = Lookup { sessions: Some(Id::Integer(user)), ..Lookup::default() };
        let found = self.reader().read(lookup).await.unwrap().sessions;
        found.iter().map(|session| session.number).collect()
    }

    async fn moved(&self) -> i64 {
        let lookup = Lookup::states(vec![CREDENTIALS, USERS]);
        self.reader().read(lookup).await.unwrap().states[0]
    }

    async fn acts(&self, acts: Acts) -> Vec<i64> {
        let lookup =
            Lookup { acts: Some(Box::new(Acts { limit: 100, ..acts })), ..Lookup::default() };
        let found = self.reader().read(lookup).await.unwrap().acts;
        found.iter().map(|entry| entry.number).collect()
    }
}

#[tokio::test]
async fn a_session_is_found_with_its_user() {
    let bench = bench();
    let ann = person(1);
    bench.commit(vec![insert(USERS, ann.clone()), open(1, 1)]).await.unwrap();
    let (found, record) = bench.signed_in(1).await.unwrap();
    assert_eq!(found, Session { number: 1, ..session(1, 1_000_000_000_000) });
    assert_eq!(record, Some(ann));
    assert_eq!(bench.token(2).await, None);
    assert_eq!(bench.sessions(1).await, [1]);
    assert_eq!(bench.sessions(2).await, [0_i64; 0]);
    bench.commit(vec![Change::SealSession { number: 1, seal: [8; 16] }]).await.unwrap();
    assert_eq!(bench.signed_in(1).await.unwrap().0.seal, [8; 16]);
}

#[tokio::test]
async fn what_has_expired_is_not_found_and_is_swept() {
    let bench = bench();
    let short = Change::OpenSession(hash(1), session(1, 0));
    bench.commit(vec![insert(USERS, person(1)), short, open(2, 1)]).await.unwrap();
    assert_eq!(bench.token(1).await, None);
    assert_eq!(bench.sessions(1).await, [2]);
    let outside = bench.outside();
    for _ in 0..100 {
        let left: i64 = outside
            .query_row("SELECT count(*) FROM _methodical_sessions", [], |row| row.get(0))
            .unwrap();
        if left == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing was swept");
}

#[tokio::test]
async fn sessions_end_as_asked_and_the_oldest_for_want_of_room() {
    let bench = bench();
    bench.commit(vec![insert(USERS, person(1)), insert(USERS, person(2))]).await.unwrap();
    bench.commit((1..=5).map(|token| open(token, 1)).collect()).await.unwrap();
    bench.commit(vec![open(6, 2)]).await.unwrap();
    assert_eq!(bench.sessions(1).await, [5, 4, 3]);
    let end = |which| Change::EndSessions { user: Id::Integer(1), which };
    bench.commit(vec![end(Which::Number(4))]).await.unwrap();
    assert_eq!(bench.sessions(1).await, [5, 3]);
    // Another user's is not theirs to end.
    bench.commit(vec![end(Which::Number(6))]).await.unwrap();
    bench.commit(vec![end(Which::Others(3))]).await.unwrap();
    assert_eq!(bench.sessions(1).await, [3]);
    bench.commit(vec![end(Which::All)]).await.unwrap();
    assert_eq!(bench.sessions(1).await, [0_i64; 0]);
    assert_eq!(bench.sessions(2).await, [6]);
}

#[tokio::test]
async fn whoever_is_deleted_is_signed_out() {
    let bench = bench();
    let people: Vec<Record> = (1..=3).map(person).collect();
    let all = people.iter().cloned().map(|person| insert(USERS, person));
    bench.commit(all.chain((1..=3).map(|n| open(n, i64::from(n)))).collect()).await.unwrap();
    let before = bench.moved().await;
    bench.commit(vec![remove(USERS, &people[0])]).await.unwrap();
    bench.outside().execute("DELETE FROM users WHERE id = 2", []).unwrap();
    assert_eq!(bench.token(1).await, None);
    assert_eq!(bench.token(2).await, None);
    assert!(bench.signed_in(3).await.is_some());
    assert!(bench.moved().await >= before + 2);
    bench.orphan(3).await;
}

#[tokio::test]
async fn the_counter_moves_when_a_credential_ends_or_changes_and_only_then() {
    let bench = bench();
    let mut at = bench.moved().await;
    let mut expect = |now: i64, moves: bool, why: &str| {
        assert_eq!(now > at, moves, "{why}: {at}, then {now}");
        at = now;
    };
    bench.commit(vec![insert(USERS, person(1)), open(1, 1), open(2, 1)]).await.unwrap();
    expect(bench.moved().await, false, "sessions are opened");
    let outside = bench.outside();
    let key = "INSERT INTO _methodical_api_keys (hash, name, start, roles, created) \
               VALUES (x'03', 'k', 'mtdk_a', '[\"admin\"]', 1)";
    for (text, moves) in [
        (key, false),
        ("UPDATE _methodical_sessions SET used = 5", false),
        ("UPDATE _methodical_api_keys SET used = 5", false),
        ("UPDATE _methodical_sessions SET seal = x'00' WHERE number = 1", true),
        ("UPDATE _methodical_api_keys SET roles = '[]'", true),
        ("UPDATE _methodical_api_keys SET expires = 9000000000000", true),
        ("DELETE FROM _methodical_sessions WHERE number = 1", true),
        (&key.replace("INSERT", "INSERT OR REPLACE"), true),
        ("DELETE FROM _methodical_api_keys", true),
        ("UPDATE _methodical_sessions SET expires = 5", true),
        ("DELETE FROM _methodical_sessions", false),
    ] {
        outside.execute(text, []).unwrap();
        expect(bench.moved().await, moves, text);
    }
}

#[tokio::test]
async fn a_last_use_is_written_down() {
    let bench = bench();
    bench.commit(vec![insert(USERS, person(1)), open(1, 1)]).await.unwrap();
    let before = bench.moved().await;
    bench.writer().note_used(Used::Session(1), Timestamp(50));
    bench.writer().note_used(Used::Session(1), Timestamp(40));
    bench.writer().note_used(Used::Key(9), Timestamp(40));
    bench.writer().close();
    assert_eq!(bench.signed_in(1).await.unwrap().0.used_at, Some(Timestamp(50)));
    assert_eq!(bench.moved().await, before);
}

fn act(
    at: i64,
    actor: (&'static str, Option<&str>),
    resource: usize,
    record: Option<i64>,
) -> Change {
    Change::Act(Act {
        at: Timestamp(at),
        actor: Actor { kind: actor.0, id: actor.1.map(str::to_owned) },
        operation: if record.is_some() { "update" } else { "import" },
        resource: Some(resource),
        record: record.map(Id::Integer),
        records: 1,
        ids: Ids::Unnamed,
        address: "192.0.2.1".to_owned(),
        request: "r".to_owned(),
    })
}

#[tokio::test]
async fn the_audit_log_is_read_from_its_newest_entry() {
    let bench = bench();
    let now = clock().0;
    let (ann, bob, key) = (("user", Some("1")), ("user", Some("2")), ("key", Some("1")));
    let changes = vec![
        act(now, ann, USERS, Some(1)),
        act(now + 10, bob, USERS, Some(1)),
        act(now + 10, key, 1, Some(1)),
        // The clock was set back.
        act(now + 5, ("operator", None), 1, None),
        act(now + 20, ann, 1, Some(2)),
    ];
    bench.commit(changes).await.unwrap();
    let some = Acts::default;
    assert_eq!(bench.acts(some()).await, [5, 3, 2, 4, 1]);
    assert_eq!(bench.acts(Acts { before: Some(3), ..some() }).await, [2, 4, 1]);
    assert_eq!(bench.acts(Acts { before: Some(4), ..some() }).await, [1]);
    let of = |kind: &str, id: Option<&str>| Acts {
        actor: Some(kind.to_owned()),
        actor_id: id.map(str::to_owned),
        ..some()
    };
    assert_eq!(bench.acts(of("user", None)).await, [5, 2, 1]);
    assert_eq!(bench.acts(of("user", Some("1"))).await, [5, 1]);
    assert_eq!(bench.acts(of("operator", None)).await, [4]);
    assert_eq!(bench.acts(Acts { actor_id: Some("1".to_owned()), ..some() }).await, [5, 3, 1]);
    let about = |resource, record: Option<i64>| Acts {
        resource: Some(resource),
        record: record.map(Id::Integer),
        ..some()
    };
    assert_eq!(bench.acts(about(USERS, Some(1))).await, [2, 1]);
    assert_eq!(bench.acts(about(1, None)).await, [5, 3, 4]);
    let times =
        Acts { since: Some(Timestamp(now + 5)), until: Some(Timestamp(now + 20)), ..some() };
    assert_eq!(bench.acts(times).await, [3, 2, 4]);
    let operation = Acts { operation: Some("import".to_owned()), ..some() };
    assert_eq!(bench.acts(operation).await, [4]);
    assert_eq!(bench.acts(Acts { before: Some(0), ..some() }).await, [0_i64; 0]);
    let lookup = Lookup { acts: Some(Box::new(Acts { limit: 1, ..some() })), ..Lookup::default() };
    let entry = bench.reader().read(lookup).await.unwrap().acts.remove(0);
    assert_eq!((entry.resource.as_deref(), entry.record.as_deref()), (Some("notes"), Some("2")));
    assert_eq!((entry.actor.as_str(), entry.actor_id.as_deref()), ("user", Some("1")));
}

#[test]
fn each_way_to_read_the_audit_log_has_an_index() {
    let bench = bench();
    let outside = bench.outside();
    for (filter, index) in [
        ("true", "_methodical_audit(at)"),
        ("at >= :since AND at < :until", "_methodical_audit(at)"),
        ("resource = :resource AND record = :record", "_methodical_audit(record)"),
        ("record = :record AND resource = :resource", "_methodical_audit(record)"),
        ("actor_id = :id AND actor = :actor", "_methodical_audit(actor)"),
        ("actor = :actor AND actor_id IS NULL", "_methodical_audit(actor)"),
        ("actor = :actor", "_methodical_audit(at)"),
    ] {
        let text = format!(
            "EXPLAIN QUERY PLAN SELECT * FROM _methodical_audit WHERE {filter} \
             ORDER BY at DESC, number DESC LIMIT :limit"
        );
        let mut statement = outside.prepare(&text).unwrap();
        let plan: Vec<String> = statement
            .raw_query()
            .mapped(|row| row.get::<_, String>(3))
            .collect::<Result<_, _>>()
            .unwrap();
        let plan = plan.join("; ");
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{filter}: {plan}");
    }
}

#[tokio::test]
async fn old_acts_are_swept_but_for_the_newest() {
    let bench = Bench::of(SIGNED, |options| {
        options.audit_retention = std::time::Duration::from_secs(10);
    });
    let (now, ann) = (clock().0, ("user", Some("1")));
    let old = (0..600).map(|at| act(now - 60_000 + at, ann, USERS, Some(1)));
    bench.commit(old.chain([act(now - 50_000, ann, USERS, None)]).collect()).await.unwrap();
    for _ in 0..100 {
        if bench.acts(Acts::default()).await == [601] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing was swept");
}

/// A key as its maker hands it over.
fn new_key(token: u8) -> NewKey {
    let key = ApiKey {
        number: 0,
        name: "k".to_owned(),
        start: "mtdk_abcd".to_owned(),
        roles: vec!["admin".to_owned(), "it's".to_owned()],
        created_at: clock(),
        expires_at: None,
        used_at: None,
    };
    NewKey { hash: hash(token), key }
}

fn keys(bench: &Bench) -> Keys {
    Keys::open(&options(&bench.folder), &bench.model).unwrap()
}

#[tokio::test]
async fn keys_are_made_and_revoked_by_another_process() {
    let bench = bench();
    let keys = keys(&bench);
    assert_eq!(keys.create(&new_key(1)).unwrap(), 1);
    let made = ApiKey { number: 1, ..new_key(1).key };
    assert_eq!(bench.token(1).await, Some(Credential::Key(made.clone())));
    assert_eq!(keys.list().unwrap(), [made]);
    let mut short = new_key(2);
    short.key.expires_at = Some(clock());
    assert_eq!(keys.create(&short).unwrap(), 2);
    assert_eq!(bench.token(2).await, None, "it has expired");
    let before = bench.moved().await;
    assert!(keys.revoke(1, clock()).unwrap());
    assert!(!keys.revoke(1, clock()).unwrap());
    assert_eq!(bench.token(1).await, None);
    assert_eq!(bench.moved().await, before + 1);
    let acts = bench.acts(Acts { record: Some(Id::Integer(1)), ..Acts::default() }).await;
    assert_eq!(acts.len(), 2);
}

#[test]
fn a_database_that_never_had_a_key_gets_the_first() {
    let with = |options: &mut Options| options.first_key = Some(new_key(1));
    let bench = Bench::of(SIGNED, with);
    assert_eq!(bench.opened.first_key, Some(1));
    let again = |bench: &Bench| {
        bench.writer().close();
        let mut options = options(&bench.folder);
        with(&mut options);
        let opened = crate::open(&options, Arc::clone(&bench.model), &mut seedless).unwrap();
        opened.writer.close();
        opened.first_key
    };
    assert_eq!(again(&bench), None);
    keys(&bench).revoke(1, clock()).unwrap();
    assert_eq!(again(&bench), None, "it had one");
    let other = Bench::of(SIGNED, |_| {});
    assert_eq!(other.opened.first_key, None);
    assert_eq!(again(&other), Some(1), "it was made without");
}

#[tokio::test]
async fn a_restore_ends_sessions_and_revives_no_revoked_key() {
    let bench = bench();
    let keys = keys(&bench);
    for token in 1..=2 {
        keys.create(&new_key(token)).unwrap();
    }
    bench.commit(vec![insert(USERS, person(1)), open(9, 1)]).await.unwrap();
    let file = super::backup::back_up(&bench, "x.db.zst");
    keys.revoke(1, clock()).unwrap();
    keys.create(&new_key(3)).unwrap();
    drop(keys);
    bench.writer().close();
    super::backup::restored(&bench, &file).unwrap();
    let opened = super::backup::again(&bench);
    for (token, is_good) in [(9, false), (1, false), (2, true), (3, false)] {
        let lookup = Lookup { credential: Some(hash(token)), ..Lookup::default() };
        let found = opened.reader.read(lookup).await.unwrap().credential;
        assert_eq!(found.is_some(), is_good, "{token}");
    }
    let audit = crate::care::audit::audit(&bench.path(), &bench.model).unwrap();
    assert!(audit.findings.is_empty(), "{:?}", audit.findings);
}

#[tokio::test]
async fn sessions_of_users_that_no_trigger_saw_go_are_swept() {
    let bench = bench();
    bench.commit(vec![insert(USERS, person(1)), open(1, 1)]).await.unwrap();
    bench.orphan(1).await;
    bench.writer().close();
    let opened = super::backup::again(&bench);
    for _ in 0..100 {
        let lookup = Lookup { sessions: Some(Id::Integer(77)), ..Lookup::default() };
        if opened.reader.read(lookup).await.unwrap().sessions.is_empty() {
            assert!(bench.signed_in(1).await.is_some());
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing was swept");
}

#[test]
fn the_defaults_are_those_of_the_settings() {
    let settings = Settings::default();
    assert_eq!(settings.sessions_max, 100);
    assert_eq!(settings.audit_retention, std::time::Duration::from_hours(90 * 24));
}

#[tokio::test]
async fn each_record_of_a_bulk_is_found() {
    let bench = Bench::new();
    let now = clock().0;
    let spooled = |rows: usize| {
        let mut spooling = bench.writer().spool();
        for row in 0..rows {
            spooling.push(1, Some(&Id::Text(format!("t{row}"))), &[text("label")]).unwrap();
        }
        Ids::Rows(Arc::new(spooling.finish().unwrap()))
    };
    let bulk = |resource, records, ids| {
        let Change::Act(act) = act(now, ("user", Some("1")), resource, None) else {
            unreachable!()
        };
        Change::Act(Act { records, ids, ..act })
    };
    let tokens = 3;
    let changes = vec![
        bulk(USERS, 100_000, Ids::Span(5, 100_004)),
        bulk(USERS, 2, Ids::Span(100_005, 100_006)),
        bulk(tokens, 3, spooled(3)),
        bulk(tokens, 1_001, spooled(1_001)),
    ];
    bench.commit(changes).await.unwrap();
    let about = async |resource, record| {
        bench.acts(Acts { resource: Some(resource), record: Some(record), ..Acts::default() }).await
    };
    for (id, expected) in [(4, None), (5, Some(1)), (100_004, Some(1)), (100_005, Some(2))] {
        let expected: Vec<i64> = expected.into_iter().collect();
        assert_eq!(about(USERS, Id::Integer(id)).await, expected, "{id}");
    }
    assert_eq!(about(ORDERS, Id::Integer(5)).await, [0_i64; 0], "of another resource");
    assert_eq!(about(tokens, Id::Text("t1".to_owned())).await, [4]);
    // Of too many it is only written down how many they were.
    assert_eq!(bench.acts(Acts::default()).await, [6, 5, 4, 3, 2, 1]);
    let plan = "EXPLAIN QUERY PLAN SELECT * FROM _methodical_audit WHERE resource = ?1 \
                AND (record = ?2 OR first <= ?3 AND last >= ?3) ORDER BY at DESC, number DESC";
    let outside = bench.outside();
    let mut statement = outside.prepare(plan).unwrap();
    let rows = statement.query_map(rusqlite::params![1, "5", 5], |row| row.get::<_, String>(3));
    let plan = rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join("; ");
    assert!(plan.contains("_methodical_audit(last)"), "{plan}");
    assert!(plan.contains("_methodical_audit(record)"), "{plan}");
}
