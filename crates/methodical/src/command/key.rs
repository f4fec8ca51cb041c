//! `key`: API keys are made, listed and revoked, beside a running server or without one.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use clap::ArgMatches;

use contract::{secret, token};
use engine::clock;
use model::setting::duration;
use model::suggest;
use model::value::Timestamp;
use store::Options;
use store::care::error::CareError;
use store::care::keys::Keys;
use store::credential::{ApiKey, NewKey};

use super::serve::refusal;
use super::site::Site;
use super::{numbered, shown, when};
use crate::failure::{Failure, Outcome};
use crate::serve::seed;

/// Longest name of a key.
const NAME_CHARACTERS_MAX: usize = 100;

/// Does what the arguments name.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let (first, second) = (text("dir"), text("number"));
    let action = text("action").unwrap_or_default();
    if action != "create" {
        refuse_what_is_for_create(action, matches)?;
    }
    let site = |dir: Option<&str>| Site::at(Path::new(dir.unwrap_or(".")), matches);
    match (action, first, second) {
        ("create", dir, None) => create(&site(dir)?, matches),
        ("list", dir, None) => list(&site(dir)?),
        ("revoke", dir, Some(number)) => revoke(&site(dir)?, number),
        // What stands alone is the number.
        ("revoke", Some(number), None) if number.parse::<i64>().is_ok() => {
            revoke(&site(None)?, number)
        }
        ("revoke", dir, None) => {
            let dir = dir.map_or_else(|| ".".to_owned(), |dir| shown(Path::new(dir)));
            Err(Failure::usage(format!(
                "say which key of {dir} to revoke, by its number: methodical key revoke {dir} \
                 NUMBER; `methodical key list {dir}` has the numbers"
            )))
        }
        (_, _, Some(more)) => Err(Failure::usage(format!("{more:?} is one argument too many"))),
        (action, _, None) => Err(Failure::usage(format!("key does not know {action:?}"))),
    }
}

fn refuse_what_is_for_create(action: &str, matches: &ArgMatches) -> Outcome {
    let given = ["role", "name", "expires"].into_iter().find(|name| matches.contains_id(name));
    given.map_or(Ok(()), |name| {
        Err(Failure::usage(format!(
            "--{name} is for `key create`: `key {action}` is about keys that there are"
        )))
    })
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
    let roles = roles(site, matches)?;
    let name = matches.get_one::<String>("name").cloned().unwrap_or_else(|| roles.join(", "));
    if name.trim().is_empty()
        || name.chars().count() > NAME_CHARACTERS_MAX
        || name.chars().any(char::is_control)
    {
        return Err(Failure::usage(format!(
            "--name takes from 1 to {NAME_CHARACTERS_MAX} characters, on one line"
        )));
    }
    let now = clock::now();
    let expires_at = matches.get_one::<String>("expires").map(|text| until(text, now)).transpose();
    let expires_at = expires_at.map_err(|fault| Failure::usage(format!("--expires: {fault}")))?;
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

/// The roles that are asked for, each once.
fn roles(site: &Site, matches: &ArgMatches) -> Result<Vec<String>, Failure> {
    let known = &site.model.roles;
    let list = known.join(", ");
    let mut roles: Vec<String> = Vec::new();
    for role in matches.get_many::<String>("role").into_iter().flatten() {
        if !known.contains(role) {
            let near = suggest::nearest(role, known.iter().map(String::as_str));
            let hint = near.map_or_else(String::new, |near| format!(" Did you mean {near}?"));
            return Err(Failure::refused(format!(
                "no role is named {role:?}.{hint} There are: {list}"
            )));
        }
        if !roles.contains(role) {
            roles.push(role.clone());
        }
    }
    if roles.is_empty() {
        return Err(Failure::usage(format!("say what the key may do: --role, one of {list}")));
    }
    Ok(roles)
}

/// When a key ends: after a time, on a day or at a moment.
fn until(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let moment = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
    let at = match moment {
        Some(at) => at,
        None => {
            let time = duration(text).map_err(|fault| {
                format!(
                    "{fault}; or a day such as 2027-01-31, or a moment such as \
                     2027-01-31T12:00:00Z"
                )
            })?;
            let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
            Timestamp(now.0.saturating_add(time))
        }
    };
    if at <= now {
        return Err(format!("{text} has passed: the key would be good for nothing"));
    }
    Ok(at)
}

/// Writes a key into the database, which is made where it is missing, as `serve` would.
fn keep(site: &Site, key: &NewKey) -> Result<i64, Failure> {
    let options = Options::from(&site.settings, &site.database);
    match Keys::open(&options, &site.model) {
        Ok(keys) => return keys.create(key).map_err(|fault| site.failure(&fault)),
        Err(CareError::Missing(_) | CareError::Unmade(_)) => {}
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

fn open(site: &Site) -> Result<Keys, Failure> {
    let options = Options::from(&site.settings, &site.database);
    Keys::open(&options, &site.model).map_err(|fault| match fault {
        CareError::Missing(_) => Failure::refused(format!(
            "there is no database {} yet, and so there are no keys. To make it, with one:\n\n    \
             methodical key create {} --role admin\n",
            site.database.display(),
            site.named
        )),
        fault => site.failure(&fault),
    })
}

fn list(site: &Site) -> Outcome {
    let keys = open(site)?.list().map_err(|fault| site.failure(&fault))?;
    print!("{}", table(&keys, &site.model.roles, clock::now()));
    Ok(())
}

/// A line a key. A role that is not declared any more is marked: it gives nothing.
fn table(keys: &[ApiKey], declared: &[String], now: Timestamp) -> String {
    let heads = ["NUMBER", "NAME", "START", "ROLES", "CREATED", "EXPIRES", "LAST USED"];
    let mut rows = vec![heads.map(str::to_owned)];
    let role = |role: &String| match declared.contains(role) {
        true => role.clone(),
        false => format!("{role} (not declared)"),
    };
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
            key.roles.iter().map(role).collect::<Vec<_>>().join(","),
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

fn revoke(site: &Site, number: &str) -> Outcome {
    let number = numbered("key", number, &format!("methodical key list {}", site.named))?;
    let revoked = open(site)?.revoke(number, clock::now());
    if revoked.map_err(|fault| site.failure(&fault))? {
        eprintln!("key {number} is revoked: it is refused from the next request on");
        return Ok(());
    }
    Err(Failure::refused(format!(
        "there is no key {number}; `methodical key list {}` has those that there are",
        site.named
    )))
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, draw, table, until};

    #[test]
    fn a_table_has_a_line_a_key() {
        let mut key = draw("deploy".to_owned(), vec!["admin".to_owned()], None).key.key;
        key.created_at = Timestamp(1_790_000_000_123);
        key.start = "mtdk_abcd".to_owned();
        let mut other = key.clone();
        (other.number, other.expires_at) = (12, Some(Timestamp(5)));
        other.roles.push("gone".to_owned());
        let text = table(&[key, other], &["admin".to_owned()], Timestamp(1_790_000_000_124));
        let expected = "\
NUMBER  NAME    START       ROLES                      CREATED               EXPIRES  LAST USED
0       deploy  mtdk_abcd…  admin                      2026-09-21T14:13:20Z  never    never
12      deploy  mtdk_abcd…  admin,gone (not declared)  2026-09-21T14:13:20Z  expired  never
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_key_ends_after_a_time_on_a_day_or_at_a_moment() {
        let now = Timestamp(1_790_000_000_000);
        assert_eq!(until("90d", now), Ok(Timestamp(now.0 + 90 * 86_400_000)));
        for (text, at) in [
            ("2027-01-01", "2027-01-01T00:00:00Z"),
            ("2027-01-01T08:30:00+02:00", "2027-01-01T06:30:00Z"),
        ] {
            assert_eq!(until(text, now).ok(), Timestamp::parse(at), "{text}");
        }
        for (wrong, why) in [
            ("-1s", "expected a time"),
            ("0d", "expected a time"),
            ("soon", "a day such as"),
            ("2027-02-30", "a day such as"),
            ("2020-01-01", "has passed"),
        ] {
            let said = until(wrong, now).expect_err(wrong);
            assert!(said.contains(why), "{wrong}: {said}");
        }
    }
}
