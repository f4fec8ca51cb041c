//! What keeps our bookkeeping true whoever writes: our own statements set version, `updatedAt`
//! and folds themselves; for everybody else these triggers do.

use model::index::unique_groups;
use model::model::{Field, Kind, Resource};

use super::ddl::{BIRTH, NOW, text_literal};
use super::index::unindex_gone;
use crate::sql::search::row_number;
use crate::sql::{fold_column, folded, is_folded, quote};

/// True of an edit that is not ours: we always write another version.
const UNMOVED: &str = "NEW.\"_version\" IS OLD.\"_version\" AND NEW.\"_birth\" IS OLD.\"_birth\"";

/// The operation of a record that begins.
const INSERT: &str = "'insert'";

/// The triggers of one resource.
pub(crate) fn write(number: i64, resource: &Resource, out: &mut String) {
    out.push_str(&count(number, resource));
    out.push_str(&touch(number, resource));
    out.push_str(&spared(number, resource));
    out.push_str(&replaced(number, resource));
    out.push_str(&fold(number, resource));
}

/// How a trigger of a resource begins.
pub(crate) fn head(resource: &Resource, word: &str, event: &str) -> String {
    let name = quote(&format!("_methodical_{}_{word}", resource.name));
    format!("CREATE TRIGGER {name} {event} ON {}", quote(&resource.name))
}

fn logged(number: i64, resource: &Resource, row: &str, operation: &str) -> String {
    let (column, was) = match was(resource, "OLD.") {
        // Of what has just begun nothing was seen before.
        Some(was) if operation != INSERT => (", was", format!(", {was}")),
        Some(_) | None => ("", String::new()),
    };
    format!(
        "INSERT INTO _methodical_changes (resource, id, birth, version, operation, at{column}) \
         SELECT {number}, {row}.\"id\", {row}.\"_birth\", {row}.\"_version\", {operation}, \
         {NOW}{was}"
    )
}

/// What stands in the columns of a row that say who sees it, as a JSON object; None where none
/// does.
fn was(resource: &Resource, row: &str) -> Option<String> {
    if resource.watched.is_empty() {
        return None;
    }
    let members = resource.watched.iter().map(|by| {
        let name = by.name(resource);
        let column = format!("{row}{}", quote(name));
        let value = match by.kind(resource) {
            // SQL's own JSON may round a number; an infinite one is none there.
            Kind::Number => {
                format!("CASE WHEN abs({column}) < 9e999 THEN json(printf('%!.17g', {column})) END")
            }
            Kind::Text | Kind::Integer | Kind::Boolean | Kind::Json => column,
        };
        format!("{}, {value}", text_literal(name))
    });
    Some(format!("json_object({})", members.collect::<Vec<_>>().join(", ")))
}

/// Change counter, total and log, for every insert, new version and delete.
fn count(number: i64, resource: &Resource) -> String {
    let kept = |set: &str| {
        format!(
            "UPDATE _methodical_resource SET change = change + 1{set} WHERE resource = {number};"
        )
    };
    let inserted = head(resource, "insert", "AFTER INSERT");
    let updated = head(resource, "update", "AFTER UPDATE OF \"_birth\", \"_version\"");
    let deleted = head(resource, "delete", "AFTER DELETE");
    let life = "CASE WHEN NEW.\"_birth\" IS OLD.\"_birth\" THEN 'update' ELSE 'insert' END";
    format!(
        "{inserted} BEGIN\n  {}\n  {};\nEND;\n\
         {updated} WHEN NEW.\"_version\" IS NOT OLD.\"_version\" \
         OR NEW.\"_birth\" IS NOT OLD.\"_birth\" BEGIN\n  {}\n  {};\nEND;\n\
         {deleted} BEGIN\n  {}\n  {};\n  \
         DELETE FROM _methodical_suspect WHERE resource = {number} AND id = OLD.\"id\";\nEND;\n",
        kept(", total = total + 1"),
        logged(number, resource, "NEW", INSERT),
        kept(""),
        logged(number, resource, "NEW", life),
        kept(", total = total - 1"),
        logged(number, resource, "OLD", "'delete'"),
    )
}

/// An edit from outside, seen by a version that stayed: the next version, a later `updatedAt`,
/// the folds. Under another id it is another record: a delete and a birth.
fn touch(number: i64, resource: &Resource) -> String {
    let names = ["id", "createdAt", "updatedAt"].into_iter();
    let columns: Vec<String> =
        names.chain(resource.fields.iter().map(|field| field.name.as_str())).map(quote).collect();
    let event = format!("AFTER UPDATE OF {}", columns.join(", "));
    let mut set = vec![
        format!(
            "\"_birth\" = CASE WHEN NEW.\"id\" IS OLD.\"id\" THEN OLD.\"_birth\" ELSE {BIRTH} END"
        ),
        "\"_version\" = CASE WHEN NEW.\"id\" IS OLD.\"id\" THEN OLD.\"_version\" + 1 ELSE 1 END"
            .to_owned(),
        format!(
            "\"updatedAt\" = CASE WHEN NEW.\"updatedAt\" > OLD.\"updatedAt\" \
             THEN NEW.\"updatedAt\" WHEN {NOW} > OLD.\"updatedAt\" THEN {NOW} ELSE \
             strftime('%Y-%m-%dT%H:%M:%fZ', OLD.\"updatedAt\", '+0.001 seconds') END"
        ),
    ];
    let mut marks = String::new();
    for (_, field) in folded(resource) {
        let name = quote(&field.name);
        let shadow = quote(&fold_column(field));
        let changed = format!("NEW.{name} IS NOT OLD.{name}");
        set.push(format!(
            "{shadow} = CASE WHEN {changed} THEN lower(NEW.{name}) ELSE NEW.{shadow} END"
        ));
        marks.push_str(&format!("  {}\n", mark(number, field, &changed)));
    }
    let table = quote(&resource.name);
    // The next version is logged by another trigger, which sees what the edit has left.
    let was = was(resource, "OLD.").map_or_else(String::new, |was| {
        format!(
            "  UPDATE _methodical_changes SET was = {was} WHERE operation = 'update' \
             AND position = (SELECT max(position) FROM _methodical_changes);\n"
        )
    });
    format!(
        "{} WHEN {UNMOVED} BEGIN\n  \
         {} WHERE NEW.\"id\" IS NOT OLD.\"id\";\n{marks}  UPDATE {table} SET {} \
         WHERE \"id\" = NEW.\"id\";\n{was}END;\n",
        head(resource, "touch", &event),
        logged(number, resource, "OLD", "'delete'"),
        set.join(",\n    "),
    )
}

/// A row that gets another id is no suspect any more, or it would be counted as gone.
fn spared(number: i64, resource: &Resource) -> String {
    format!(
        "{} WHEN NEW.\"id\" IS NOT OLD.\"id\" BEGIN\n  \
         DELETE FROM _methodical_suspect WHERE resource = {number} AND id = OLD.\"id\";\nEND;\n",
        head(resource, "spare", "BEFORE UPDATE OF \"id\""),
    )
}

/// Leaves a mark for the server, which knows the whole of Unicode where SQL's `lower` knows ASCII.
fn mark(number: i64, field: &Field, condition: &str) -> String {
    format!(
        "INSERT INTO _methodical_refold (resource, id) \
         SELECT {number}, NEW.\"id\" WHERE {condition} AND {};",
        beyond_ascii(field)
    )
}

/// True of a new text that is not all ASCII.
pub(crate) fn beyond_ascii(field: &Field) -> String {
    format!("NEW.{} GLOB '*[^' || char(1) || '-' || char(127) || ']*'", quote(&field.name))
}

/// The folds of a row that was inserted from outside.
fn fold(number: i64, resource: &Resource) -> String {
    let fields: Vec<&Field> = folded(resource).map(|(_, field)| field).collect();
    if fields.is_empty() {
        return String::new();
    }
    let missing = |field: &&Field| {
        let shadow = quote(&fold_column(field));
        format!("(NEW.{} IS NOT NULL AND NEW.{shadow} IS NULL)", quote(&field.name))
    };
    let when: Vec<String> = fields.iter().map(missing).collect();
    let marks: Vec<String> = fields.iter().map(|field| mark(number, field, "1")).collect();
    let set: Vec<String> = fields
        .iter()
        .map(|field| {
            let shadow = quote(&fold_column(field));
            format!("{shadow} = coalesce(NEW.{shadow}, lower(NEW.{}))", quote(&field.name))
        })
        .collect();
    format!(
        "{} WHEN {} BEGIN\n  {}\n  UPDATE {} SET {} WHERE \"id\" = NEW.\"id\";\nEND;\n",
        head(resource, "fold", "AFTER INSERT"),
        when.join(" OR "),
        marks.join("\n  "),
        quote(&resource.name),
        set.join(", "),
    )
}

/// `INSERT OR REPLACE` and `UPDATE OR REPLACE` remove rows without a delete trigger. What may go is
/// noted before, and what went is counted and logged after.
fn replaced(number: i64, resource: &Resource) -> String {
    let table = quote(&resource.name);
    let exists = |rivals: &[String]| {
        let each =
            rivals.iter().map(|rival| format!("EXISTS (SELECT 1 FROM {table} WHERE {rival})"));
        each.collect::<Vec<_>>().join(" OR ")
    };
    let (column, value) = match was(resource, "") {
        Some(was) => (", was", format!(", {was}")),
        None => ("", String::new()),
    };
    let note = |rivals: &[String]| {
        let each: Vec<String> = rivals.iter().map(|rival| format!("({rival})")).collect();
        format!(
            "INSERT INTO _methodical_suspect (resource, id, number, birth, version{column}) \
             SELECT {number}, \"id\", {}, \"_birth\", \"_version\"{value} FROM {table} WHERE {};",
            row_number(resource),
            each.join(" OR ")
        )
    };
    let inserted = rivals(resource, false);
    let updated = rivals(resource, true);
    let any = "EXISTS (SELECT 1 FROM _methodical_suspect)";
    let settled = settled(number, resource);
    format!(
        "{} WHEN {} BEGIN\n  {}\nEND;\n\
         {} WHEN {UNMOVED} AND ({}) BEGIN\n  {}\nEND;\n\
         {} WHEN {any} BEGIN\n  {settled}\nEND;\n\
         {} WHEN {UNMOVED} AND {any} BEGIN\n  {settled}\nEND;\n",
        head(resource, "rival", "BEFORE INSERT"),
        exists(&inserted),
        note(&inserted),
        head(resource, "overtake", "BEFORE UPDATE"),
        exists(&updated),
        note(&updated),
        head(resource, "replace", "AFTER INSERT"),
        head(resource, "supersede", "AFTER UPDATE"),
    )
}

/// Conditions on the rows that a new row, or a changed one, would push out.
fn rivals(resource: &Resource, changed: bool) -> Vec<String> {
    let mut out = vec!["\"id\" = NEW.\"id\"".to_owned()];
    for group in unique_groups(resource) {
        let same = group.iter().map(|index| {
            let field = &resource.fields[*index];
            let name = quote(&field.name);
            if !is_folded(field) {
                return format!("{name} = NEW.{name}");
            }
            let shadow = quote(&fold_column(field));
            if changed {
                let kept = format!("NEW.{name} IS OLD.{name} THEN NEW.{shadow}");
                format!("{shadow} = CASE WHEN {kept} ELSE lower(NEW.{name}) END")
            } else {
                format!("{shadow} = coalesce(NEW.{shadow}, lower(NEW.{name}))")
            }
        });
        out.push(same.collect::<Vec<_>>().join(" AND "));
    }
    if changed {
        out.iter_mut().for_each(|rival| rival.push_str(" AND \"id\" IS NOT OLD.\"id\""));
    }
    out
}

/// Counts and logs those suspects that are gone, and forgets them. One that is still there may
/// yet go within the same statement: it stays until the next edit, or until the server looks.
pub(crate) fn settled(number: i64, resource: &Resource) -> String {
    let table = quote(&resource.name);
    // No alias: SQLite before 3.45 does not take one in a trigger's DELETE, and whoever opens the
    // file with the shell of an older system has to be able to read its schema.
    let gone = format!(
        "_methodical_suspect.resource = {number} AND NOT EXISTS (SELECT 1 FROM {table} AS t \
         WHERE t.\"id\" = _methodical_suspect.id AND t.\"_birth\" = _methodical_suspect.birth)"
    );
    let (column, was) =
        if resource.watched.is_empty() { ("", "") } else { (", was", ", max(was)") };
    format!(
        "INSERT INTO _methodical_changes (resource, id, birth, version, operation, at{column}) \
         SELECT {number}, id, birth, version, 'delete', {NOW}{was} \
         FROM _methodical_suspect WHERE {gone} GROUP BY id, birth, version;\n  \
         UPDATE _methodical_resource SET change = change + 1, total = total - \
         (SELECT count(*) FROM (SELECT DISTINCT id, birth FROM _methodical_suspect \
         WHERE {gone})) \
         WHERE resource = {number};\n  \
         {}DELETE FROM _methodical_suspect WHERE {gone};",
        unindex_gone(resource, &gone)
    )
}
