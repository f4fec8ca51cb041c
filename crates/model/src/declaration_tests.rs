//! What faulty declarations are told, and what sound ones mean.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::complaint::{position, render};
use crate::model::{CacheLife, Field, IdKind, Kind, OnDelete, Resource};
use crate::query::{Column, Sort};
use crate::record::{self, Purpose};
use crate::setting::{SETTINGS, Settings};
use crate::value::Value;

const SHOP: &str = include_str!("../../../examples/shop/methodical.toml");
const TEMPLATES: [&str; 2] = [
    include_str!("../../methodical/src/template/minimal.toml"),
    include_str!("../../methodical/src/template/shop.toml"),
];
const FAULTS: &str = include_str!("../tests/faults.txt");

fn cases() -> Vec<(&'static str, &'static str)> {
    let cases = FAULTS.split("====\n").skip(1);
    cases.map(|case| case.split_once("\n----\n").unwrap()).collect()
}

/// Complaints as the file of faults writes them.
fn written(text: &str, complaints: &[Complaint]) -> String {
    let mut out = String::new();
    for complaint in complaints {
        let message = &complaint.message;
        let (line, column) = position(text, complaint.span.start);
        let level = format!("{:?}", complaint.level).to_lowercase();
        out.push_str(&format!("{level} {line}:{column} {message}\n"));
        for line in complaint.help.iter().flat_map(|help| help.lines()) {
            out.push_str(format!("    {line}").trim_end());
            out.push('\n');
        }
    }
    out
}

#[test]
fn each_fault_is_named_with_its_place_and_what_to_write_instead() {
    let cases = cases();
    assert!(cases.len() > 190);
    for (text, expected) in cases {
        let reading = read(text);
        assert_eq!(written(text, &reading.complaints), expected, "\n{text}");
        let sound = reading.complaints.iter().all(|complaint| complaint.level != Level::Error);
        assert_eq!(reading.model.is_some(), sound, "\n{text}");
        assert!(!render(&reading.complaints, text, "methodical.toml", true).contains("panicked"));
    }
}

#[test]
fn every_key_has_a_faulty_declaration() {
    let keys =
        crate::check::field_keys().into_iter().chain(crate::check::RESOURCE_KEYS.iter().copied());
    let ours = keys.filter(|key| !crate::schema::keywords().any(|keyword| keyword == *key));
    let settings =
        ["database", "listen", "log.", "limits.", "timeouts", "reads.", "writes.", "keys."];
    for key in ours.chain(crate::check::TOP_KEYS.iter().copied()).chain(settings) {
        assert!(cases().iter().any(|(text, _)| text.contains(key)), "{key}");
    }
}

fn model(text: &str) -> Model {
    let reading = read(text);
    reading.model.unwrap_or_else(|| panic!("{}", render(&reading.complaints, text, "x", false)))
}

fn resource<'a>(model: &'a Model, name: &str) -> &'a Resource {
    model.resources.iter().find(|resource| resource.name == name).unwrap()
}

fn field<'a>(resource: &'a Resource, name: &str) -> &'a Field {
    resource.field(name).unwrap().1
}

/// A resource with one field, as it is written.
fn one(written: &str) -> Field {
    model(&format!("[resources.notes]\nfields.it = {written}\n")).resources[0].fields[0].clone()
}

#[test]
fn the_shop_and_the_templates_are_sound_and_say_only_what_anyone_may_do() {
    for text in TEMPLATES.into_iter().chain([SHOP]) {
        let reading = read(text);
        let shown = render(&reading.complaints, text, "methodical.toml", false);
        let open = |it: &&Complaint| it.message.starts_with("anyone may create records of ");
        let open: Vec<_> = reading.complaints.iter().filter(open).cloned().collect();
        assert_eq!(reading.complaints, open, "{shown}");
        assert!(open.len() <= 1 && open.iter().all(|it| it.level == Level::Note), "{shown}");
        assert!(reading.model.is_some(), "{shown}");
        assert!(text.lines().all(|line| !line.ends_with(' ')));
    }
    let after = |text: &'static str| text.split_once("\ntitle = ").unwrap().1;
    assert_eq!(after(SHOP), after(TEMPLATES[1]), "the template is the example");
}

#[test]
fn the_shop_means_what_the_article_needs() {
    let shop = model(SHOP);
    assert_eq!((shop.title.as_str(), shop.prefix.as_str()), ("Shop", "/api"));
    assert_eq!(shop.alias, [""]);
    assert_eq!(shop.seed.as_deref(), Some("seed/"));
    assert_eq!(shop.ignore_parameters, ["_", "utm_*", "fbclid", "gclid", "msclkid"]);
    let names: Vec<_> = shop.resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["users", "products", "orders", "messages", "data", "payments"]);
    let users = resource(&shop, "users");
    let names: Vec<_> = users.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["name", "email", "username", "password", "role"]);
    assert!(!field(users, "email").unique, "the article creates one Charlie four times");
    assert!(field(users, "name").ignore_case, "?name=alice finds Alice");
    assert!(field(users, "username").optional && field(users, "username").unique);
    let password = field(users, "password");
    assert!(password.password && password.write_only && !password.visible());
    assert_eq!(field(users, "role").default, Some(Value::Text("customer".to_owned())));
    assert_eq!(users.login, [2]);
    assert_eq!(users.search, [0, 1]);
    let life = CacheLife { public: true, max_age_s: Some(60) };
    assert_eq!(resource(&shop, "products").cache, Some(life));
    let orders = resource(&shop, "orders");
    let customer = field(orders, "customer").references.unwrap();
    assert_eq!((customer.resource, customer.on_delete), (0, OnDelete::Restrict));
    assert_eq!(field(orders, "customer").kind, Kind::Integer);
    assert_eq!(field(orders, "quantity").default, Some(Value::Integer(1)));
    assert_eq!(field(resource(&shop, "data"), "value").kind, Kind::Json);
    assert!(resource(&shop, "payments").key_required);
    let access = orders.access.as_ref().unwrap();
    assert_eq!(access.create.as_ref().unwrap().names, ["anyone"]);
    assert_eq!(access.update, None);
}

#[test]
fn a_type_decides_the_kind() {
    for (written, kind, nullable) in [
        ("{ type = \"string\" }", Kind::Text, false),
        ("{ type = [\"string\", \"null\"] }", Kind::Text, true),
        ("{ type = \"integer\", format = \"int64\" }", Kind::Integer, false),
        ("{ type = [\"integer\", \"number\"] }", Kind::Number, false),
        ("{ type = \"boolean\" }", Kind::Boolean, false),
        ("{ type = \"array\" }", Kind::Json, false),
        ("{ type = [\"object\", \"null\"] }", Kind::Json, true),
        ("{ type = [\"string\", \"integer\"] }", Kind::Json, false),
        ("{}", Kind::Json, true),
        ("{ optional = true }", Kind::Json, false),
        ("{ enum = [\"a\", \"b\"] }", Kind::Text, false),
        ("{ enum = [1, 2] }", Kind::Integer, false),
        ("{ enum = [1, \"b\"] }", Kind::Json, true),
        ("{ const = true }", Kind::Boolean, false),
        ("{ references = \"notes\", type = [\"integer\", \"null\"] }", Kind::Integer, true),
    ] {
        let field = one(written);
        assert_eq!((field.kind, field.nullable), (kind, nullable), "{written}");
    }
}

#[test]
fn a_default_is_of_the_kind_of_its_field() {
    for (written, value) in [
        ("{ type = \"number\", default = 3 }", Value::Number(3.0)),
        ("{ type = \"integer\", default = 3.0 }", Value::Integer(3)),
        ("{ type = \"boolean\", default = false }", Value::Boolean(false)),
        ("{ type = \"string\", default = \"\" }", Value::Text(String::new())),
        ("{ type = \"string\", default = 2026-02-06 }", Value::Text("2026-02-06".to_owned())),
        ("{ default = { b = 1, a = [] } }", Value::Json("{\"b\":1,\"a\":[]}".to_owned())),
    ] {
        assert_eq!(one(written).default, Some(value), "{written}");
    }
}

#[test]
fn a_reference_takes_ids_of_what_it_refers_to() {
    for (id, kind, good, bad) in [
        ("integer", Kind::Integer, serde_json::json!(7), serde_json::json!(0)),
        ("uuid", Kind::Text, "0190163d-8694-739b-aea5-966c26f8ad91".into(), "7".into()),
        ("text", Kind::Text, "a.b~c".into(), "a/b".into()),
    ] {
        let text = format!(
            "[resources.a]\nfields.b = {{ references = \"b\", onDelete = \"cascade\" }}\n\
             [resources.b]\nid = \"{id}\"\nfields.c = {{}}\n"
        );
        let model = model(&text);
        let field = &model.resources[0].fields[0];
        assert_eq!(field.kind, kind);
        assert_eq!(field.references.unwrap().on_delete, OnDelete::Cascade);
        let faults = |value| {
            let mut out = Vec::new();
            field.schema.check(&value, "", &mut out);
            out.len()
        };
        assert_eq!((faults(good), faults(bad) > 0), (0, true), "{id}");
    }
}

#[test]
fn keys_of_a_resource_are_read() {
    let model = model(
        "prefix = \"/\"\nalias = [\"/api/v1\", \"/old\"]\nignore_parameters = [\"ref\"]\n\
         [resources.notes]\ndescription = \"Notes.\"\nid = \"uuid\"\nput = \"upsert\"\n\
         preconditions = \"required\"\nidempotency = \"optional\"\ncache = \"no-cache\"\n\
         unique = [[\"a\", \"b\"]]\nindex = [[\"b\", \"updatedAt\"]]\n\
         sort = [\"-b\", \"-updatedAt\"]\naccess = { write = \"admin\" }\n\
         fields.b = { type = \"string\", was = \"c\", immutable = true }\n\
         fields.a = { type = \"string\", secret = false }\n",
    );
    assert_eq!(model.prefix, "");
    assert_eq!(model.alias, ["/api/v1", "/old"]);
    assert_eq!(model.ignore_parameters, ["ref"]);
    let notes = &model.resources[0];
    assert_eq!((notes.id, notes.upsert, notes.key_required), (IdKind::Uuid, true, false));
    assert!(notes.preconditions_required && notes.creates_by_put());
    assert_eq!(notes.cache, Some(CacheLife { public: false, max_age_s: None }));
    assert_eq!(notes.unique, [[1, 0]]);
    assert_eq!(notes.index, [[Column::Field(0), Column::UpdatedAt]]);
    let keys = [Column::Field(0), Column::UpdatedAt];
    assert_eq!(notes.sort, keys.map(|column| Sort { column, descending: true }));
    assert_eq!(notes.fields[0].was.as_deref(), Some("c"));
    assert!(notes.fields[0].immutable);
    let access = notes.access.as_ref().unwrap();
    assert!(access.read.is_none() && access.create.is_some() && access.delete.is_some());
}

#[test]
fn settings_come_with_their_places() {
    let text = "listen = \"127.0.0.1:${PORT}\"\n[limits]\npage = 50\n\
                [resources.a]\nfields.b = {}\n";
    let reading = read(text);
    assert!(reading.model.is_some());
    let keys: Vec<_> = reading.settings.iter().map(|(key, ..)| key.as_str()).collect();
    assert_eq!(keys, ["listen", "limits.page"]);
    assert_eq!(&text[reading.settings[1].2.clone()], "50");
    let mut settings = Settings::default();
    let complaints = settings.apply(&reading.settings, &|_| Some("9000".to_owned()));
    assert!(complaints.is_empty());
    assert_eq!(settings.listen, "127.0.0.1:9000");
    assert_eq!(settings.page_rows_max, 50);
    let complaints = settings.apply(&reading.settings, &|_| None);
    assert_eq!(complaints[0].message, "`listen`: the variable PORT is not set");
}

#[test]
fn a_digest_changes_with_what_it_covers_and_with_nothing_else() {
    let base = "[resources.a]\nfields.x = { type = \"string\", maxLength = 9 }\n\
                fields.y = { type = \"integer\", default = 1 }\n\
                [resources.b]\nfields.z = { references = \"a\" }\n";
    let digests = |text: &str| {
        let model = model(text);
        (model.table_digest(), model.resources.iter().map(|r| r.digest.clone()).collect::<Vec<_>>())
    };
    let (tables, shown) = digests(base);
    assert_eq!(tables.len(), 16);
    assert!(shown.iter().all(|digest| digest.len() == 16) && shown[0] != shown[1]);
    // What is replaced; whether the tables change; whether what is shown of `a` changes.
    for (from, to, table, face) in [
        ("maxLength = 9", "maxLength = 8", true, false),
        ("maxLength = 9", "maxLength = 9, description = \"x\"", false, false),
        ("maxLength = 9", "maxLength = 9, format = \"email\"", true, true),
        ("maxLength = 9", "maxLength = 9, ignoreCase = true", true, false),
        ("maxLength = 9", "maxLength = 9, unique = true", true, false),
        ("maxLength = 9", "maxLength = 9, index = true", true, false),
        ("maxLength = 9", "maxLength = 9, optional = true", true, true),
        ("maxLength = 9", "maxLength = 9, writeOnly = true", false, true),
        ("maxLength = 9", "maxLength = 9, immutable = true", false, false),
        ("default = 1", "default = 2", true, true),
        ("fields.y", "fields.w", true, true),
        ("\"integer\"", "\"number\"", true, true),
        ("[resources.a]\n", "[resources.a]\nid = \"uuid\"\n", true, true),
        ("[resources.a]\n", "[resources.a]\nunique = [[\"x\", \"y\"]]\n", true, false),
        ("[resources.a]\n", "[resources.a]\nindex = [[\"x\", \"updatedAt\"]]\n", true, false),
        ("[resources.a]\n", "[resources.a]\nsort = \"-id\"\n", false, true),
        ("[resources.a]\n", "[resources.a]\nsearch = [\"x\"]\n", true, false),
        ("[resources.a]\n", "[resources.a]\ncache = \"max-age=5\"\n", false, false),
        ("references = \"a\"", "references = \"a\", onDelete = \"cascade\"", true, false),
        ("[resources.a]", "title = \"Other\"\nprefix = \"/x\"\n[resources.a]", false, false),
    ] {
        let (other, faces) = digests(&base.replacen(from, to, 1));
        assert_eq!(other != tables, table, "tables: {to}");
        assert_eq!(faces[0] != shown[0], face, "shown: {to}");
    }
    let swapped = "[resources.b]\nfields.z = { references = \"a\" }\n\
                   [resources.a]\nfields.y = { default = 1, type = \"integer\" }\n\
                   fields.x = { maxLength = 9, type = \"string\" }\n";
    let (other, faces) = digests(swapped);
    assert_eq!(other, tables, "order is no matter of tables");
    assert_ne!(faces[1], shown[0], "order is a matter of what is shown");
    let searched = |fields: &str| {
        let text = "fields.x.type = \"string\"\nfields.y.type = \"string\"\n";
        digests(&format!("[resources.a]\nsearch = {fields}\n{text}")).0
    };
    assert_eq!(searched(r#"["x", "y"]"#), searched(r#"["y", "x"]"#), "nor of what is searched");
    assert_ne!(searched(r#"["x"]"#), searched(r#"["y"]"#));
}

#[test]
fn odd_texts_do_not_break_the_reader() {
    let nested = format!("x = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let dotted = format!("{} = 1", "a.".repeat(50_000) + "a");
    let mut inner = String::from("1");
    for _ in 0..12 {
        inner = format!("{{ {}z = {inner} }}", "a.".repeat(60));
    }
    let large = "#".repeat(5 << 20);
    for text in [nested, dotted, format!("x = {inner}"), large, "\u{feff}title = 1".to_owned()] {
        assert!(read(&text).model.is_none());
    }
    // Cut anywhere, and with a byte taken out anywhere.
    for at in (0..SHOP.len()).filter(|at| SHOP.is_char_boundary(*at)).step_by(7) {
        for text in [SHOP[..at].to_owned(), format!("{}{}", &SHOP[..at], &SHOP[at + 1..])] {
            let reading = read(&text);
            let _ = render(&reading.complaints, &text, "x", false);
        }
    }
}

#[test]
fn the_reference_names_every_key() {
    let text = include_str!("../../../docs/DECLARATION.md");
    for key in crate::check::TOP_KEYS.iter().chain(crate::check::RESOURCE_KEYS) {
        assert!(text.contains(&format!("`{key}`")), "{key}");
    }
    for key in crate::check::field_keys() {
        assert!(text.contains(&format!("`{key}`")), "{key}");
    }
    assert!(SETTINGS.iter().all(|setting| setting.key.matches('.').count() < 2));
    // The examples work: each block of TOML is a declaration, or the fields of one.
    let rules = include_str!("../../../docs/RULES.md");
    let blocks = |text: &'static str| text.split("```toml\n").skip(1);
    for block in blocks(text).chain(blocks(rules)) {
        let block = block.split("```").next().unwrap();
        let whole = if block.contains("[resources.") {
            block.to_owned()
        } else {
            format!("{block}\n[resources.example]\nfields.text = {{ type = \"string\" }}\n")
        };
        model(&whole);
    }
}

#[test]
fn the_rules_that_are_often_wanted_are_rules() {
    let world = r#"
[resources.users]
login = ["name"]
fields.name = { type = "string", unique = true }
fields.password = { type = "string", format = "password" }
fields.role = { type = "string", enum = ["manager", "admin"], optional = true }
fields.department = { type = "string", optional = true }
fields.locked = { type = "boolean", default = false }
[resources.orders]
fields.customer = { references = "users" }
[resources.projects]
fields.closed = { type = "boolean", default = false }
[resources.things]
fields.author = { references = "users", optional = true }
fields.order = { references = "orders" }
fields.project = { references = "projects" }
fields.status = { enum = ["draft", "ready"] }
fields.public = { type = "boolean", default = false }
fields.department = { type = "string" }
fields.audience = { type = "string", optional = true }
fields.until = { type = "string", format = "date-time", pattern = "Z$", optional = true }
"#;
    let model = model(world);
    let rules = include_str!("../../../docs/RULES.md");
    let table = rules.split("## Rules that are often wanted").nth(1).unwrap();
    let mut seen = 0;
    for line in table.lines().filter(|line| line.starts_with("| ")).skip(2) {
        let rule = line.replace("\\|", "\u{1}");
        let rule = rule.split('|').nth(3).unwrap().replace('\u{1}', "|");
        let rule = rule.trim().trim_matches('`');
        let reading = crate::access::Rule::read(&model, 3, rule);
        assert!(reading.errors.is_empty() && reading.doubts.is_empty(), "{rule}: {reading:?}");
        seen += 1;
    }
    assert!(seen > 7);
}

fn seed(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_seed_fits_the_shop_and_gives_the_numbers_of_the_article() {
    let shop = model(SHOP);
    let files = [
        ("users", include_str!("../../../examples/shop/seed/users.ndjson")),
        ("products", include_str!("../../../examples/shop/seed/products.ndjson")),
        ("orders", include_str!("../../../examples/shop/seed/orders.ndjson")),
        ("messages", include_str!("../../../examples/shop/seed/messages.ndjson")),
        ("data", include_str!("../../../examples/shop/seed/data.ndjson")),
    ];
    for (name, text) in files {
        let resource = resource(&shop, name);
        for (at, record) in seed(text).iter().enumerate() {
            let members = record.as_object().unwrap();
            assert_eq!(members["id"], at + 1, "{name}: ids without gaps");
            for (member, value) in members.iter().filter(|(member, _)| *member != "id") {
                let to = field(resource, member).references.map(|to| to.resource);
                let target = to.map(|to| files.iter().find(|f| f.0 == shop.resources[to].name));
                if let Some(Some((_, text))) = target {
                    assert!(value.as_u64().unwrap() <= text.lines().count() as u64, "{record}");
                }
            }
            let read = record::read(&shop, resource, record, Purpose::Seed);
            assert!(read.is_ok(), "{name} {record}: {read:?}");
        }
    }
    let users = seed(files[0].1);
    assert_eq!(users.len(), 42);
    let mut names: Vec<_> = users.iter().map(|user| user["name"].as_str().unwrap()).collect();
    assert_eq!(
        (users[0]["email"].as_str(), users[1]["email"].as_str()),
        (Some("alice@example.com"), Some("bob@example.com"))
    );
    assert_eq!(users[0]["password"], "secret123");
    names.sort_by_key(|name| crate::fold::fold(name));
    assert_eq!(names[..2], ["Alice", "Bob"]);
    assert_eq!(names.iter().filter(|name| crate::fold::fold(name) == "alice").count(), 1);
    let electronics = seed(files[1].1).into_iter().filter(|p| p["category"] == "electronics");
    assert!(electronics.count() > 20, "?category=electronics&page=2 has something to show");
}
