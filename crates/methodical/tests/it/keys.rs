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
    let (_, err) = key(&["create", dir, "--role", "admin", "--expires", "-1s"], 2);
    assert!(err.contains("--expires") && err.contains("2027-01-31"), "{err}");
    let (_, err) = key(&["create", dir, "--role", "admin", "--expires", "2020-01-01"], 2);
    assert!(err.contains("has passed"), "{err}");
    let (_, err) = key(&["create", dir, "--role", "admin", "--name", ""], 2);
    assert!(err.contains("--name"), "{err}");
    let (_, err) = key(&["revoke", dir, "-1"], 2);
    assert!(err.contains("no number of a key"), "{err}");
    let (_, err) = key(&["revoke", dir], 2);
    assert!(err.contains(&format!("methodical key revoke {dir} NUMBER")), "{err}");
    let (_, err) = key(&["list", dir, "--role", "admin"], 2);
    assert!(err.contains("--role is for `key create`"), "{err}");
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

/// Both streams of `key` in a folder, which ends so.
fn key_in(home: &Path, arguments: &[&str], code: i32) -> (String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_methodical"));
    let output = program.arg("key").args(arguments).current_dir(home).stdin(Stdio::null()).output();
    let output = output.expect("the program runs");
    let [out, err] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{out}\n{err}");
    (out, err)
}

#[test]
fn without_a_folder_it_is_this_one() {
    let home = shop();
    let (_, err) = key_in(home.path(), &["revoke", "1", "--database", "my other.db"], 1);
    let advice = "methodical key create . --database 'my other.db' --role admin";
    assert!(err.contains(advice), "the database is named again: {err}");
    key_in(home.path(), &["create", "--role", "admin"], 0);
    assert!(key_in(home.path(), &["list"], 0).0.contains("\n1 "));
    let (_, err) = key_in(home.path(), &["revoke", "7"], 1);
    assert!(err.contains("`methodical key list .`"), "{err}");
    key_in(home.path(), &["revoke", "1"], 0);
}

#[test]
fn roles_are_those_that_are_declared_each_once() {
    let home = shop();
    let file = home.path().join("methodical.toml");
    let text = fs::read_to_string(&file).expect("a declaration");
    fs::write(&file, format!("roles = [\"robot\"]\n{text}")).expect("a declaration");
    let dir = self::text(home.path());
    let roles = ["--role", "robot", "--role", "admin", "--role", "robot"];
    key(&[&["create", dir, "--expires", "2999-01-01"][..], &roles[..]].concat(), 0);
    let list = key(&["list", dir], 0).0;
    assert!(list.contains("  robot,admin  ") && list.contains("2999-01-01T00:00:00Z"), "{list}");
    fs::write(&file, text).expect("a declaration");
    let list = key(&["list", dir], 0).0;
    assert!(list.contains("robot (not declared),admin"), "{list}");
    let (_, err) = key(&["create", dir, "--role", "robot"], 1);
    assert!(err.contains("no role is named"), "{err}");
}

#[test]
fn what_a_failed_first_start_leaves_is_called_what_it_is() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = text(home.path());
    let file = home.path().join("methodical.toml");
    let declaration = "seed = \"seed/\"\n[resources.a]\nfields.b = { type = \"string\" }\n";
    fs::write(&file, declaration).expect("a declaration");
    let output = Command::new(env!("CARGO_BIN_EXE_methodical"))
        .args(["serve", dir, "--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(!home.path().join("admin.key").exists(), "nothing stays of a key that was not made");
    let (_, err) = key(&["list", dir], 1);
    assert!(err.contains("has no tables yet") && err.contains("methodical serve"), "{err}");
    fs::create_dir(home.path().join("seed")).expect("a folder");
    key(&["create", dir, "--role", "admin"], 0);
    assert!(key(&["list", dir], 0).0.contains("\n1 "));
}

#[test]
fn no_key_is_made_that_cannot_be_handed_over() {
    let home = shop();
    let path = home.path().join("admin.key");
    fs::write(&path, "of another database").expect("a file");
    let over = || super::support::server::Server::over(home.path(), Options::default());
    let mut server = over();
    await_that("it says why there is no key", || {
        server.log().contains("no key of an admin was made")
            && server.log().contains("Move it away")
    });
    assert_eq!(fs::read_to_string(&path).expect("the file"), "of another database");
    assert_eq!(ask(home.path(), "SELECT count(*) FROM _methodical_api_keys"), 0);
    assert!(server.terminate().success());
    fs::remove_file(&path).expect("it is moved away");
    let server = over();
    let made = fs::read_to_string(&path).expect("the key");
    assert!(is_key(&made), "{made}");
    let line = format!("KEY=$(cat {})", text(&path));
    await_that("it says what to paste", || server.log().contains(&line));
}
