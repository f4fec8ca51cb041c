//! `status`: how the database is, for people and as JSON.

use std::fmt::Write;

use clap::ArgMatches;
use serde_json::json;

use engine::clock;
use model::value::Timestamp;
use store::care::beside::backups;
use store::care::status::{Span, Status, status};

use super::site::{Site, size};
use crate::command::count;
use crate::failure::Outcome;

/// Prints how the database is.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let site = Site::read(matches)?;
    let now = clock::now();
    let found = status(&site.database, now).map_err(|fault| site.failure(&fault))?;
    if matches.get_flag("json") {
        println!("{}", as_json(&site, &found));
    } else {
        print!("{}", as_text(&site, &found, now));
    }
    Ok(())
}

fn fits(site: &Site, found: &Status) -> bool {
    found.declaration == site.model.table_digest()
}

fn as_json(site: &Site, found: &Status) -> serde_json::Value {
    let resources: serde_json::Map<_, _> = found
        .resources
        .iter()
        .map(|kept| (kept.name.clone(), json!({ "records": kept.records, "change": kept.change })))
        .collect();
    let end = |end: &Option<(i64, String)>| {
        end.as_ref().map(|(position, at)| json!({ "position": position, "at": at }))
    };
    let backup = found.backup.as_ref().map(|note| {
        json!({ "at": note.at, "file": note.file, "bytes": note.bytes, "error": note.error })
    });
    json!({
        "database": site.database,
        "served": found.is_served,
        "fitsDeclaration": fits(site, found),
        "bytes": found.bytes,
        "logBytes": found.log_bytes,
        "pageBytes": found.page_bytes,
        "pages": found.pages,
        "freePages": found.free_pages,
        "resources": resources,
        "keys": found.keys,
        "keysExpired": found.keys_expired,
        "sessions": found.sessions,
        "apiKeys": found.api_keys,
        "jobs": { "waiting": found.jobs, "givenUp": found.jobs_failed },
        "audit": { "entries": found.acts, "oldest": found.oldest_act.map(Timestamp::text) },
        "changes": {
            "entries": found.changes.entries,
            "first": end(&found.changes.first),
            "last": end(&found.changes.last),
        },
        "backup": backup,
        "optimized": found.optimized.map(Timestamp::text),
        "restored": found.restored,
    })
}

fn as_text(site: &Site, found: &Status, now: Timestamp) -> String {
    let mut out = String::new();
    // Writing into memory does not fail.
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "{name:<12} {text}");
    };
    let free = found.free_pages * found.page_bytes;
    line("database", &site.database.display().to_string());
    line("server", if found.is_served { "runs" } else { "does not run" });
    if !fits(site, found) {
        line("declaration", "is not the one that the tables were made for: see migrate");
    }
    line("size", &format!("{}, of which {} are free", size(found.bytes), size(free)));
    line("log", &size(found.log_bytes));
    for kept in &found.resources {
        let records = usize::try_from(kept.records).unwrap_or(usize::MAX);
        let text = format!("{}, change {}", count(records, "record"), kept.change);
        line(&kept.name, &text);
    }
    line("keys", &format!("{}, {} expired", found.keys, found.keys_expired));
    line("sessions", &format!("{} signed in", found.sessions));
    line("API keys", &format!("{} valid", found.api_keys));
    line("jobs", &format!("{} wait, {} given up", found.jobs, found.jobs_failed));
    line("audit", &audit(found));
    line("changes", &span(&found.changes));
    line("backup", &backup(found, now));
    line("backups", &kept(site));
    let ago = |at: Timestamp| format!("{} ago", age(now, at));
    line("optimized", &found.optimized.map_or_else(|| "not yet".to_owned(), ago));
    if let Some((at, made)) = found.restored.as_ref().and_then(|text| text.split_once(' ')) {
        line("restored", &format!("at {at}, as it was at {made}"));
    }
    out
}

fn entries(number: u64) -> String {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    count(number, "entry").replace("entrys", "entries")
}

fn audit(found: &Status) -> String {
    match found.oldest_act {
        Some(oldest) => format!("{} from {} on", entries(found.acts), oldest.text()),
        None => "none".to_owned(),
    }
}

fn span(changes: &Span) -> String {
    match (&changes.first, &changes.last) {
        (Some((first, since)), Some((last, until))) => {
            let entries = entries(changes.entries);
            format!("{entries} from {first} ({since}) to {last} ({until})")
        }
        _ => "none".to_owned(),
    }
}

fn backup(found: &Status, now: Timestamp) -> String {
    let Some(note) = &found.backup else { return "none was made yet".to_owned() };
    let when = Timestamp::parse(&note.at).map_or_else(|| note.at.clone(), |at| age(now, at));
    match (&note.error, &note.file) {
        (Some(error), _) => format!("FAILED {when} ago: {error}"),
        (None, Some(file)) => format!("{when} ago, {}, {}", size(note.bytes), file.display()),
        (None, None) => format!("{when} ago, {}, to a pipe", size(note.bytes)),
    }
}

/// The backups in their folder.
fn kept(site: &Site) -> String {
    let folder = site.backup_dir();
    let every = match site.settings.backup_interval {
        Some(every) => format!("every {} s by the server", every.as_secs()),
        None => "by command only (backup.every is off)".to_owned(),
    };
    match backups(&site.database, &folder) {
        Ok(all) => format!("{} in {}, {every}", all.len(), folder.display()),
        Err(error) => format!("{}: {error}", folder.display()),
    }
}

/// How long ago something was, in its largest unit.
fn age(now: Timestamp, at: Timestamp) -> String {
    let seconds = (now.0 - at.0).max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
