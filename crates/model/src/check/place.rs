//! Where resources and their fields stand in the file, and whether their names can be names.

use super::Check;
use crate::complaint::Span;
use crate::source::{EMPTY, Entry, Table, Written};

/// A resource as written.
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) span: &'a Span,
    pub(super) table: &'a Table,
    /// One a field of the Model's resource, in the same order.
    pub(super) fields: Vec<FieldPlace<'a>>,
}

/// A field as written.
pub(super) struct FieldPlace<'a> {
    pub(super) name: &'a str,
    pub(super) span: &'a Span,
    pub(super) table: &'a Table,
}

impl<'a> Place<'a> {
    /// Where the value of this key stands, or else the name of the resource.
    pub(super) fn of(&self, key: &str) -> &'a Span {
        self.table.get(key).map_or(self.span, |node| &node.span)
    }
}

impl<'a> FieldPlace<'a> {
    /// Where this key stands, or else the name of the field.
    pub(super) fn key(&self, key: &str) -> &'a Span {
        self.table.entry(key).map_or(self.span, |entry| &entry.key_span)
    }

    /// Where the value of this key stands, or else the name of the field.
    pub(super) fn value(&self, key: &str) -> &'a Span {
        self.table.get(key).map_or(self.span, |node| &node.span)
    }

    /// True where this key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }
}

/// Names that mean something else inside the prefix.
const RESERVED: &[&str] = &["search", "changes", "login", "logout", "me", "batch", "audit"];
/// Members of a list answer beside the records, which stand under the resource's name.
const LIST_MEMBERS: &[&str] = &["total", "page", "limit", "next", "cursor", "totalIsLowerBound"];
/// What the server keeps of each record.
const KEPT: &[&str] = &["id", "createdAt", "updatedAt"];
/// The longest name, in characters: what PostgreSQL holds too.
const NAME_MAX: usize = 48;
/// The most fields of a resource: what SQLite holds with a folded column beside each.
const FIELDS_MAX: usize = 500;

/// Every resource in the file, in its order.
pub(super) fn all<'a>(check: &mut Check, root: &'a Table) -> Vec<Place<'a>> {
    let help = "write [resources.notes] and below it fields.text = { type = \"string\" }";
    let Some(entry) = root.entry("resources") else {
        check.error(&(0..0), "no resource is declared", help);
        return Vec::new();
    };
    let Some(table) = check.table(entry, help) else { return Vec::new() };
    if table.entries.is_empty() {
        check.error(&entry.key_span, "no resource is declared", help);
    }
    let mut places: Vec<Place<'a>> = Vec::new();
    for entry in &table.entries {
        resource_name(check, entry, &places);
        let help = format!("write [resources.{}] and its keys below", entry.key);
        let table = check.table(entry, &help).unwrap_or(&EMPTY);
        let fields = fields(check, &entry.key, &entry.key_span, table);
        places.push(Place { name: &entry.key, span: &entry.key_span, table, fields });
    }
    places
}

fn fields<'a>(
    check: &mut Check,
    resource: &str,
    span: &Span,
    table: &'a Table,
) -> Vec<FieldPlace<'a>> {
    let help = "for example: fields.name = { type = \"string\" }";
    let Some(entry) = table.entry("fields") else {
        check.error(span, format!("`{resource}` has no fields"), help);
        return Vec::new();
    };
    let Some(inner) = check.table(entry, help) else { return Vec::new() };
    if inner.entries.is_empty() {
        check.error(&entry.key_span, format!("`{resource}` has no fields"), help);
    } else if inner.entries.len() > FIELDS_MAX {
        let help = "put what is not filtered or sorted by into one field without a type";
        check.error(span, format!("`{resource}` has more than {FIELDS_MAX} fields"), help);
    }
    let mut places: Vec<FieldPlace<'a>> = Vec::new();
    for entry in &inner.entries {
        field_name(check, entry, &places);
        let table = field_table(check, entry);
        places.push(FieldPlace { name: &entry.key, span: &entry.key_span, table });
    }
    places
}

fn field_table<'a>(check: &mut Check, entry: &'a Entry) -> &'a Table {
    let help = match &entry.node.written {
        Written::Text(kind) => format!("write `{} = {{ type = \"{kind}\" }}`", entry.key),
        _ => format!("write `{} = {{ type = \"string\" }}`", entry.key),
    };
    check.table(entry, &help).unwrap_or(&EMPTY)
}

/// A resource's name is a path segment, a table, and a member of answers.
fn resource_name(check: &mut Check, entry: &Entry, before: &[Place<'_>]) {
    let (name, span) = (entry.key.as_str(), &entry.key_span);
    if !is_written_as_resource(name) {
        let help =
            format!("begin with a letter; then letters, digits, _ and -, at most {NAME_MAX}");
        check.error(span, format!("`{name}` cannot be the name of a resource"), &help);
    } else if RESERVED.contains(&name) {
        let help = format!("reserved are: {}", RESERVED.join(", "));
        check.error(span, format!("`{name}` is a path of the server's own"), &help);
    } else if LIST_MEMBERS.contains(&name) {
        let help = format!("a list answer has its own members: {}", LIST_MEMBERS.join(", "));
        check.error(span, format!("`{name}` is a member of every list answer"), &help);
    } else if name.to_ascii_lowercase().starts_with("sqlite_") {
        check.error(span, format!("`{name}`: the database keeps names that begin so"), "");
    } else if let Some(other) = before.iter().find(|other| other.name.eq_ignore_ascii_case(name)) {
        let message = format!("`{name}` and `{}` differ only in case", other.name);
        check.error(span, message, "tables are named without regard to case: choose another name");
    }
}

/// A field's name is a member, a column and a query parameter.
fn field_name(check: &mut Check, entry: &Entry, before: &[FieldPlace<'_>]) {
    let (name, span) = (entry.key.as_str(), &entry.key_span);
    if let Some(kept) = KEPT.iter().find(|kept| kept.eq_ignore_ascii_case(name)) {
        let help = match *kept {
            "id" => "leave it out; for another kind of id write `id = \"uuid\"` in the resource",
            _ => "leave it out: every record has it",
        };
        check.error(span, format!("`{kept}` is kept by the server"), help);
    } else if !plain(name, |byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        let help = format!("begin with a letter; then letters, digits and _, at most {NAME_MAX}");
        check.error(span, format!("`{name}` cannot be the name of a field"), &help);
    } else if let Some(other) = before.iter().find(|other| other.name.eq_ignore_ascii_case(name)) {
        let message = format!("`{name}` and `{}` differ only in case", other.name);
        check.error(span, message, "columns are named without regard to case: choose another name");
    }
}

/// True where a name begins with a letter, goes on with what is good, and is not too long.
fn plain(name: &str, good: impl Fn(u8) -> bool) -> bool {
    name.len() <= NAME_MAX
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && name.bytes().all(good)
}

/// What stands in the name of a resource.
fn in_resource(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
}

/// True where a name is written as a resource's is.
pub(super) fn is_written_as_resource(name: &str) -> bool {
    plain(name, in_resource)
}

/// True where a name can be a resource's, as long as no other one has it.
pub(crate) fn is_resource_name(name: &str) -> bool {
    is_written_as_resource(name)
        && !RESERVED.contains(&name)
        && !LIST_MEMBERS.contains(&name)
        && !name.to_ascii_lowercase().starts_with("sqlite_")
}

/// True where a name can be a field's.
pub(crate) fn is_field_name(name: &str) -> bool {
    plain(name, |byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(name))
}
