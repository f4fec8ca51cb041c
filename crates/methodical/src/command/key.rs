//! `key`: API keys are made, listed and revoked, beside a running server or without one.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;

use contract::{secret, token};
use engine::clock;
use model::access::ADMIN;
use model::model::Model;
use model::setting::duration;
use model::suggest;
use model::value::Timestamp;
use store::Options;
use store::care::error::CareError;
use store::care::keys::Keys;
use store::credential::{ApiKey, NewKey};

use super::serve::refusal;
use super::site::Site;
use crate::command::shown;
use crate::failure::{Failure, Outcome};
use crate::serve::seed;

/// Longest name of a key.
const NAME_CHARACTERS_MAX: usize = 100;

/// Does what the arguments name.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let (first, second) = (text("dir"), text("number"));
    let dir = PathBuf::from(first.unwrap_or_default());
    match (text("action").unwrap_or_default(), second) {
        ("create", None) => create(&Site::at(&dir, matches)?, matches),
        ("list", None) => list(&Site::at(&dir, matches)?),
        ("revoke", Some(number)) => revoke(&Site::at(&dir, matches)?, number),
        // What stands alone is the number.
        ("revoke", None) => match first {
            Some(number) => revoke(&Site::at(Path::new(""), matches)?, number),
            None => Err(Failure::usage("say which key to revoke: its NUMBER in `key list`")),
        },
        (_, Some(more)) => Err(Failure::usage(format!("{more:?} is one argument too many"))),
        (action, None) => Err(Failure::usage(format!("key does not know {action:?}"))),
    }
}

/// A new key and its text, which is shown once and kept nowhere.
pub(crate) fn draw(name: String, roles: Vec<String>, expires_at: Option<Timestamp>) -> Drawn {
    let text = clock::token(secret::KEY);
    let key = ApiKey {
        number: 0,
        name,
        start: token::start(&text).to_owned(),
        roles,
        created_at: clock::now(),
        expires_at,
        used_at: None,
    };
    Drawn { key: NewKey { hash: token::hash(&text), key }, text }
}

/// A key that was drawn.
pub(crate) struct Drawn {
    /// What is kept of it.
    pub(crate) key: NewKey,
    /// The key itself.
    pub(crate) text: String,
}

fn create(site: &Site, matches: &ArgMatches) -> Outcome {
    let roles: Vec<String> =
        matches.get_many::<String>("role").into_iter().flatten().cloned().collect();
    let known = roles_of(&site.model);
    if roles.is_empty() {
        let list = known.join(", ");
        return Err(Failure::usage(format!("say what the key may do: --role, one of {list}")));
    }
    for role in &roles {
        if !known.contains(role) {
            let near = suggest::nearest(role, known.iter().map(String::as_str));
            let hint = near.map_or_else(String::new, |near| format!(" Did you mean {near}?"));
            let list = known.join(", ");
            return Err(Failure::refused(format!(
                "no role is named {role:?}.{hint} There are: {list}"
            )));
        }
    }
    let name = matches.get_one::<String>("name").cloned().unwrap_or_else(|| roles.join(", "));
    if name.chars().count() > NAME_CHARACTERS_MAX || name.chars().any(char::is_control) {
        return Err(Failure::usage(format!(
            "--name takes at most {NAME_CHARACTERS_MAX} characters, on one line"
        )));
    }
    let lasting = matches.get_one::<String>("expires").map(|text| duration(text)).transpose();
    let lasting = lasting.map_err(|fault| Failure::usage(format!("--expires: {fault}")))?;
    let expires_at = lasting.map(|time| {
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Timestamp(clock::now().0.saturating_add(time))
    });
    let drawn = draw(name, roles, expires_at);
    let number = keep(site, &drawn.key)?;
    println!("{}", drawn.text);
    let until =
        expires_at.map_or_else(|| "for ever".to_owned(), |at| format!("until {}", when(at)));
    eprintln!(
        "key {number} is good {until}; this is the only time that it is shown. Send it as \
         `Authorization: Bearer KEY`"
    );
    Ok(())
}

/// Writes a key into the database, which is made where it is missing, as `serve` would.
fn keep(site: &Site, key: &NewKey) -> Result<i64, Failure> {
    let options = Options::from(&site.settings, &site.database);
    match Keys::open(&options, &site.model) {
        Ok(keys) => return keys.create(key).map_err(|fault| site.failure(&fault)),
        Err(CareError::Missing(_)) => {}
        Err(fault) => return Err(site.failure(&fault)),
    }
    let options = Options { first_key: Some(key.clone()), ..options };
    let mut seed = || seed::read(&site.dir, &site.model);
    let opened = store::open(&options, Arc::clone(&site.model), &mut seed)
        .map_err(|fault| Failure::refused(refusal(&site.dir, &site.database, &fault)))?;
    opened.writer.close();
    if let Some(number) = opened.first_key {
        return Ok(number);
    }
    // Somebody else was faster.
    let keys = Keys::open(&options, &site.model).map_err(|fault| site.failure(&fault))?;
    keys.create(key).map_err(|fault| site.failure(&fault))
}

/// The roles that a key can have: admin, and those of users.
fn roles_of(model: &Model) -> Vec<String> {
    let mut roles = vec![ADMIN.to_owned()];
    let field = model.users().and_then(|at| model.resources[at].field("role"));
    let declared = field.and_then(|(_, field)| field.schema.source().get("enum")?.as_array());
    for role in declared.into_iter().flatten().filter_map(|role| role.as_str()) {
        if role != ADMIN {
            roles.push(role.to_owned());
        }
    }
    roles
}

fn open(site: &Site) -> Result<Keys, Failure> {
    let options = Options::from(&site.settings, &site.database);
    Keys::open(&options, &site.model).map_err(|fault| match fault {
        CareError::Missing(_) => Failure::refused(format!(
            "there is no database {} yet, and so there are no keys. To make it, with one:\n\n    \
             methodical key create {} --role admin\n",
            site.database.display(),
            shown(&site.dir)
        )),
        fault => site.failure(&fault),
    })
}

fn list(site: &Site) -> Outcome {
    let keys = open(site)?.list().map_err(|fault| site.failure(&fault))?;
    print!("{}", table(&keys, clock::now()));
    Ok(())
}

fn table(keys: &[ApiKey], now: Timestamp) -> String {
    let heads = ["NUMBER", "NAME", "START", "ROLES", "CREATED", "EXPIRES", "LAST USED"];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(keys.iter().map(|key| {
        let expires = match key.expires_at {
            None => "never".to_owned(),
            Some(at) if at <= now => "expired".to_owned(),
            Some(at) => when(at),
        };
        [
            key.number.to_string(),
            key.name.clone(),
            format!("{}…", key.start),
            key.roles.join(","),
            when(key.created_at),
            expires,
            key.used_at.map_or_else(|| "never".to_owned(), when),
        ]
    }));
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        // Writing into memory does not fail.
        let _ = writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    out
}

/// A moment to the second.
fn when(at: Timestamp) -> String {
    format!("{}Z", at.text().chars().take(19).collect::<String>())
}

fn revoke(site: &Site, number: &str) -> Outcome {
    let Ok(number) = number.parse::<i64>() else {
        return Err(Failure::usage(format!(
            "{number:?} is no number of a key; `methodical key list {}` has them",
            shown(&site.dir)
        )));
    };
    let revoked = open(site)?.revoke(number, clock::now());
    if revoked.map_err(|fault| site.failure(&fault))? {
        eprintln!("key {number} is revoked: it is refused from the next request on");
        return Ok(());
    }
    Err(Failure::refused(format!(
        "there is no key {number}; `methodical key list {}` has those that there are",
        shown(&site.dir)
    )))
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, draw, table};

    #[test]
    fn a_table_has_a_line_a_key() {
        let mut key = draw("deploy".to_owned(), vec!["admin".to_owned()], None).key.key;
        key.created_at = Timestamp(1_790_000_000_123);
        key.start = "mtdk_abcd".to_owned();
        let mut other = key.clone();
        (other.number, other.expires_at) = (12, Some(Timestamp(5)));
        let text = table(&[key, other], Timestamp(1_790_000_000_124));
        let expected = "\
NUMBER  NAME    START       ROLES  CREATED               EXPIRES  LAST USED
0       deploy  mtdk_abcd…  admin  2026-09-21T14:13:20Z  never    never
12      deploy  mtdk_abcd…  admin  2026-09-21T14:13:20Z  expired  never
";
        assert_eq!(text, expected);
    }
}
