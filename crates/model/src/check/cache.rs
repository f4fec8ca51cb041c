//! `cache`: how long a list or a record may be kept by caches, and when `public` is a leak.

use super::Check;
use super::place::Place;
use crate::complaint::Span;
use crate::model::{CacheLife, Model, Who};
use crate::source::Table;

/// The longest life, in seconds: a year, as far as caches look.
const LIFE_S_MAX: u32 = 31_536_000;

/// Reads a Cache-Control value: `public` or `private`, and `max-age` (RFC 9111 §5.2.2).
pub(super) fn read(check: &mut Check, table: &Table) -> Option<CacheLife> {
    let word = check.text(table, "cache")?;
    let mut life = CacheLife { public: false, max_age_s: None };
    let mut seen: Vec<String> = Vec::new();
    for directive in word.text.split(',') {
        let directive = directive.trim().to_ascii_lowercase();
        let name = directive.split('=').next().unwrap_or_default().to_owned();
        if seen.contains(&name) {
            check.error(&word.span, format!("`{name}` is there twice"), "");
        }
        match directive.as_str() {
            "public" => life.public = true,
            "private" | "no-cache" => {}
            _ if name == "max-age" => {
                life.max_age_s = age(check, &word.span, &directive);
            }
            _ => {
                let help = "write \"public, max-age=60\", \"private, max-age=60\" or \"no-cache\"";
                check.error(&word.span, format!("`cache` does not take `{directive}`"), help);
            }
        }
        seen.push(name);
    }
    let has = |name: &str| seen.iter().any(|other| other == name);
    if has("public") && has("private") {
        check.error(&word.span, "`public` and `private` exclude each other", "");
    }
    if has("no-cache") && has("max-age") {
        let help = "leave one of the two out";
        check.error(&word.span, "`no-cache` makes `max-age` mean nothing", help);
    }
    Some(life)
}

fn age(check: &mut Check, span: &Span, directive: &str) -> Option<u32> {
    let text = directive.strip_prefix("max-age=").unwrap_or_default();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let age = text.parse::<u32>().ok().filter(|age| plain && *age <= LIFE_S_MAX);
    if age.is_none() {
        let message = format!("`max-age` takes seconds, 0 to {LIFE_S_MAX}");
        check.error(span, message, "write \"public, max-age=60\"");
    }
    age
}

/// What not everybody may read must not lie in a shared cache.
pub(super) fn check(check: &mut Check, model: &Model, places: &[Place<'_>]) {
    let anyone = |who: &Who| who.when.is_none() && who.names.iter().any(|name| name == "anyone");
    for (resource, place) in model.resources.iter().zip(places) {
        if !resource.cache.is_some_and(|life| life.public) {
            continue;
        }
        let span = place.of("cache");
        let access = resource.access.as_ref();
        if !access.and_then(|access| access.read.as_ref()).is_some_and(anyone) {
            let help = "add `access = { read = \"anyone\" }`, or write `private`";
            check.error(span, "`public`, but not everybody may read it", help);
        }
        for field in resource.fields.iter().filter(|f| f.read.as_ref().is_some_and(|w| !anyone(w)))
        {
            let message = format!("`public`, but not everybody may read `{}`", field.name);
            check.error(span, message, "write `private`");
        }
    }
}
