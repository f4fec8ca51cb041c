//! Where two paths would mean two things: the prefix, its aliases and the server's own pages.

use super::place::Place;
use super::{Check, Word};

/// The server's own pages at the root.
const PAGES: &[&str] = &[
    "docs",
    "forms",
    "graphql",
    "healthz",
    "learn",
    "login",
    "metrics",
    "openapi.json",
    "problems",
    "readyz",
    "robots.txt",
];

/// Checks prefix and aliases against each other, against our pages and against the resources.
pub(super) fn check(check: &mut Check, prefix: &Word, alias: &[Word], places: &[Place<'_>]) {
    let bases: Vec<&Word> = std::iter::once(prefix).chain(alias).collect();
    for (at, base) in bases.iter().enumerate() {
        if at > 0 && bases[..at].iter().any(|other| other.text == base.text) {
            let what = if base.text == prefix.text { "the prefix itself" } else { "there twice" };
            check.error(&base.span, format!("this alias is {what}"), "leave it out");
            continue;
        }
        pages(check, base, at == 0, places);
        for outer in bases.iter().filter(|outer| outer.text != base.text) {
            nested(check, outer, base, at == 0, places);
        }
    }
}

/// At the root a page of the server wins; a path below one cannot be reached at all.
fn pages(check: &mut Check, base: &Word, canonical: bool, places: &[Place<'_>]) {
    if !base.text.is_empty() {
        let first = base.text[1..].split('/').next().unwrap_or_default();
        if PAGES.contains(&first) {
            let help = format!("the server's own pages are: /{}", PAGES.join(", /"));
            check.error(&base.span, format!("/{first} is a page of the server's own"), &help);
        }
        return;
    }
    for place in places.iter().filter(|place| PAGES.contains(&place.name)) {
        let message = format!("/{} is a page of the server's own, which wins", place.name);
        if canonical {
            check.error(place.span, message, "choose another name, or a prefix such as \"/api\"");
        } else {
            check.warn(place.span, message, "this resource answers under the prefix only");
        }
    }
}

/// `/api` and `/api/v1`: what is `/api/v1/users` where there is a resource `v1`?
fn nested(check: &mut Check, outer: &Word, inner: &Word, canonical: bool, places: &[Place<'_>]) {
    let Some(rest) = inner.text.strip_prefix(&format!("{}/", outer.text)) else { return };
    let first = rest.split('/').next().unwrap_or_default();
    let Some(place) = places.iter().find(|place| place.name == first) else { return };
    let shown = if outer.text.is_empty() { "/" } else { &outer.text };
    let message = format!("`{first}` under \"{shown}\" is hidden by \"{}\"", inner.text);
    if canonical {
        // The prefix is canonical: it wins, and the resource is still reached under it.
        let help = format!("under \"{shown}\" it cannot be reached: choose another name");
        check.warn(place.span, message, &help);
    } else {
        check.error(&inner.span, message, "choose another alias");
    }
}
