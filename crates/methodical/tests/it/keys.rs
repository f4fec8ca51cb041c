//! The command `key`, and the key that a first start hands over.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;

use super::support::server::{Options, await_that, repository};

/// Both streams of `key` with these arguments, which ends so.
fn key(arguments: &[&str], code: i32) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_methodical"))
        .arg("key")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let [out, err] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{out}\n{err}");
    (out, err)
}

fn shop() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let from = repository().join("examples/shop/methodical.toml");
    let text = fs::read_to_string(from).expect("a declaration").replace("seed = ", "# seed = ");
    fs::write(home.path().join("methodical.toml"), text).expect("a file");
    home
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn is_key(text: &str) -> bool {
    let rest = text.trim_end().strip_prefix("mtdk_").unwrap_or_default();
    rest.len() == 43
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The first value of a query of the database.
fn ask(home: &Path, query: &str) -> i64 {
    let connection = Connection::open(home.join("data.db")).expect("a database");
    connection.query_row(query, [], |row| row.get(0)).expect("a row")
}

/// What the database has of its counter of credentials.
const CHANGE: &str = "SELECT change FROM _methodical_credentials";

#[test]
fn keys_are_made_listed_and_revoked_beside_a_server() {
    let server = Options::shop().start();
    let home = text(server.home()).to_owned();
    let (out, err) = key(&["create", &home, "--role", "admin", "--name", "deploy"], 0);
    assert!(is_key(&out) && out.lines().count() == 1, "the key alone: {out}");
    assert!(err.contains("for ever") && !err.contains(out.trim_end()), "{err}");
    let (second, _) = key(&["create", &home, "--role", "admin", "--expires", "90d"], 0);
    assert_ne!(out, second);
    let (list, _) = key(&["list", &home], 0);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 4, "{list}");
    assert!(lines[0].starts_with("NUMBER") && lines[1].contains("first"), "{list}");
    assert!(lines[2].starts_with('2') && lines[2].contains("deploy"), "{list}");
    assert!(lines[2].contains(&out[..9]) && !list.contains(&out[..12]), "{list}");
    let before = ask(server.home(), CHANGE);
    let (_, err) = key(&["revoke", &home, "2"], 0);
    assert!(err.contains("next request"), "{err}");
    assert_eq!(ask(server.home(), CHANGE), before + 1, "the server is told");
    assert!(!key(&["list", &home], 0).0.contains("deploy"));
    let (_, err) = key(&["revoke", &home, "2"], 1);
    assert!(err.contains("no key 2") && err.contains("key list"), "{err}");
    // No number is given twice, and the audit log has all of it.
    key(&["revoke", &home, "3"], 0);
    key(&["create", &home, "--role", "admin"], 0);
    assert!(key(&["list", &home], 0).0.contains("\n4 "), "the fourth key is 4");
    let acts = "SELECT count(*) FROM _methodical_audit WHERE actor = 'operator' \
                AND operation IN ('create-key', 'revoke-key')";
    assert_eq!(ask(server.home(), acts), 6);
}

#[test]
fn nothing_of_a_key_is_kept_but_its_hash_and_its_beginning() {
    let home = shop();
    let (out, _) = key(&["create", text(home.path()), "--role", "admin"], 0);
    for file in fs::read_dir(home.path()).expect("a folder").flatten() {
        let bytes = fs::read(file.path()).expect("a file");
        let found = bytes.windows(20).any(|part| *part == out.as_bytes()[..20]);
        assert!(!found, "{:?} has the key", file.path());
    }
}

#[test]
fn a_key_can_be_made_before_the_first_start_which_then_makes_none() {
    let home = shop();
    let dir = text(home.path());
    let (_, err) = key(&["list", dir], 1);
    assert!(err.contains("methodical key create"), "{err}");
    let (_, err) = key(&["revoke", dir, "1"], 1);
    assert!(err.contains("methodical key create"), "{err}");
    assert!(!home.path().join("data.db").exists(), "looking makes no database");
    let (out, err) = key(&["create", dir, "--role", "admin"], 0);
    assert!(is_key(&out) && err.contains("key 1"), "{out}{err}");
    let server = super::support::server::Server::over(home.path(), Options::default());
    assert!(!home.path().join("admin.key").exists());
    assert!(!server.log().contains("admin.key"), "{}", server.log());
}

#[test]
fn wrong_arguments_are_refused_with_what_would_be_right() {
    let home = shop();
    let dir = text(home.path());
    let (_, err) = key(&["create", dir], 2);
    assert!(err.contains("--role") && err.contains("admin"), "{err}");
    let (_, err) = key(&["create", dir, "--role", "admim"], 1);
    assert!(err.contains("admim") && err.contains("Did you mean admin?"), "{err}");
    let (_, err) = key(&["create", dir, "--role", "admin", "--expires", "soon"], 2);
    assert!(err.contains("--expires") && err.contains("90d") | err.contains("7d"), "{err}");
    let (_, err) = key(&["create", dir, "--role", "admin", "--name", "a\nb"], 2);
    assert!(err.contains("--name"), "{err}");
    let (_, err) = key(&["revoke", dir, "first"], 2);
    assert!(err.contains("key list"), "{err}");
    key(&["revoke"], 2);
    key(&["list", dir, "3"], 2);
    key(&["destroy", dir], 2);
    assert!(!home.path().join("data.db").exists(), "what is refused makes no database");
}

#[test]
fn the_first_start_writes_a_key_for_its_owner_alone() {
    let mut server = Options::shop().start();
    let path = server.home().join("admin.key");
    let first = fs::read_to_string(&path).expect("the key of the first start");
    assert!(is_key(&first), "{first}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    await_that("the log says where the key is", || server.log().contains("admin.key"));
    assert!(!server.log().contains(first.trim()), "{}", server.log());
    assert!(server.terminate().success());
    fs::remove_file(&path).expect("the file goes");
    server.restart();
    assert!(!path.exists(), "there is one first start");
}
