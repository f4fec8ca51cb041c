//! The shape of the tables that a declaration asks for: kept in the database beside them, so that
//! a later declaration can be compared with it, word for word, and the tables be told again.

use std::fmt::Write;

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::access::Narrowed;
use crate::json;
use crate::model::{
    Field, FieldIndex, IdKind, Kind, Model, OnDelete, Reference, Resource, ResourceIndex, Shown,
};
use crate::query::Column;
use crate::schema::Schema;
use crate::value::Value;

/// The version of what is written here; a newer one is not read.
const VERSION: u64 = 1;

impl IdKind {
    /// As the declaration writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Uuid => "uuid",
            Self::Text => "text",
        }
    }
}

impl Kind {
    /// Every kind.
    const ALL: [Self; 5] = [Self::Text, Self::Integer, Self::Number, Self::Boolean, Self::Json];

    /// One word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Json => "any JSON",
        }
    }
}

impl OnDelete {
    /// As the declaration writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Restrict => "restrict",
            Self::Cascade => "cascade",
            Self::Clear => "clear",
        }
    }
}

impl Model {
    /// Everything that shapes tables and constraints, in the order of the declaration: names, ids,
    /// kinds, schemas, defaults, references, uniqueness, indexes, what is searched, and what of a
    /// record says who sees it.
    #[must_use]
    pub fn shape(&self) -> Json {
        let resources: Vec<Json> = self.resources.iter().map(|it| self.table(it)).collect();
        json!({ "version": VERSION, "resources": resources })
    }

    /// Sixteen hex digits over the shape. A database that was made under another digest does not
    /// fit this declaration. The order of resources and of fields does not count, nor do titles,
    /// paths, access and caching.
    #[must_use]
    pub fn table_digest(&self) -> String {
        let mut shape = self.shape();
        let resources = shape["resources"].as_array_mut();
        for resource in resources.into_iter().flatten() {
            for key in ["fields", "unique", "index", "search", "watched"] {
                resource.get_mut(key).map(arrange);
            }
        }
        arrange(&mut shape["resources"]);
        let mut out = String::new();
        for byte in &Sha256::digest(sorted(&shape).to_string().as_bytes())[..8] {
            // Writing into a String does not fail.
            let _ = write!(out, "{byte:02x}");
        }
        out
    }

    /// The model of a shape: good for its tables and for nothing else. None where it was written
    /// by a newer version, or by nobody.
    #[must_use]
    pub fn of_shape(shape: &str) -> Option<Self> {
        let shape = json::parse(shape.as_bytes()).ok()?;
        if shape["version"].as_u64() != Some(VERSION) {
            return None;
        }
        let written = shape["resources"].as_array()?;
        let names: Vec<&str> =
            written.iter().map(|it| it["name"].as_str()).collect::<Option<_>>()?;
        let resources = written.iter().map(|it| resource(it, &names)).collect::<Option<_>>()?;
        Some(Self {
            origins: Vec::new(),
            origins_credentials: false,
            title: String::new(),
            description: None,
            prefix: String::new(),
            alias: Vec::new(),
            seed: None,
            ignore_parameters: Vec::new(),
            roles: Vec::new(),

            issuers: Vec::new(),
            resources,
            narrowed: Narrowed::default(),
        })
    }

    fn table(&self, resource: &Resource) -> Json {
        let name = |at: &FieldIndex| resource.fields[*at].name.as_str();
        let unique = resource.unique.iter().map(|group| group.iter().map(name).collect());
        let column = |column: &Column| column.name(resource).to_owned();
        let index = resource.index.iter().map(|group| group.iter().map(column).collect());
        let fields: Vec<Json> = resource.fields.iter().map(|it| self.column(it)).collect();
        let watched: Vec<&str> =
            resource.watched.iter().map(|column| column.name(resource)).collect();
        let mut table = json!({
            "name": resource.name,
            "id": resource.id.word(),
            "fields": fields,
            "unique": unique.collect::<Vec<Json>>(),
            "index": index.collect::<Vec<Json>>(),
            "search": resource.search.iter().map(name).collect::<Vec<_>>(),
        });
        if !watched.is_empty() {
            table["watched"] = json!(watched);
        }
        table
    }

    fn column(&self, field: &Field) -> Json {
        let mut out = Map::new();
        out.insert("name".to_owned(), json!(field.name));
        out.insert("kind".to_owned(), json!(field.kind.word()));
        for (name, set) in [
            ("optional", field.optional),
            ("nullable", field.nullable),
            ("unique", field.unique),
            ("index", field.index),
            ("ignoreCase", field.ignore_case),
            ("password", field.password),
        ] {
            if set {
                out.insert(name.to_owned(), Json::Bool(true));
            }
        }
        if let Some(to) = field.references {
            let name = &self.resources[to.resource].name;
            out.insert("references".to_owned(), json!(name));
            out.insert("onDelete".to_owned(), json!(to.on_delete.word()));
        }
        if let Some(value) = &field.default {
            out.insert("default".to_owned(), value.to_json());
        }
        out.insert("schema".to_owned(), Json::Object(judges(field)));
        Json::Object(out)
    }
}

/// The keywords of a field's schema that judge values, in the order of their names.
#[must_use]
pub fn judges(field: &Field) -> Map<String, Json> {
    let source = field.schema.source();
    let judges = |key: &str| !crate::check::ANNOTATIONS.contains(&key);
    let mut keys: Vec<&String> = source.keys().filter(|key| judges(key)).collect();
    keys.sort();
    keys.into_iter().map(|key| (key.clone(), sorted(&source[key]))).collect()
}

fn arrange(list: &mut Json) {
    if let Some(list) = list.as_array_mut() {
        list.sort_by_cached_key(|item| sorted(item).to_string());
    }
}

/// JSON with the members of every object in the order of their names.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(sorted).collect(),
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            Json::Object(members.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        _ => value.clone(),
    }
}

fn resource(written: &Json, names: &[&str]) -> Option<Resource> {
    let fields: Vec<Field> =
        written["fields"].as_array()?.iter().map(|it| field(it, names)).collect::<Option<_>>()?;
    let at = |name: &Json| fields.iter().position(|field| Some(&*field.name) == name.as_str());
    let group = |list: &Json| list.as_array()?.iter().map(at).collect::<Option<Vec<FieldIndex>>>();
    let unique = written["unique"].as_array()?.iter().map(group).collect::<Option<Vec<_>>>()?;
    let column = |name: &Json| match name.as_str()? {
        "id" => Some(Column::Id),
        "createdAt" => Some(Column::CreatedAt),
        "updatedAt" => Some(Column::UpdatedAt),
        _ => at(name).map(Column::Field),
    };
    let columns = |list: &Json| list.as_array()?.iter().map(column).collect::<Option<Vec<_>>>();
    let index = written["index"].as_array()?.iter().map(columns).collect::<Option<Vec<_>>>()?;
    let watched = match &written["watched"] {
        Json::Null => Vec::new(),
        list => columns(list)?,
    };
    let word = written["id"].as_str()?;
    let kinds = [IdKind::Integer, IdKind::Uuid, IdKind::Text];
    Some(Resource {
        origins: None,
        name: written["name"].as_str()?.to_owned(),
        was: None,
        description: None,
        id: kinds.into_iter().find(|kind| kind.word() == word)?,
        search: group(&written["search"])?,
        cache: None,
        preconditions_required: false,
        key_required: false,
        upsert: false,
        unique,
        index,
        sort: Vec::new(),
        login: Vec::new(),
        access: None,
        watched,
        digest: String::new(),
        fields,
    })
}

fn field(written: &Json, names: &[&str]) -> Option<Field> {
    let flag = |name: &str| written[name].as_bool().unwrap_or(false);
    let word = written["kind"].as_str()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
    let references = match &written["references"] {
        Json::Null => None,
        name => Some(reference(name.as_str()?, written["onDelete"].as_str()?, names)?),
    };
    let default = match written.get("default") {
        None => None,
        Some(value) => Some(typed(kind, value)?),
    };
    Some(Field {
        name: written["name"].as_str()?.to_owned(),
        kind,
        schema: Schema::compile(written["schema"].as_object()?).ok()?,
        default,
        optional: flag("optional"),
        nullable: flag("nullable"),
        unique: flag("unique"),
        index: flag("index"),
        references,
        owner: false,
        immutable: false,
        secret: false,
        read_only: false,
        write_only: false,
        password: flag("password"),
        ignore_case: flag("ignoreCase"),
        read: None,
        write: None,
        was: None,
        shown: Shown::Always,
        sealed: false,
    })
}

fn reference(name: &str, on_delete: &str, names: &[&str]) -> Option<Reference> {
    let resource: ResourceIndex = names.iter().position(|other| *other == name)?;
    let all = [OnDelete::Restrict, OnDelete::Cascade, OnDelete::Clear];
    let on_delete = all.into_iter().find(|it| it.word() == on_delete)?;
    Some(Reference { resource, on_delete })
}

/// A value as a record holds it.
fn typed(kind: Kind, value: &Json) -> Option<Value> {
    Some(match (kind, value) {
        (Kind::Json, value) => Value::Json(value.to_string()),
        (_, Json::Null) => Value::Null,
        (Kind::Text, value) => Value::Text(value.as_str()?.to_owned()),
        (Kind::Integer, value) => Value::Integer(value.as_i64()?),
        (Kind::Number, value) => Value::Number(value.as_f64()?),
        (Kind::Boolean, value) => Value::Boolean(value.as_bool()?),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::declaration;
    use crate::model::Model;

    const TEXT: &str = r#"
title = "T"
[resources.users]
search = ["name"]
unique = [["name", "born"]]
fields.name = { type = "string", minLength = 1, ignoreCase = true, pattern = "^[A-Z]" }
fields.born = { type = "integer", optional = true }
fields.rate = { type = "number", default = 0.1 }
fields.far  = { type = "integer", format = "int64", default = 9007199254740993 }
fields.any  = { default = { a = [1, "x"] } }
fields.flag = { type = ["boolean", "null"] }
[resources.notes]
id = "uuid"
index = [["by", "text"], ["text", "createdAt"]]
fields.by   = { references = "users", onDelete = "cascade" }
fields.text = { type = "string", default = "it's" }
"#;

    fn read(text: &str) -> Model {
        declaration::read(text).model.unwrap()
    }

    #[test]
    fn a_shape_gives_back_the_model_of_its_tables() {
        let model = read(TEXT);
        let shape = model.shape().to_string();
        let again = Model::of_shape(&shape).unwrap();
        assert_eq!(again.shape().to_string(), shape);
        assert_eq!(again.table_digest(), model.table_digest());
        for (before, after) in model.resources.iter().zip(&again.resources) {
            for (before, after) in before.fields.iter().zip(&after.fields) {
                assert_eq!(before.default, after.default, "{}", before.name);
            }
        }
    }

    #[test]
    fn what_a_newer_version_wrote_is_not_read() {
        let shape = read(TEXT).shape().to_string().replacen("\"version\":1", "\"version\":2", 1);
        assert!(Model::of_shape(&shape).is_none());
        assert!(Model::of_shape("{}").is_none());
        assert!(Model::of_shape("").is_none());
    }
}
