//! A small declared world for the tests of this crate, made by hand.

use serde_json::json;

use crate::model::{Field, IdKind, Kind, Model, OnDelete, Reference, Resource};
use crate::record::{Record, Version};
use crate::schema::Schema;
use crate::value::{Id, Timestamp, Value};

/// A plain required field with a schema.
pub(crate) fn field(name: &str, kind: Kind, schema: serde_json::Value) -> Field {
    let serde_json::Value::Object(keywords) = schema else { panic!("{schema} is no table") };
    Field {
        name: name.to_owned(),
        kind,
        schema: Schema::compile(&keywords).expect("the schema of a sample compiles"),
        default: None,
        optional: false,
        nullable: false,
        unique: false,
        index: false,
        references: None,
        owner: false,
        immutable: false,
        secret: false,
        read_only: false,
        write_only: false,
        password: false,
        ignore_case: false,
        read: None,
        write: None,
        was: None,
        shown: crate::model::Shown::Always,
        sealed: false,
    }
}

/// A resource with these fields.
pub(crate) fn resource(name: &str, id: IdKind, fields: Vec<Field>) -> Resource {
    Resource {
        name: name.to_owned(),
        was: None,
        description: None,
        id,
        fields,
        search: Vec::new(),
        cache: None,
        preconditions_required: false,
        key_required: false,
        upsert: false,
        unique: Vec::new(),
        index: Vec::new(),
        sort: Vec::new(),
        login: Vec::new(),
        access: None,
        origins: None,
        watched: Vec::new(),
        digest: "0123456789abcdef".to_owned(),
    }
}

/// A field of every sort.
pub(crate) fn people() -> Resource {
    let text = || json!({"type": "string"});
    let optional = |field: Field| Field { optional: true, ..field };
    let boss = Reference { resource: 0, on_delete: OnDelete::Restrict };
    let team = Reference { resource: 1, on_delete: OnDelete::Clear };
    resource(
        "people",
        IdKind::Integer,
        vec![
            field("name", Kind::Text, json!({"type": "string", "minLength": 1, "maxLength": 8})),
            optional(field("email", Kind::Text, json!({"type": "string", "format": "email"}))),
            Field {
                nullable: true,
                ..field("age", Kind::Integer, json!({"type": ["integer", "null"], "minimum": 0}))
            },
            Field {
                default: Some(Value::Number(1.5)),
                ..field("score", Kind::Number, json!({"type": "number"}))
            },
            Field {
                default: Some(Value::Boolean(false)),
                ..field("active", Kind::Boolean, json!({"type": "boolean"}))
            },
            optional(field("data", Kind::Json, json!({}))),
            optional(field(
                "tags",
                Kind::Json,
                json!({"type": "array", "items": {"type": "string"}, "maxItems": 3}),
            )),
            Field {
                write_only: true,
                optional: true,
                ..field("password", Kind::Text, json!({"type": "string", "minLength": 8}))
            },
            Field { secret: true, optional: true, ..field("token", Kind::Text, text()) },
            Field { read_only: true, optional: true, ..field("rank", Kind::Text, text()) },
            Field { immutable: true, optional: true, ..field("code", Kind::Text, text()) },
            Field {
                references: Some(boss),
                optional: true,
                ..field("boss", Kind::Integer, json!({}))
            },
            Field {
                references: Some(team),
                optional: true,
                ..field("team", Kind::Text, json!({}))
            },
            optional(field("big", Kind::Integer, json!({"type": "integer", "format": "int64"}))),
        ],
    )
}

/// The world: people, and their teams under names of their own.
pub(crate) fn model() -> Model {
    let teams =
        resource("teams", IdKind::Text, vec![field("page", Kind::Text, json!({"type": "string"}))]);
    Model {
        title: "Sample".to_owned(),
        description: None,
        prefix: "/api".to_owned(),
        alias: Vec::new(),
        seed: None,
        origins: Vec::new(),
        origins_credentials: false,
        ignore_parameters: vec!["_".to_owned(), "utm_*".to_owned()],
        roles: vec!["admin".to_owned()],

        issuers: Vec::new(),
        resources: vec![people(), teams],
        narrowed: crate::access::Narrowed::default(),
    }
}

/// The only person of the world: one value of every sort.
pub(crate) fn alice() -> Record {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    Record {
        id: Id::Integer(7),
        version: Version { birth: 1, counter: 1 },
        created_at: Timestamp(1_770_373_800_000),
        updated_at: Timestamp(1_770_373_800_001),
        values: vec![
            text("Alice"),
            None,
            Some(Value::Null),
            Some(Value::Number(10.0)),
            Some(Value::Boolean(true)),
            Some(Value::Json("{\"a\":[1,2.5,null]}".to_owned())),
            None,
            text("hashed"),
            text("hidden"),
            text("gold"),
            text("A1"),
            Some(Value::Integer(3)),
            text("red"),
            Some(Value::Integer(i64::MIN)),
        ],
    }
}
