//! Documents into drafts, records into JSON.
#![allow(clippy::unwrap_used)]

use contract::problem::Place;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Draft, Purpose, Record, Rejection, document, keep_nulls, read, write_json};
use crate::model::Resource;
use crate::query::Column;
use crate::sample::{alice, model};
use crate::value::{Id, Timestamp, Value};

fn people(value: &Json, purpose: Purpose<'_>) -> Result<Draft, Rejection> {
    let model = model();
    read(&model, &model.resources[0], value, purpose)
}

/// The pointers and texts of what is wrong.
fn faults(value: &Json, purpose: Purpose<'_>) -> Vec<(String, String)> {
    let rejection = people(value, purpose).expect_err(&value.to_string());
    let place = |violation: contract::problem::Violation| match violation.place {
        Place::Pointer(pointer) => (pointer, violation.detail),
        place => panic!("{place:?}"),
    };
    rejection.violations.into_iter().map(place).collect()
}

/// The only fault of a member of an otherwise good document.
fn fault(member: &str, value: &Json) -> String {
    let mut whole = json!({"name": "Bob", "age": 1});
    whole[member] = value.clone();
    let mut faults = faults(&whole, Purpose::Create);
    assert_eq!(faults.len(), 1, "{member} {value}: {faults:?}");
    let (pointer, detail) = faults.remove(0);
    assert_eq!(pointer, format!("/{member}"));
    detail
}

fn taken(member: &str, value: Json) -> Option<Value> {
    let mut whole = json!({"name": "Bob", "age": 1});
    whole[member] = value;
    let model = model();
    let (index, _) = model.resources[0].field(member).unwrap();
    people(&whole, Purpose::Create).expect(member).values.swap_remove(index)
}

#[test]
fn a_small_document_is_filled_up_with_defaults() {
    let draft = people(&json!({"name": "Bob", "age": null}), Purpose::Create).unwrap();
    assert_eq!((draft.id, draft.created_at, draft.updated_at), (None, None, None));
    let mut expected = vec![None; 14];
    expected[0] = Some(Value::Text("Bob".to_owned()));
    expected[2] = Some(Value::Null);
    expected[3] = Some(Value::Number(1.5));
    expected[4] = Some(Value::Boolean(false));
    assert_eq!(draft.values, expected);
}

#[test]
fn every_fault_is_found_at_once() {
    let value = json!({"email": "x", "age": -1, "score": "1", "nmae": 1, "id": 3, "rank": "gold"});
    assert_eq!(
        faults(&value, Purpose::Create)
            .iter()
            .map(|(pointer, _)| pointer.as_str())
            .collect::<Vec<_>>(),
        ["/id", "/name", "/email", "/age", "/score", "/rank", "/nmae"]
    );
    for value in [json!([]), json!(null), json!("x")] {
        let faults = faults(&value, Purpose::Create);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].0, "");
    }
}

#[test]
fn members_that_nobody_knows_are_refused_with_a_suggestion() {
    assert!(fault("emial", &json!("a@b.c")).ends_with("did you mean \"email\"?"));
    assert!(!fault("tokne", &json!("x")).contains("token"), "a secret is not told");
    let many: serde_json::Map<_, _> = (0..10_000).map(|n| (format!("x{n}"), json!(n))).collect();
    assert_eq!(faults(&Json::Object(many), Purpose::Create).len(), 100);
}

#[test]
fn values_are_of_their_kind_and_within_their_rules() {
    for (member, good) in [
        ("name", json!("8 letters".get(..8))),
        ("age", json!(9_007_199_254_740_991_i64)),
        ("age", json!(5.0)),
        ("score", json!(3)),
        ("score", json!(9_007_199_254_740_992_i64)),
        ("active", json!(true)),
        ("data", json!({"deep": [null, {"a": "b"}]})),
        ("data", json!(null)),
        ("tags", json!(["a", "b"])),
        ("password", json!("12345678")),
        ("token", json!("x")),
        ("code", json!("x")),
        ("boss", json!(4_503_599_627_370_496_i64)),
        ("team", json!("red.1")),
        ("big", json!(i64::MIN)),
    ] {
        assert!(taken(member, good.clone()).is_some(), "{member} {good}");
    }
    for (member, bad) in [
        ("name", json!("")),
        ("name", json!("more than eight")),
        ("name", json!("a\0b")),
        ("name", json!(null)),
        ("name", json!(5)),
        ("email", json!(null)),
        ("age", json!(9_007_199_254_740_992_i64)),
        ("age", json!(1.5)),
        ("age", json!(1e300)),
        ("age", json!("5")),
        ("age", json!(-0.0)),
        ("score", json!(9_007_199_254_740_993_i64)),
        ("score", json!(-0.0)),
        ("score", json!(true)),
        ("active", json!(1)),
        ("active", json!(null)),
        ("data", json!({"deep": ["\0"]})),
        ("data", json!({"de\0ep": 1})),
        ("data", json!([-0.0])),
        ("tags", json!("a")),
        ("tags", json!(null)),
        ("boss", json!(0)),
        ("boss", json!("1")),
        ("boss", json!(9_007_199_254_740_992_i64)),
        ("big", json!(1e18)),
        ("team", json!("a b")),
        ("team", json!(1)),
        ("big", json!(u64::MAX)),
    ] {
        fault(member, &bad);
    }
    assert_eq!(fault("password", &json!("short")), "must be at least 8 characters long");
    assert_eq!(taken("age", json!(5.0)), Some(Value::Integer(5)));
    assert_eq!(taken("score", json!(3)), Some(Value::Number(3.0)));
    assert_eq!(taken("data", json!(null)), Some(Value::Json("null".to_owned())));
}

#[test]
fn the_server_chooses_integer_ids_and_clients_may_choose_others() {
    let model = model();
    let teams = &model.resources[1];
    let id = |id: Json| read(&model, teams, &json!({"id": id, "page": "x"}), Purpose::Create);
    assert_eq!(id(json!("red")).unwrap().id, Some(Id::Text("red".to_owned())));
    for bad in [json!("a/b"), json!(""), json!(".."), json!(5), json!(null)] {
        assert!(id(bad).is_err());
    }
    assert!(fault("id", &json!(5)).contains("server"));
    assert!(fault("createdAt", &json!("2026-02-06T10:30:00Z")).contains("server"));
    let at = |sent: i64| {
        people(&json!({"id": sent, "name": "Bob", "age": 1}), Purpose::CreateAt(&Id::Integer(5)))
    };
    assert_eq!(at(5).unwrap().id, Some(Id::Integer(5)));
    assert!(at(6).unwrap_err().read_only);
}

#[test]
fn a_seed_may_say_everything() {
    let draft = people(
        &json!({
            "id": 7, "name": "Alice", "age": null, "rank": "gold", "token": "hidden",
            "createdAt": "2026-02-06T10:30:00Z", "updatedAt": "2026-02-06T11:30:00+01:00"
        }),
        Purpose::Seed,
    )
    .unwrap();
    assert_eq!(draft.id, Some(Id::Integer(7)));
    assert_eq!(draft.created_at, Some(Timestamp(1_770_373_800_000)));
    assert_eq!(draft.updated_at, draft.created_at);
    assert_eq!(draft.values[9], Some(Value::Text("gold".to_owned())));
    assert_eq!(faults(&json!({"name": "A", "age": 1, "createdAt": "x"}), Purpose::Seed).len(), 1);
}

#[test]
fn get_then_put_unchanged_changes_nothing() {
    let (model, current) = (model(), alice());
    let shown = document(&model.resources[0], &current);
    for purpose in [Purpose::Replace { current: &current }, Purpose::Patch { current: &current }] {
        let draft = people(&shown, purpose).unwrap();
        assert_eq!(draft.values, current.values);
        assert_eq!(draft.id, Some(current.id.clone()));
    }
}

#[test]
fn a_replacement_resets_what_it_leaves_out_and_keeps_what_cannot_be_seen() {
    let current = alice();
    let value = json!({"name": "Alice", "age": 5});
    let draft = people(&value, Purpose::Replace { current: &current }).unwrap();
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    assert_eq!(draft.values[3], Some(Value::Number(1.5)), "the default again");
    assert_eq!(draft.values[5], None, "optional and gone");
    assert_eq!(draft.values[7], text("hashed"), "writeOnly and kept");
    assert_eq!(draft.values[8], text("hidden"), "secret and kept");
    assert_eq!(draft.values[9], text("gold"), "readOnly and kept");
    assert_eq!(draft.values[10], text("A1"), "immutable and kept");
    let value = json!({"name": "Alice", "age": 5, "password": "new secret", "token": null});
    let draft = people(&value, Purpose::Replace { current: &current }).unwrap();
    assert_eq!((&draft.values[7], &draft.values[8]), (&text("new secret"), &None));
    assert_eq!(faults(&json!({}), Purpose::Replace { current: &current }).len(), 2);
}

#[test]
fn members_that_must_not_change_are_conflicts_of_their_own() {
    let current = alice();
    for (member, value) in [
        ("id", json!(8)),
        ("id", json!("7")),
        ("createdAt", json!("2026-02-06T10:30:01Z")),
        ("createdAt", json!(null)),
        ("updatedAt", json!("x")),
        ("rank", json!("silver")),
        ("rank", json!(null)),
        ("code", json!("A2")),
    ] {
        let mut whole = json!({"name": "Alice", "age": 5});
        whole[member] = value.clone();
        let rejection = people(&whole, Purpose::Replace { current: &current }).unwrap_err();
        assert!(rejection.read_only, "{member} {value}");
        // With another fault it is a document that does not fit.
        whole["age"] = json!("x");
        let rejection = people(&whole, Purpose::Replace { current: &current }).unwrap_err();
        assert!(!rejection.read_only && rejection.violations.len() == 2);
    }
    let same = json!({"name": "A", "age": 5, "id": 7.0, "createdAt": "2026-02-06T11:30:00+01:00"});
    assert!(people(&same, Purpose::Replace { current: &current }).is_ok());
}

#[test]
fn a_patch_cannot_remove_what_the_server_keeps() {
    let (model, current) = (model(), alice());
    for member in ["id", "createdAt", "updatedAt", "rank", "code"] {
        let mut patched = document(&model.resources[0], &current);
        patched.as_object_mut().unwrap().remove(member);
        assert!(people(&patched, Purpose::Replace { current: &current }).is_ok());
        let found = faults(&patched, Purpose::Patch { current: &current });
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, format!("/{member}"));
    }
}

#[test]
fn a_merge_patch_can_clear_a_field_that_nobody_sees() {
    let (model, current) = (model(), alice());
    let resource = &model.resources[0];
    let patch = json!({"password": null, "name": "Al"});
    let mut patched = document(resource, &current);
    crate::patch::merge::apply(&mut patched, &patch);
    keep_nulls(resource, &patch, &mut patched);
    let draft = people(&patched, Purpose::Patch { current: &current }).unwrap();
    assert_eq!(draft.values[7], None);
    assert_eq!(draft.values[8], current.values[8]);
}

fn written(resource: &Resource, record: &Record, fields: Option<&[Column]>) -> String {
    let mut out = Vec::new();
    write_json(&mut out, resource, record, fields);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_record_is_written_in_the_order_of_its_declaration() {
    let model = model();
    assert_eq!(
        written(&model.resources[0], &alice(), None),
        "{\"id\":7,\"name\":\"Alice\",\"age\":null,\"score\":10,\"active\":true,\
         \"data\":{\"a\":[1,2.5,null]},\"rank\":\"gold\",\"code\":\"A1\",\"boss\":3,\
         \"team\":\"red\",\"big\":-9223372036854775808,\
         \"createdAt\":\"2026-02-06T10:30:00.000Z\",\"updatedAt\":\"2026-02-06T10:30:00.001Z\"}"
    );
}

#[test]
fn columns_are_written_in_the_order_asked_for_and_hidden_ones_never() {
    let model = model();
    let write = |columns: &[Column]| written(&model.resources[0], &alice(), Some(columns));
    assert_eq!(write(&[]), "{}");
    assert_eq!(
        write(&[Column::UpdatedAt, Column::Field(0), Column::Id]),
        "{\"updatedAt\":\"2026-02-06T10:30:00.001Z\",\"name\":\"Alice\",\"id\":7}"
    );
    assert_eq!(
        write(&[Column::Field(7), Column::Field(8), Column::Field(1), Column::Field(99)]),
        "{}"
    );
}

fn any_record() -> impl Strategy<Value = Record> {
    let text = || prop::option::of(any::<String>().prop_map(Value::Text));
    let parts = (
        (any::<i64>(), any::<String>(), text(), prop::option::of(any::<i64>())),
        (prop::num::f64::NORMAL, any::<bool>(), crate::json::tests::any_json(), text()),
        (-62_167_219_200_000_i64..253_402_300_800_000, text(), any::<i64>(), any::<bool>()),
    );
    parts.prop_map(|(first, second, third)| {
        let mut record = alice();
        record.id = if third.3 { Id::Integer(first.0) } else { Id::Text(first.1.clone()) };
        record.values[0] = Some(Value::Text(first.1));
        record.values[1] = first.2;
        record.values[2] = Some(first.3.map_or(Value::Null, Value::Integer));
        record.values[3] = Some(Value::Number(second.0));
        record.values[4] = Some(Value::Boolean(second.1));
        record.values[5] = Some(Value::Json(second.2.to_string()));
        record.values[7] = second.3;
        record.created_at = Timestamp(third.0);
        record.values[10] = third.1;
        record.values[13] = Some(Value::Integer(third.2));
        record
    })
}

proptest! {
    #[test]
    fn what_is_written_is_what_serde_json_would_write(record in any_record()) {
        let model = model();
        let resource = &model.resources[0];
        let text = written(resource, &record, None);
        let shown = document(resource, &record);
        prop_assert_eq!(&text, &shown.to_string());
        prop_assert!(!text.contains("\"password\"") && !text.contains("\"token\""));
        prop_assert_eq!(crate::json::parse(text.as_bytes()).unwrap(), shown);
    }
}
