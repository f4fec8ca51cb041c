//! The JSON Schema of `methodical.toml`, by which editors complete it and mark slips. It says
//! what can be said without looking at two places at once; `check` says the rest.

use crate::setting::{Form, SETTINGS, Setting};
use serde_json::{Map, Value, json};

/// The schema, in the draft that TOML editors read (draft-07).
#[must_use]
pub fn declaration_schema() -> Value {
    let mut properties = top();
    for setting in SETTINGS {
        let schema = of_setting(setting);
        match setting.key.split_once('.') {
            None => {
                properties.insert(setting.key.to_owned(), schema);
            }
            Some((group, key)) => {
                let table = properties.entry(group).or_insert_with(|| table(group));
                table["properties"][key] = schema;
            }
        }
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "methodical.toml",
        "description": "A declaration of resources for Methodical.",
        "type": "object",
        "required": ["resources"],
        "properties": properties,
        "additionalProperties": false,
        "definitions": {
            "resource": resource(),
            "field": field(),
            "schema": schema(),
            "who": who(),
            "path": {
                "type": "string",
                "pattern": "^/$|^(/[A-Za-z0-9._~-]+)+$",
            },
            "groups": {
                "type": "array",
                "items": { "type": "array", "minItems": 1, "items": { "type": "string" } },
            },
        },
    })
}

fn top() -> Map<String, Value> {
    let names = json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true });
    members(&[
        ("title", json!({ "type": "string" }), "What people call this API."),
        ("description", json!({ "type": "string" }), "A sentence about it."),
        (
            "prefix",
            json!({ "$ref": "#/definitions/path", "default": "/api" }),
            "The canonical path before every resource; \"/\" for the root.",
        ),
        (
            "alias",
            json!({
                "type": "array", "items": { "$ref": "#/definitions/path" }, "uniqueItems": true,
            }),
            "Other paths under which the same resources answer.",
        ),
        (
            "seed",
            json!({ "type": "string" }),
            "A folder of NDJSON files, RESOURCE.ndjson, loaded once into a fresh database.",
        ),
        (
            "origins",
            origins(),
            "Origins whose pages may read answers: \"https://app.example\"; [\"*\"] for all.",
        ),
        (
            "origins_credentials",
            json!({ "type": "boolean", "default": false }),
            "true: pages of these origins act with the cookies of their visitors.",
        ),
        (
            "ignore_parameters",
            names,
            "Query parameters that are passed over: names, or beginnings with * at the end.",
        ),
        (
            "roles",
            json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true }),
            "Roles of API keys beside admin and those of the users.",
        ),
        (
            "issuers",
            json!({ "type": "object", "additionalProperties": issuer() }),
            "Others whose tokens (JWTs of OpenID Connect) are taken: [issuers.NAME].",
        ),
        (
            "resources",
            json!({
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,47}$" },
                "additionalProperties": { "$ref": "#/definitions/resource" },
            }),
            "The resources: each is a table, a collection and its items.",
        ),
    ])
}

fn table(group: &str) -> Value {
    json!({
        "type": "object",
        "description": format!("Settings: {group}."),
        "properties": {},
        "additionalProperties": false,
    })
}

fn of_setting(setting: &Setting) -> Value {
    let mut schema = match setting.form {
        Form::Text
        | Form::Address
        | Form::AddressOrOff
        | Form::OriginOrOff
        | Form::Database
        | Form::Time
        | Form::TimeOrOff => json!({ "type": "string" }),
        Form::PathOrOff | Form::TextOrOff => json!({ "type": "string" }),
        Form::NetworksOrOff | Form::ListOrOff => json!({
            "type": ["string", "array"],
            "items": { "type": "string" },
            "minItems": 1,
        }),
        Form::Word(words) => {
            json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": "\\$\\{" }] })
        }
        Form::Number(most) | Form::NumberOrOff(most) => {
            json!({ "type": ["integer", "string"], "minimum": 1, "maximum": most })
        }
        Form::Bytes => json!({ "type": ["integer", "string"], "minimum": 1 }),
    };
    schema["description"] = json!(setting.meaning);
    schema["default"] = json!(setting.default);
    schema
}

fn issuer() -> Value {
    let text = json!({ "type": "string" });
    let texts = json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true });
    json!({
        "type": "object",
        "properties": {
            "issuer": text,
            "audience": { "anyOf": [text, texts] },
            "jwks": text,
            "algorithms": { "type": "array", "items": { "enum": crate::issuer::ALGORITHMS } },
            "skew": text,
            "claim": text,
            "field": text,
            "roles_claim": text,
            "roles": { "type": "object", "additionalProperties": { "type": "string" } },
            "role": text,
        },
        "required": ["issuer", "audience"],
        "additionalProperties": false,
    })
}

fn resource() -> Value {
    let words = json!({ "enum": ["required", "optional"], "default": "optional" });
    let fields = json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true });
    let groups = json!({ "$ref": "#/definitions/groups" });
    let properties = members(&[
        ("description", json!({ "type": "string" }), "A sentence about it."),
        ("was", json!({ "type": "string" }), "The name that it had before."),
        (
            "id",
            json!({ "enum": ["integer", "uuid", "text"], "default": "integer" }),
            "What its ids are. The last two may be chosen by the client, in PUT.",
        ),
        (
            "fields",
            json!({
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": "^[A-Za-z][A-Za-z0-9_]{0,47}$" },
                "additionalProperties": { "$ref": "#/definitions/field" },
            }),
            "Its fields, in the order of answers.",
        ),
        ("search", fields.clone(), "Fields of strings that full-text search looks into."),
        (
            "cache",
            json!({ "type": "string", "examples": ["public, max-age=60", "private, max-age=60"] }),
            "How long answers may be kept by caches. Without it they are revalidated each time.",
        ),
        (
            "preconditions",
            words.clone(),
            "\"required\": PUT, PATCH and DELETE without a condition such as If-Match are a 428.",
        ),
        ("idempotency", words, "\"required\": POST without an Idempotency-Key is a 400."),
        (
            "put",
            json!({ "enum": ["upsert"] }),
            "\"upsert\": PUT creates under an integer id that the client chose.",
        ),
        ("unique", groups.clone(), "Groups of fields that are unique together: [[\"a\", \"b\"]]."),
        (
            "index",
            groups,
            "Groups of columns that are indexed together: [[\"category\", \"createdAt\"]].",
        ),
        (
            "sort",
            order(),
            "The order of a list that asks for none; - before a name: the largest first.",
        ),
        ("login", fields, "Unique fields by which a user signs in."),
        ("origins", origins(), "Origins in the place of those at the top; [] for none."),
        (
            "access",
            access(),
            "Who may do what; write stands for create, update and delete. \
             Without it: administrators only.",
        ),
    ]);
    json!({
        "type": "object",
        "required": ["fields"],
        "properties": properties,
        "additionalProperties": false,
    })
}

fn origins() -> Value {
    let origin = json!({ "type": "string", "pattern": "^\\*$|^https?://[^/A-Z]+$" });
    json!({ "type": "array", "items": origin, "uniqueItems": true })
}

fn access() -> Value {
    json!({
        "type": "object",
        "properties": {
            "read": { "$ref": "#/definitions/who" },
            "create": { "$ref": "#/definitions/who" },
            "update": { "$ref": "#/definitions/who" },
            "delete": { "$ref": "#/definitions/who" },
            "write": { "$ref": "#/definitions/who" },
        },
        "additionalProperties": false,
    })
}

fn order() -> Value {
    json!({
        "anyOf": [
            { "type": "string", "examples": ["-createdAt", "name"] },
            {
                "type": "array", "minItems": 1, "items": { "type": "string" },
                "uniqueItems": true, "examples": [["-createdAt", "-name"]],
            },
        ],
    })
}

fn who() -> Value {
    let name = json!({ "type": "string", "examples": ["anyone", "signed-in", "owner", "admin"] });
    let names = json!([
        name, { "type": "array", "minItems": 1, "items": name, "uniqueItems": true },
    ]);
    let when = json!({
        "type": "string",
        "description": "A rule that has to hold besides: docs/RULES.md.",
        "examples": ["record.status == 'draft' && record.author == caller.id"],
    });
    let mut all = names.as_array().cloned().unwrap_or_default();
    all.push(json!({
        "type": "object",
        "required": ["who"],
        "properties": { "who": { "anyOf": names }, "when": when },
        "additionalProperties": false,
    }));
    json!({
        "description": "anyone, signed-in, owner, admin, or a role; with a rule where `when` is.",
        "anyOf": all,
    })
}

/// A field: keywords of JSON Schema, and ours.
fn field() -> Value {
    let truth = json!({ "type": "boolean", "default": false });
    let who = json!({ "$ref": "#/definitions/who" });
    let text = json!({ "type": "string" });
    let on_delete = json!({ "enum": ["restrict", "cascade", "clear"], "default": "restrict" });
    let mut properties = keywords();
    properties.extend(members(&[
        ("unique", truth.clone(), "No two records share a value."),
        ("index", truth.clone(), "An index serves filters and sorts by it."),
        ("references", text.clone(), "The resource whose record it names, by id."),
        ("onDelete", on_delete, "What becomes of this record when that one is deleted."),
        ("owner", truth.clone(), "The user named here owns the record."),
        ("immutable", truth.clone(), "Set once, at creation."),
        ("secret", truth.clone(), "Never shown to anybody, in any form."),
        ("ignoreCase", truth.clone(), "Equality, uniqueness and order without regard to case."),
        ("optional", truth, "It may be absent, and is then left out of answers."),
        ("read", who.clone(), "Who may read it."),
        ("write", who, "Who may write it."),
        ("was", text, "The name that it had before."),
    ]));
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// A schema inside a field's schema.
fn schema() -> Value {
    json!({
        "type": ["object", "boolean"],
        "properties": keywords(),
        "additionalProperties": false,
    })
}

/// The keywords of JSON Schema 2020-12.
fn keywords() -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "number" });
    let count = || json!({ "type": "integer", "minimum": 0 });
    let truth = || json!({ "type": "boolean", "default": false });
    let inner = || json!({ "$ref": "#/definitions/schema" });
    let several = || json!({ "type": "array", "minItems": 1, "items": inner() });
    let named = || json!({ "type": "object", "additionalProperties": inner() });
    let names = || json!({ "type": "array", "items": text() });
    let types = ["string", "integer", "number", "boolean", "array", "object", "null"];
    let kind =
        json!({ "anyOf": [{ "enum": types }, { "type": "array", "items": { "enum": types } }] });
    let formats: Vec<&str> = crate::schema::formats().collect();
    members(&[
        ("type", kind, "What it holds. Without a type: any JSON."),
        ("format", json!({ "enum": formats }), "A form that is asserted."),
        ("enum", json!({ "type": "array", "minItems": 1 }), "One of these values."),
        ("const", json!({}), "Exactly this value."),
        ("minimum", number(), "The smallest value."),
        ("maximum", number(), "The largest value."),
        ("exclusiveMinimum", number(), "More than this."),
        ("exclusiveMaximum", number(), "Less than this."),
        ("multipleOf", json!({ "type": "number", "exclusiveMinimum": 0 }), "A multiple of this."),
        ("minLength", count(), "The fewest characters."),
        ("maxLength", count(), "The most characters."),
        ("pattern", text(), "A regular expression that it matches."),
        ("items", inner(), "What each item of an array is."),
        ("prefixItems", several(), "What the first items of an array are."),
        ("contains", inner(), "What some item of an array is."),
        ("minContains", count(), "How many such items at least."),
        ("maxContains", count(), "How many such items at most."),
        ("minItems", count(), "The fewest items."),
        ("maxItems", count(), "The most items."),
        ("uniqueItems", truth(), "No two items are equal."),
        ("unevaluatedItems", inner(), "What the other items of an array are."),
        ("properties", named(), "What the members of an object are."),
        ("patternProperties", named(), "What the members are whose names match."),
        ("additionalProperties", inner(), "What the other members are; false: none."),
        ("propertyNames", inner(), "What the names of members are."),
        ("required", names(), "The members that an object must have."),
        (
            "dependentRequired",
            json!({ "type": "object", "additionalProperties": names() }),
            "The members that another one brings with it.",
        ),
        ("dependentSchemas", named(), "What an object is that has such a member."),
        ("minProperties", count(), "The fewest members."),
        ("maxProperties", count(), "The most members."),
        ("unevaluatedProperties", inner(), "What members are that nothing else judged."),
        ("allOf", several(), "All of these."),
        ("anyOf", several(), "At least one of these."),
        ("oneOf", several(), "Exactly one of these."),
        ("not", inner(), "Not this."),
        ("if", inner(), "Where this is so, then is asked, otherwise else."),
        ("then", inner(), "Asked where if is so."),
        ("else", inner(), "Asked where if is not so."),
        ("title", text(), "A name for people."),
        ("description", text(), "A sentence for people."),
        ("default", json!({}), "The value where none is sent."),
        ("examples", json!({ "type": "array" }), "Values for people to see."),
        ("deprecated", truth(), "Still there, and no longer to be used."),
        ("readOnly", truth(), "Never taken from a client."),
        ("writeOnly", truth(), "Taken, never shown."),
        ("contentEncoding", text(), "How a string holds bytes: base64."),
        ("contentMediaType", text(), "What the string holds."),
        ("contentSchema", inner(), "What the held content is."),
        ("$comment", text(), "For those who read the declaration."),
    ])
}

/// Members with their descriptions.
fn members(list: &[(&str, Value, &str)]) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, schema, description) in list {
        let mut schema = schema.clone();
        // Beside `$ref` draft-07 reads nothing: the description goes around it.
        if schema.get("$ref").is_some() {
            let default = schema.as_object_mut().and_then(|members| members.remove("default"));
            schema = json!({ "allOf": [schema] });
            if let Some(default) = default {
                schema["default"] = default;
            }
        }
        schema["description"] = json!(description);
        members.insert((*name).to_owned(), schema);
    }
    members
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::check::{RESOURCE_KEYS, TOP_KEYS, field_keys};
    use std::collections::BTreeSet;

    const COMMITTED: &str = include_str!("../../../schema/methodical.schema.json");

    fn keys(value: &Value) -> BTreeSet<&str> {
        value["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_committed_file_is_the_schema() {
        let text = serde_json::to_string_pretty(&declaration_schema()).unwrap() + "\n";
        if std::env::var_os("METHODICAL_WRITE_SCHEMA").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema/methodical.schema.json");
            std::fs::write(path, &text).unwrap();
        } else {
            assert!(
                text == COMMITTED,
                "schema/methodical.schema.json is not what the code says: run the tests of \
                 `model` once with METHODICAL_WRITE_SCHEMA=1 and commit the file"
            );
        }
    }

    #[test]
    fn it_knows_every_key_that_is_read_and_no_other() {
        let schema = declaration_schema();
        let settings = SETTINGS.iter().map(|setting| setting.key.split('.').next().unwrap());
        let top: BTreeSet<&str> = TOP_KEYS.iter().copied().chain(settings).collect();
        assert_eq!(keys(&schema), top);
        let resource: BTreeSet<&str> = RESOURCE_KEYS.iter().copied().collect();
        assert_eq!(keys(&schema["definitions"]["resource"]), resource);
        let field: BTreeSet<&str> = field_keys().into_iter().collect();
        assert_eq!(keys(&schema["definitions"]["field"]), field);
        for setting in SETTINGS {
            if let Some((group, key)) = setting.key.split_once('.') {
                assert!(!schema["properties"][group]["properties"][key].is_null(), "{group}.{key}");
            }
        }
    }
}
