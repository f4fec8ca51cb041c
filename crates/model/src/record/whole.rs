//! Records with all that is kept of them, as the operator moves them: ids, times, versions and, if
//! wanted, secrets. The members that no client ever sees begin with `_`, as no field can.

use super::csv::Line;
use super::write::{write_name, write_text, write_value};
use super::{Record, Version};
use crate::model::{Field, Resource};
use crate::value::Value;

/// The member that says which state of which life a record is in.
pub const VERSION: &str = "_version";
/// The member that names the resource, in a line of several resources.
pub const RESOURCE: &str = "_resource";
/// The member that says what was wrong with a line. It means nothing when it is read again.
pub const FAULT: &str = "_fault";
/// What the member with the hash of a password begins with; the name of its field follows.
const HASH: &str = "_hash_";

/// Whether fields are moved that nobody is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are left out.
    Left,
    /// They are written too; of passwords their hashes.
    Written,
}

/// The member that holds a field: of a password it is the hash that is kept.
#[must_use]
pub fn member(field: &Field) -> String {
    if field.password { format!("{HASH}{}", field.name) } else { field.name.clone() }
}

/// The password field whose hash a member of this name holds.
#[must_use]
pub fn hashed<'a>(resource: &'a Resource, name: &str) -> Option<&'a Field> {
    let (_, field) = resource.field(name.strip_prefix(HASH)?)?;
    field.password.then_some(field)
}

impl Version {
    /// The version as a member holds it.
    #[must_use]
    pub fn text(self) -> String {
        format!("{}-{}", self.birth, self.counter)
    }

    /// Reads what `text` wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i64>().ok().filter(|_| plain)
        };
        let (birth, counter) = text.split_once('-')?;
        let (birth, counter) = (number(birth)?, number(counter)?);
        (counter > 0).then_some(Self { birth, counter })
    }
}

fn written(resource: &Resource, secrets: Secrets) -> impl Iterator<Item = (usize, &Field)> {
    let wanted = move |field: &Field| field.visible() || secrets == Secrets::Written;
    resource.fields.iter().enumerate().filter(move |(_, field)| wanted(field))
}

/// Writes a record as a JSON object, with the name of its resource if it stands among others.
pub fn write_json(
    out: &mut Vec<u8>,
    resource: &Resource,
    record: &Record,
    secrets: Secrets,
    among: Option<&str>,
) {
    out.push(b'{');
    let start = out.len();
    if let Some(name) = among {
        write_name(out, start, RESOURCE);
        write_text(out, name);
    }
    write_name(out, start, "id");
    write_value(out, &record.id.to_value());
    for (index, field) in written(resource, secrets) {
        if let Some(Some(value)) = record.values.get(index) {
            if field.password {
                write_name(out, start, &member(field));
            } else {
                write_name(out, start, &field.name);
            }
            write_value(out, value);
        }
    }
    for (name, moment) in [("createdAt", record.created_at), ("updatedAt", record.updated_at)] {
        write_name(out, start, name);
        out.push(b'"');
        moment.write(out);
        out.push(b'"');
    }
    write_name(out, start, VERSION);
    write_text(out, &record.version.text());
    out.push(b'}');
}

/// Writes the first line of CSV: the names of the members.
pub fn write_names(out: &mut Vec<u8>, resource: &Resource, secrets: Secrets) {
    let mut line = Line::begin(out);
    line.text("id");
    for (_, field) in written(resource, secrets) {
        line.text(&member(field));
    }
    for name in ["createdAt", "updatedAt", VERSION] {
        line.text(name);
    }
    line.end();
}

/// Writes a record as a line of CSV.
pub fn write_line(out: &mut Vec<u8>, resource: &Resource, record: &Record, secrets: Secrets) {
    let mut line = Line::begin(out);
    line.value(Some(&record.id.to_value()));
    for (index, _) in written(resource, secrets) {
        line.value(record.values.get(index).and_then(Option::as_ref));
    }
    let kept = [record.created_at.text(), record.updated_at.text(), record.version.text()];
    kept.into_iter().for_each(|text| line.value(Some(&Value::Text(text))));
    line.end();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Secrets, write_json, write_line, write_names};
    use crate::model::Model;
    use crate::record::{self, Purpose, Record, Version};
    use crate::rows::{Cutter, Form};
    use crate::value::{Id, Timestamp, Value};
    use contract::problem::Place;

    const DECLARATION: &str = r#"
title = "T"
[resources.people]
login = ["once"]
fields.name = { type = "string", optional = true }
fields.note = { type = ["string", "null"] }
fields.any = { optional = true }
fields.tags = { type = "array", items = { type = "string" }, optional = true }
fields.big = { type = "integer", format = "int64" }
fields.origin = { type = "string", readOnly = true, default = "lab" }
fields.once = { type = "string", immutable = true, unique = true, optional = true }
fields.secret = { type = "string", secret = true, optional = true }
fields.password = { type = "string", format = "password", minLength = 8 }
"#;

    fn model() -> Model {
        let reading = crate::declaration::read(DECLARATION);
        reading.model.unwrap_or_else(|| panic!("{:?}", reading.complaints))
    }

    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.to_owned()))
    }

    fn people() -> Vec<Record> {
        let hash = text("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA");
        let json = |text: &str| Some(Value::Json(text.to_owned()));
        let record = |id, values: Vec<Option<Value>>| Record {
            id: Id::Integer(id),
            version: Version { birth: i64::MAX - id, counter: 7 },
            created_at: Timestamp(1),
            updated_at: Timestamp(1_790_000_000_123),
            values,
        };
        let big = Some(Value::Integer(i64::MIN));
        vec![
            record(
                9,
                vec![
                    text("A, \"B\"\n"),
                    text(""),
                    json(r#"{"a":[1,null]}"#),
                    json(r#"["x"]"#),
                    big.clone(),
                    text("set"),
                    text("x"),
                    text("s3"),
                    hash.clone(),
                ],
            ),
            record(
                4,
                vec![
                    None,
                    Some(Value::Null),
                    json("null"),
                    None,
                    big,
                    text("lab"),
                    None,
                    None,
                    hash,
                ],
            ),
        ]
    }

    fn read(content: &[u8], form: Form) -> Vec<Record> {
        let model = model();
        let resource = &model.resources[0];
        let mut cutter = Cutter::of_operator(form, resource, 1 << 20);
        cutter.feed(content);
        cutter.end();
        let mut read = Vec::new();
        while let Some(row) = cutter.next().unwrap() {
            let document = row.document.unwrap();
            let draft = record::read(&model, resource, &document, Purpose::Whole).unwrap();
            assert_eq!(draft.hashed, [8]);
            read.push(Record {
                id: draft.id.unwrap(),
                version: draft.version.unwrap(),
                created_at: draft.created_at.unwrap(),
                updated_at: draft.updated_at.unwrap(),
                values: draft.values,
            });
        }
        read
    }

    #[test]
    fn what_is_written_with_secrets_is_read_again_value_for_value() {
        let model = model();
        let resource = &model.resources[0];
        let (mut lines, mut cells) = (Vec::new(), Vec::new());
        write_names(&mut cells, resource, Secrets::Written);
        for record in people() {
            write_json(&mut lines, resource, &record, Secrets::Written, Some("people"));
            lines.push(b'\n');
            write_line(&mut cells, resource, &record, Secrets::Written);
        }
        assert_eq!(read(&lines, Form::Lines), people());
        assert_eq!(read(&cells, Form::Cells), people());
    }

    #[test]
    fn without_secrets_nothing_hidden_is_written() {
        let model = model();
        let mut out = Vec::new();
        write_names(&mut out, &model.resources[0], Secrets::Left);
        write_line(&mut out, &model.resources[0], &people()[0], Secrets::Left);
        write_json(&mut out, &model.resources[0], &people()[0], Secrets::Left, None);
        let written = String::from_utf8(out).unwrap();
        assert!(!written.contains("s3") && !written.contains("argon2"), "{written}");
        assert!(!written.contains("secret") && !written.contains("password"), "{written}");
    }

    #[test]
    fn members_of_the_operator_are_checked_and_are_nobody_elses() {
        let model = model();
        let resource = &model.resources[0];
        let faults = |members: &str, purpose: Purpose<'_>| {
            let text = format!("{{\"big\":1,\"note\":null{members}}}");
            let document = crate::json::parse(text.as_bytes()).unwrap();
            let read = record::read(&model, resource, &document, purpose);
            let faults = read.map_or_else(|rejection| rejection.violations, |_| Vec::new());
            faults
                .into_iter()
                .map(|fault| match fault.place {
                    Place::Pointer(pointer) => pointer,
                    place => format!("{place:?}"),
                })
                .collect::<Vec<_>>()
        };
        let good = ",\"_fault\":{},\"_resource\":\"people\",\"password\":\"plain text\"";
        assert_eq!(faults(good, Purpose::Whole), [""; 0]);
        assert_eq!(faults("", Purpose::Whole), ["/password"]);
        assert_eq!(faults(",\"_hash_password\":\"plain\"", Purpose::Whole), ["/_hash_password"]);
        let hash = ",\"_hash_password\":\"$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA\"";
        assert_eq!(faults(hash, Purpose::Whole), [""; 0]);
        let both = format!("{hash},\"password\":\"plain text\"");
        assert_eq!(faults(&both, Purpose::Whole), ["/password"]);
        for bad in ["\"1\"", "\"1-0\"", "\"-1-1\"", "\"1-1-1\"", "1", "\"9223372036854775808-1\""] {
            let version = format!("{hash},\"_version\":{bad}");
            assert_eq!(faults(&version, Purpose::Whole), ["/_version"], "{bad}");
        }
        let version = format!("{good},\"_version\":\"1-1\"");
        assert_eq!(faults(&version, Purpose::Create), ["/_fault", "/_resource", "/_version"]);
        assert_eq!(faults(hash, Purpose::Create), ["/password", "/_hash_password"]);
        assert_eq!(faults(&version, Purpose::Seed), ["/_fault", "/_resource", "/_version"]);
    }
}
