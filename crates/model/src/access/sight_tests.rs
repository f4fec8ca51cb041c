//! What callers may see and do: the expected answers are written by hand.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::Sight;
use crate::access::Caller;
use crate::declaration;
use crate::model::{Field, Model, Shown};
use crate::query::{Column, Filter, Seen};
use crate::record::{Record, Version};
use crate::value::{Id, Timestamp, Value};

const TEXT: &str = r#"
roles = ["robot"]
[resources.users]
login = ["name"]
access = { read = "signed-in", create = "anyone", update = ["owner"] }
fields.name = { type = "string", unique = true }
fields.password = { type = "string", format = "password" }
fields.role = { enum = ["reader", "editor", "admin"], default = "reader", write = "admin" }
fields.phone = { type = "string", optional = true, read = ["owner", "robot"] }

[resources.notes]
access.read = { who = "anyone", when = "record.public || record.author == caller.id" }
access.create = "signed-in"
access.write = { who = ["owner", "editor"], when = "record.until > now" }
fields.author = { references = "users", owner = true, optional = true }
fields.public = { type = "boolean", default = false }
fields.until = { type = "string", format = "date-time", pattern = "Z$", optional = true }
fields.remark = { type = "string", optional = true, read = "editor", write = "editor" }

[resources.logs]
fields.text = { type = "string" }

[resources.pages]
access.read = "anyone"
fields.text = { type = "string" }
"#;

const NOW: Timestamp = Timestamp(1_770_373_800_000);
const USERS: usize = 0;
const NOTES: usize = 1;
const LOGS: usize = 2;
const PAGES: usize = 3;

fn model() -> Arc<Model> {
    let reading = declaration::read(TEXT);
    Arc::new(reading.model.unwrap_or_else(|| panic!("{:?}", reading.complaints)))
}

fn user(model: &Model, id: i64, role: &str) -> Caller {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    Caller::user(model, Arc::new(record(id, vec![text("n"), text("hash"), text(role), None])))
}

fn key(roles: &[&str]) -> Caller {
    Caller::Key { id: 1, roles: roles.iter().map(|role| (*role).to_owned()).collect() }
}

fn record(id: i64, values: Vec<Option<Value>>) -> Record {
    let version = Version { birth: 1, counter: 1 };
    Record { id: Id::Integer(id), version, created_at: NOW, updated_at: NOW, values }
}

/// A note of this author, public or not, until this moment.
fn note(author: i64, public: bool, until: &str) -> Record {
    let until = (!until.is_empty()).then(|| Value::Text(until.to_owned()));
    let author = Some(Value::Integer(author));
    record(9, vec![author, Some(Value::Boolean(public)), until, None])
}

fn field<'a>(model: &'a Model, resource: usize, name: &str) -> &'a Field {
    model.resources[resource].field(name).unwrap().1
}

fn holds(model: &Model, filter: &Filter, note: &Record) -> bool {
    filter.holds(model, NOTES, Seen::alone(note))
}

#[test]
fn whoever_may_everything_sees_the_whole_declaration() {
    let model = model();
    for caller in [Caller::Operator, key(&["robot", "admin"]), user(&model, 1, "admin")] {
        let sight = Sight::new(&model, caller, NOW);
        assert!(Arc::ptr_eq(&sight.model, &model));
        assert!(!sight.is_timed && sight.digest(&[USERS, NOTES, LOGS, PAGES]).is_empty());
        for grants in &sight.resources {
            let all = [&grants.read, &grants.create, &grants.update, &grants.delete];
            assert!(all.into_iter().all(Filter::is_all));
            assert!(grants.fields.iter().all(|it| it.read.is_all() && it.write.is_all()));
            assert!(!grants.is_timed && !grants.is_narrowed());
        }
    }
    assert!(Sight::operator(&model).caller.is_admin());
}

#[test]
fn nobody_may_what_anyone_may() {
    let model = model();
    let sight = Sight::new(&model, Caller::Nobody, NOW);
    let users = &sight.resources[USERS];
    assert!(users.read.is_nothing() && users.create.is_all());
    assert!(users.update.is_nothing() && users.delete.is_nothing());
    let notes = &sight.resources[NOTES];
    assert!(holds(&model, &notes.read, &note(1, true, "")));
    assert!(!holds(&model, &notes.read, &note(1, false, "")));
    // That nobody is its author makes it nobody's.
    let orphan = record(9, vec![None, Some(Value::Boolean(false)), None, None]);
    assert!(!holds(&model, &notes.read, &orphan));
    assert!(notes.create.is_nothing() && notes.update.is_nothing() && notes.delete.is_nothing());
    // What says nothing is for administrators.
    let logs = &sight.resources[LOGS];
    assert!(
        [&logs.read, &logs.create, &logs.update, &logs.delete].iter().all(|it| it.is_nothing())
    );
    assert!(sight.resources[PAGES].read.is_all() && sight.resources[PAGES].update.is_nothing());
    assert!(sight.digest(&[PAGES]).is_empty() && !sight.digest(&[NOTES]).is_empty());
    assert_eq!(field(&sight.model, USERS, "phone").shown, Shown::Never);
    assert_eq!(field(&sight.model, NOTES, "remark").shown, Shown::Never);
    for (resource, name) in [(USERS, "role"), (NOTES, "author"), (NOTES, "remark")] {
        assert!(field(&sight.model, resource, name).sealed, "{name}");
    }
    assert!(!field(&sight.model, NOTES, "public").sealed);
}

#[test]
fn an_owner_may_in_its_own_records_only() {
    let model = model();
    let sight = Sight::new(&model, user(&model, 7, "reader"), NOW);
    let users = &sight.resources[USERS];
    assert_eq!(users.update, Filter::equal(Column::Id, Value::Integer(7)));
    assert!(users.read.is_all() && users.delete.is_nothing());
    assert_eq!(field(&sight.model, USERS, "phone").shown, Shown::Sometimes);
    assert!(!field(&sight.model, USERS, "phone").comparable());
    let notes = &sight.resources[NOTES];
    assert!(holds(&model, &notes.read, &note(7, false, "")));
    assert!(!holds(&model, &notes.read, &note(8, false, "")));
    let soon = "2026-02-06T10:30:00.001Z";
    assert!(holds(&model, &notes.update, &note(7, false, soon)));
    assert!(holds(&model, &notes.delete, &note(7, false, soon)));
    assert!(!holds(&model, &notes.update, &note(8, true, soon)));
    assert!(!holds(&model, &notes.update, &note(7, true, "2026-02-06T10:30:00.000Z")));
    assert!(!holds(&model, &notes.update, &note(7, true, "")));
    assert!(notes.create.is_all(), "what is named itself is not what write stands for");
    // Nobody makes somebody else the owner.
    let author = &notes.fields[0].write;
    assert!(
        holds(&model, author, &note(7, true, "")) && !holds(&model, author, &note(8, true, ""))
    );
    assert!(sight.is_timed && !notes.is_timed && !sight.is_timed_for(&[NOTES, USERS]));
}

#[test]
fn roles_of_users_and_keys_are_the_same_roles() {
    let model = model();
    let later = "2027-01-01T00:00:00.000Z";
    for caller in [user(&model, 7, "editor"), key(&["editor"])] {
        let sight = Sight::new(&model, caller, NOW);
        let notes = &sight.resources[NOTES];
        assert!(holds(&model, &notes.update, &note(8, false, later)));
        assert!(!holds(&model, &notes.update, &note(8, false, "")), "a rule holds for roles too");
        assert_eq!(field(&sight.model, NOTES, "remark").shown, Shown::Always);
        assert!(!field(&sight.model, NOTES, "remark").sealed);
    }
    let robot = Sight::new(&model, key(&["robot"]), NOW);
    assert_eq!(field(&robot.model, USERS, "phone").shown, Shown::Always);
    let users = &robot.resources[USERS];
    assert!(users.read.is_all() && users.update.is_nothing(), "a key owns nothing");
    assert!(field(&robot.model, NOTES, "author").sealed);
}

#[test]
fn callers_who_see_the_same_fields_share_a_declaration_and_no_digest() {
    let model = model();
    let one = Sight::new(&model, user(&model, 7, "reader"), NOW);
    let other = Sight::new(&model, user(&model, 8, "reader"), NOW);
    assert!(Arc::ptr_eq(&one.model, &other.model));
    assert_ne!(one.digest(&[NOTES]), other.digest(&[NOTES]));
    assert_ne!(one.digest(&[USERS]), other.digest(&[USERS]));
    let again = Sight::new(&model, user(&model, 7, "reader"), Timestamp(NOW.0 + 1));
    assert_eq!(one.digest(&[NOTES, USERS]), again.digest(&[NOTES, USERS]));
    assert!(!Arc::ptr_eq(&one.model, &Sight::new(&model, Caller::Nobody, NOW).model));
}
