//! What to try: three commands that work as they are, for somebody who has read nothing.

use std::fmt::Write;

use model::model::{Field, IdKind, Kind, Model, Resource, Who};
use serde_json::{Map, Value, json};

use crate::command::shown;
use crate::serve::first_key::Whence;

/// How somebody at the terminal is let in where not everybody is.
pub(crate) struct Access {
    /// Where a key is.
    pub(crate) whence: Whence,
    /// How a command names the project.
    pub(crate) named: String,
    /// How a command names the folder alone.
    pub(crate) dir: String,
}

/// Words at the start of `serve`, for people.
pub(crate) fn tour(model: &Model, base: &str, key: &str, access: &Access) -> String {
    let mut out = String::new();
    // Writing into memory does not fail.
    let _ = writeln!(out, "{} is served at {base}{}", model.title, model.prefix);
    let commands = commands(model, base, key);
    let named = &access.named;
    let first = match &access.whence {
        Whence::File(path) => Some(format!("KEY=$(cat {})", shown(path))),
        Whence::Nowhere => Some(format!("KEY=$(methodical key create {named} --role admin)")),
        Whence::Shown => None,
    };
    if !commands.is_empty() {
        let _ = writeln!(out, "\nTry, in another terminal:\n");
        for command in first.iter().filter(|_| is_any_closed(&commands)).chain(&commands) {
            let _ = writeln!(out, "    {command}");
        }
    }
    let _ = writeln!(
        out,
        "\n`methodical access {}` says who may do what. Ctrl-C finishes what was accepted, and \
         stops.\n",
        access.dir
    );
    out
}

/// True where what the tour says to try takes a key.
pub(crate) fn needs_key(model: &Model) -> bool {
    is_any_closed(&commands(model, "", ""))
}

fn is_any_closed(commands: &[String]) -> bool {
    commands.iter().any(|command| command.contains(BEARER))
}

/// The same in one line, for a log.
pub(crate) fn summary(model: &Model, base: &str) -> String {
    format!("{} is served at {base}{}", model.title, model.prefix)
}

const BEARER: &str = " -H \"Authorization: Bearer $KEY\"";

/// What a command needs to be let in, where not everybody is.
fn bearer(who: Option<&Who>) -> &'static str {
    let is_open = |who: &Who| who.when.is_none() && who.names.iter().any(|name| name == "anyone");
    if who.is_some_and(is_open) { "" } else { BEARER }
}

fn commands(model: &Model, base: &str, key: &str) -> Vec<String> {
    let Some(first) = model.resources.first() else { return Vec::new() };
    let root = format!("{base}{}", model.prefix);
    let read = bearer(first.access.as_ref().and_then(|access| access.read.as_ref()));
    let mut commands = vec![format!("curl -i{read} '{root}/{}?limit=2'", first.name)];
    let sample = model.resources.iter().find_map(|resource| Some((resource, sample(resource)?)));
    if let Some((resource, content)) = sample {
        let create = bearer(resource.access.as_ref().and_then(|access| access.create.as_ref()));
        commands.push(format!(
            "curl -i{create} {root}/{} -H 'Content-Type: application/json' \
             -H 'Idempotency-Key: {key}' -d '{content}'",
            resource.name
        ));
    }
    commands.push(format!("curl -i -X OPTIONS {root}/{}", first.name));
    commands
}

/// The smallest record that fits, if one can be made up that refers to no other.
fn sample(resource: &Resource) -> Option<String> {
    let mut members = Map::new();
    if resource.id == IdKind::Text {
        members.insert("id".to_owned(), json!("first"));
    }
    for field in &resource.fields {
        if field.optional || field.default.is_some() || field.read_only {
            continue;
        }
        if field.references.is_some() {
            return None;
        }
        members.insert(field.name.clone(), value(field)?);
    }
    // A record without members shows nothing.
    let text = Value::Object(members).to_string();
    (text != "{}" && !text.contains('\'')).then_some(text)
}

/// A value that fits a field: an example of its schema, or the first of some usual ones.
fn value(field: &Field) -> Option<Value> {
    let source = field.schema.source();
    let listed = ["examples", "enum"].into_iter().filter_map(|keyword| source.get(keyword));
    let listed = listed.filter_map(|list| list.as_array()?.first().cloned());
    let usual = match field.kind {
        Kind::Text => vec![
            json!("hello"),
            json!("Hello, world"),
            json!("someone@example.org"),
            json!("2026-01-31"),
            json!("2026-01-31T10:30:00Z"),
            json!("10:30:00Z"),
            json!("https://example.org/"),
            json!("0192e4a0-7c3e-7a10-8b9c-2f1d3e4a5b6c"),
            json!("AB"),
            json!("1"),
        ],
        Kind::Integer | Kind::Number => [1, 10, 100, 1000, 0, -1].map(|n| json!(n)).to_vec(),
        Kind::Boolean => vec![json!(true)],
        Kind::Json => vec![json!({"hello": "world"}), json!(["hello"]), json!([])],
    };
    listed.chain(usual).find(|value| field.schema.fits(value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Access, sample, tour};
    use crate::serve::first_key::Whence;
    use model::declaration;

    fn access(whence: Whence) -> Access {
        let (named, dir) = ("notes --database x.db".to_owned(), "notes".to_owned());
        Access { whence, named, dir }
    }

    #[test]
    fn a_tour_has_three_commands() {
        let text = "title = \"Notes\"\n[resources.notes]\n\
            fields.email = { type = \"string\", format = \"email\" }\n\
            fields.kind = { enum = [\"b\", \"a\"] }\n\
            fields.size = { type = \"integer\", minimum = 7 }\n\
            fields.day = { type = \"string\", format = \"date\" }\n\
            fields.text = { type = \"string\", optional = true }\n";
        let model = declaration::read(text).model.unwrap();
        let told = |whence| {
            let key = "0192e4a0-7c3e-7a10-8b9c-2f1d3e4a5b6c";
            tour(&model, "http://127.0.0.1:1", key, &access(whence))
        };
        let tour = told(Whence::Nowhere);
        assert_eq!(tour.matches("curl -i").count(), 3, "{tour}");
        assert_eq!(tour.matches("Bearer $KEY").count(), 2, "what declares nothing is for admins");
        let line = "    KEY=$(methodical key create notes --database x.db --role admin)\n";
        assert!(tour.contains(line), "{tour}");
        assert!(tour.contains("`methodical access notes`"), "{tour}");
        let tour = told(Whence::File("a b/admin.key".into()));
        assert!(tour.contains("    KEY=$(cat 'a b/admin.key')\n"), "{tour}");
        assert!(!told(Whence::Shown).contains("KEY="), "it was shown above");
        assert!(super::needs_key(&model));
        let line = super::summary(&model, "http://127.0.0.1:1");
        assert_eq!(line, "Notes is served at http://127.0.0.1:1/api");
        let sample = sample(&model.resources[0]).unwrap();
        let expected = r#"{"email":"someone@example.org","kind":"b","size":10,"day":"2026-01-31"}"#;
        assert_eq!(sample, expected);
    }

    #[test]
    fn what_cannot_be_made_up_is_left_out() {
        let text = "title = \"T\"\n[resources.a]\n\
            fields.b = { type = \"string\", pattern = \"^x{20}$\" }\n";
        let model = declaration::read(text).model.unwrap();
        assert_eq!(sample(&model.resources[0]), None);
        let tour = tour(&model, "http://127.0.0.1:1", "k", &access(Whence::Nowhere));
        assert_eq!(tour.matches("curl -i").count(), 2);
    }

    #[test]
    fn what_is_open_takes_no_key() {
        let text = "title = \"T\"\n[resources.a]\n\
            access = { read = \"anyone\", create = \"anyone\" }\n\
            fields.b = { type = \"string\" }\n";
        let model = declaration::read(text).model.unwrap();
        assert!(!super::needs_key(&model));
        let tour = tour(&model, "http://127.0.0.1:1", "k", &access(Whence::Nowhere));
        assert!(!tour.contains("KEY"), "{tour}");
    }
}
