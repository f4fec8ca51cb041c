//! `[issuers.NAME]`: whose tokens are taken, and who their bearers are.

use super::{Check, Word, quoted};
use crate::issuer::{ALGORITHMS, Issuer, SKEW, SKEW_MAX, USUAL};
use crate::model::{FieldIndex, Kind, Model};
use crate::setting::duration;
use crate::source::{Entry, Table, Written};

pub(crate) const ISSUER_KEYS: &[&str] = &[
    "issuer",
    "audience",
    "jwks",
    "algorithms",
    "skew",
    "claim",
    "field",
    "roles_claim",
    "roles",
    "role",
];

/// Reads every issuer. Complains of what would let nobody in, or everybody.
pub(super) fn read(check: &mut Check, root: &Table, model: &Model) -> Vec<Issuer> {
    let Some(entry) = root.entry("issuers") else { return Vec::new() };
    let Some(table) = check.table(entry, "write [issuers.NAME]") else { return Vec::new() };
    let entries = table.entries.iter();
    entries.filter_map(|entry| one(check, entry, model)).collect()
}

fn one(check: &mut Check, entry: &Entry, model: &Model) -> Option<Issuer> {
    let table = check.table(entry, "write [issuers.NAME]")?;
    for inner in &table.entries {
        if !ISSUER_KEYS.contains(&inner.key.as_str()) {
            check.unknown(inner, "an issuer", ISSUER_KEYS, "");
        }
    }
    let place = &entry.key_span;
    let issuer = url(check, table, "issuer");
    if table.get("issuer").is_none() {
        let help = "issuer = \"https://login.example\", to the letter as its tokens say it";
        check.error(place, "`issuer` is missing: whose tokens are taken?", help);
    }
    let audiences = audiences(check, table);
    if audiences.is_empty() {
        let help = "audience = \"…\": what the issuer calls this API; a token for somebody else \
                    must not be good here";
        check.error(place, "`audience` is missing: for whom are the tokens?", help);
    }
    let algorithms = algorithms(check, table);
    let field = field(check, table, model);
    let role = check.text(table, "role");
    let roles = roles(check, table);
    for word in role.iter().chain(roles.iter().map(|(_, word)| word)) {
        if !model.roles.contains(&word.text) {
            let help = format!("there are: {}", model.roles.join(", "));
            check.error(&word.span, format!("there is no role `{}`", word.text), &help);
        }
    }
    if field.is_none() && role.is_none() && roles.is_empty() && table.get("field").is_none() {
        let help =
            "field = \"email\": a unique field of the users, or role = \"…\" for all of them";
        check.error(place, "nobody says who the bearer of such a token is", help);
    }
    let claim = check.text(table, "claim").map_or_else(|| "sub".to_owned(), |word| word.text);
    let roles_claim = check.text(table, "roles_claim");
    let (jwks, skew) = (url(check, table, "jwks"), skew(check, table));
    Some(Issuer {
        name: entry.key.clone(),
        issuer: issuer?,
        audiences,
        jwks,
        algorithms,
        skew,
        claim,
        field,
        roles_claim: roles_claim.map_or_else(|| "roles".to_owned(), |word| word.text),
        roles: roles.into_iter().map(|(from, to)| (from, to.text)).collect(),
        role: role.map(|word| word.text),
    })
}

fn url(check: &mut Check, table: &Table, key: &str) -> Option<String> {
    let word = check.text(table, key)?;
    let plain = word.text.starts_with("https://") || word.text.starts_with("http://");
    if !plain || word.text.contains(['?', '#', ' ', '@']) {
        let help = "write a URL such as \"https://login.example/realm\"";
        check.error(&word.span, format!("`{key}` is no URL of an issuer"), help);
        return None;
    }
    Some(word.text)
}

fn audiences(check: &mut Check, table: &Table) -> Vec<String> {
    let Some(node) = table.get("audience") else { return Vec::new() };
    match &node.written {
        Written::Text(text) => vec![text.clone()],
        _ => check.texts(table, "audience").into_iter().map(|word| word.text).collect(),
    }
}

fn algorithms(check: &mut Check, table: &Table) -> Vec<String> {
    let words = check.texts(table, "algorithms");
    for word in &words {
        if !ALGORITHMS.contains(&word.text.as_str()) {
            let message = format!("`{}` is no algorithm that is taken", word.text);
            let help = format!("there are: {}", quoted(ALGORITHMS));
            check.error(&word.span, message, &help);
        }
    }
    if words.is_empty() {
        return USUAL.iter().map(|name| (*name).to_owned()).collect();
    }
    words.into_iter().map(|word| word.text).collect()
}

fn skew(check: &mut Check, table: &Table) -> std::time::Duration {
    let Some(word) = check.text(table, "skew") else { return SKEW };
    match duration(&word.text) {
        Ok(time) if time <= SKEW_MAX => time,
        _ => {
            let help = "write a time of at most 5 minutes, such as \"60s\"";
            check.error(&word.span, "`skew` is how far two clocks may be apart", help);
            SKEW
        }
    }
}

fn field(check: &mut Check, table: &Table, model: &Model) -> Option<FieldIndex> {
    let word = check.text(table, "field")?;
    let Some(users) = model.users().map(|at| &model.resources[at]) else {
        let help = "give one resource a password, or leave `field` out and write `role`";
        check.error(&word.span, "there are no users here", help);
        return None;
    };
    let unique = |at: &FieldIndex| {
        let field = &users.fields[*at];
        field.kind == Kind::Text && (field.unique || users.unique.contains(&vec![*at]))
    };
    let found = users.field(&word.text).map(|(at, _)| at).filter(unique);
    if found.is_none() {
        let fit: Vec<&str> = (0..users.fields.len())
            .filter(unique)
            .map(|at| users.fields[at].name.as_str())
            .collect();
        let help = match fit.is_empty() {
            true => {
                "add `unique = true` to a field of strings: who is meant must be certain".into()
            }
            false => format!("there are: {}", fit.join(", ")),
        };
        let message = format!("`{}` has no unique field `{}`", users.name, word.text);
        check.error(&word.span, message, &help);
    }
    found
}

fn roles(check: &mut Check, table: &Table) -> Vec<(String, Word)> {
    let Some(entry) = table.entry("roles") else { return Vec::new() };
    let help = "write roles = { their-name = \"a role of ours\" }";
    let Some(inner) = check.table(entry, help) else { return Vec::new() };
    let each = inner.entries.iter();
    each.filter_map(|entry| Some((entry.key.clone(), check.text(inner, &entry.key)?))).collect()
}
