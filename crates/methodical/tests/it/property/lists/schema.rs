//! Declarations drawn by chance, and what the naive evaluation knows of them.

use std::fmt::Write;

use serde_json::Value;

use super::values;
use crate::property::chance::Chance;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, compared exactly.
    Text,
    /// Text, compared without case.
    Folded,
    /// Text with `format = "date"`.
    Date,
    /// A whole number within ±(2^53-1).
    Integer,
    /// A whole number of 64 bits.
    Int64,
    /// A binary64 number.
    Number,
    /// A truth value.
    Boolean,
    /// Any JSON.
    Json,
    /// The id of a record of another resource.
    Reference(usize),
    /// The record's own id.
    Id(IdKind),
    /// `createdAt`, `updatedAt`
    Moment,
}

/// What ids are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdKind {
    Integer,
    Uuid,
    Text,
}

/// Whether a value has to be there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Presence {
    Required,
    Optional,
    Nullable,
    Default(Value),
}

/// A declared field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) presence: Presence,
    pub(super) unique: bool,
    index: bool,
}

/// A column of a resource: a field, or what the server keeps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A declared resource.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) name: String,
    pub(super) id: IdKind,
    pub(super) fields: Vec<Field>,
    /// Fields that are unique together.
    pub(super) unique: Vec<Vec<usize>>,
    index: Vec<Vec<usize>>,
}

/// Settings that shape lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) include: usize,
    pub(super) included: usize,
    pub(super) count: usize,
    pub(super) offset: usize,
    pub(super) page_default: usize,
    pub(super) steps: usize,
}

/// A declaration.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    pub(super) resources: Vec<Resource>,
    pub(super) limits: Limits,
}

const RESOURCES: [&str; 4] = ["items", "users", "tags", "logs"];
/// Among them words that are parameters of every list, which filters name with an operator.
const FIELDS: [&str; 16] = [
    "name", "title", "Label", "note", "price", "rank", "size", "mood", "page", "sort", "count",
    "q", "limit", "x1", "a_b", "fields",
];
/// Among them names of resources, which hide the way back.
const REFERENCES: [&str; 7] = ["boss", "part", "by", "near", "users", "tags", "include"];

impl Resource {
    /// Every column, in the order of answers.
    pub(super) fn columns(&self) -> Vec<Column> {
        let own = |name: &str, kind| Column { name: name.to_owned(), kind };
        let fields = self.fields.iter().map(|field| own(&field.name, field.kind));
        std::iter::once(own("id", Kind::Id(self.id)))
            .chain(fields)
            .chain([own("createdAt", Kind::Moment), own("updatedAt", Kind::Moment)])
            .collect()
    }

    /// The column of this name.
    pub(super) fn column(&self, name: &str) -> Column {
        self.columns().into_iter().find(|column| column.name == name).expect("a column")
    }

    /// The reference fields, each with what it refers to.
    pub(super) fn references(&self) -> Vec<(&Field, usize)> {
        let to = |field: &'_ Field| match field.kind {
            Kind::Reference(to) => Some(to),
            _ => None,
        };
        self.fields.iter().filter_map(|field| Some((field, to(field)?))).collect()
    }
}

impl Schema {
    /// Draws a declaration of two to four resources.
    pub(super) fn draw(chance: &mut Chance) -> Self {
        let number = 2 + chance.below(3);
        let skipped = chance.below(RESOURCES.len());
        let names = (0..number).map(|at| RESOURCES[(skipped + at) % RESOURCES.len()]);
        let names: Vec<String> = names.map(str::to_owned).collect();
        let id = |chance: &mut Chance| {
            *chance.pick(&[IdKind::Integer, IdKind::Integer, IdKind::Uuid, IdKind::Text])
        };
        let ids: Vec<IdKind> = names.iter().map(|_| id(chance)).collect();
        let resources =
            (0..number).map(|at| resource(chance, names[at].clone(), ids[at], at, number));
        let resources = resources.collect();
        let limits = Limits {
            include: *chance.pick(&[100, 1, 2, 3]),
            included: *chance.pick(&[2000, 2000, 3, 20]),
            count: *chance.pick(&[10_000, 3, 10]),
            offset: *chance.pick(&[10_000, 12, 30]),
            page_default: *chance.pick(&[20, 7]),
            steps: *chance.pick(&[20_000, 20_000, 50]),
        };
        Self { resources, limits }
    }

    /// What a reference, or an id, compares as.
    pub(super) fn id_kind(&self, kind: Kind) -> Option<IdKind> {
        match kind {
            Kind::Id(kind) => Some(kind),
            Kind::Reference(to) => Some(self.resources[to].id),
            _ => None,
        }
    }

    /// The declaration as it is written.
    pub(super) fn toml(&self) -> String {
        let mut out = "title = \"Lists\"\n".to_owned();
        for resource in &self.resources {
            write!(out, "\n[resources.{}]\n", resource.name).expect("a String takes it");
            match resource.id {
                IdKind::Integer => {}
                IdKind::Uuid => out.push_str("id = \"uuid\"\n"),
                IdKind::Text => out.push_str("id = \"text\"\n"),
            }
            for (word, groups) in [("unique", &resource.unique), ("index", &resource.index)] {
                let names = |group: &Vec<usize>| {
                    group.iter().map(|at| resource.fields[*at].name.clone()).collect::<Vec<_>>()
                };
                let groups: Vec<Vec<String>> = groups.iter().map(names).collect();
                if !groups.is_empty() {
                    writeln!(out, "{word} = {groups:?}").expect("a String takes it");
                }
            }
            for field in &resource.fields {
                let keys = self.keys(field).join(", ");
                writeln!(out, "fields.{} = {{ {keys} }}", field.name).expect("a String takes it");
            }
        }
        out
    }

    fn keys(&self, field: &Field) -> Vec<String> {
        let mut keys = Vec::new();
        let types = match field.kind {
            Kind::Text | Kind::Folded | Kind::Date => "string",
            Kind::Integer | Kind::Int64 => "integer",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Reference(to) if self.resources[to].id == IdKind::Integer => "integer",
            Kind::Reference(_) => "string",
            Kind::Json | Kind::Id(_) | Kind::Moment => "",
        };
        match (&field.presence, types) {
            // Any JSON: null is one of its values.
            (_, "") => {}
            (Presence::Nullable, types) => keys.push(format!("type = [\"{types}\", \"null\"]")),
            (_, _) if matches!(field.kind, Kind::Reference(_)) => {}
            (_, types) => keys.push(format!("type = \"{types}\"")),
        }
        match field.kind {
            Kind::Folded => keys.push("ignoreCase = true".to_owned()),
            Kind::Date => keys.push("format = \"date\"".to_owned()),
            Kind::Int64 => keys.push("format = \"int64\"".to_owned()),
            Kind::Reference(to) => {
                keys.push(format!("references = \"{}\"", self.resources[to].name));
            }
            _ => {}
        }
        match &field.presence {
            Presence::Optional => keys.push("optional = true".to_owned()),
            Presence::Default(value) => keys.push(format!("default = {value}")),
            Presence::Required | Presence::Nullable => {}
        }
        for (word, is_on) in [("unique", field.unique), ("index", field.index)] {
            if is_on {
                keys.push(format!("{word} = true"));
            }
        }
        keys
    }
}

fn resource(chance: &mut Chance, name: String, id: IdKind, at: usize, number: usize) -> Resource {
    let mut names: Vec<&str> = FIELDS.to_vec();
    let mut fields = Vec::new();
    for _ in 0..3 + chance.below(5) {
        let name = names.swap_remove(chance.below(names.len()));
        fields.push(field(chance, name));
    }
    let mut names: Vec<&str> = REFERENCES.to_vec();
    let mut to = chance.below(number);
    for _ in 0..chance.below(4) {
        let name = names.swap_remove(chance.below(names.len()));
        // Half of the time there are two references to one resource.
        if chance.once_in(2) {
            to = chance.below(number);
        }
        let absent = chance.pick(&[Presence::Optional, Presence::Nullable]).clone();
        let presence = if to < at && chance.once_in(2) { Presence::Required } else { absent };
        let kind = Kind::Reference(to);
        let place = chance.below(fields.len() + 1);
        let name = name.to_owned();
        fields.insert(place, Field { name, kind, presence, unique: false, index: false });
    }
    let groups = |chance: &mut Chance, times: usize, fields: &[Field]| {
        if !chance.once_in(times) {
            return Vec::new();
        }
        let plain = |at: &usize| fields[*at].kind != Kind::Json;
        let mut left: Vec<usize> = (0..fields.len()).filter(plain).collect();
        let mut group = Vec::new();
        while group.len() < 2 + chance.below(2) && !left.is_empty() {
            group.push(left.swap_remove(chance.below(left.len())));
        }
        if group.len() < 2 { Vec::new() } else { vec![group] }
    };
    let unique = groups(chance, 5, &fields);
    let index = groups(chance, 2, &fields);
    let index = index.into_iter().filter(|group| !unique.contains(group)).collect();
    Resource { name, id, fields, unique, index }
}

fn field(chance: &mut Chance, name: &str) -> Field {
    let kind = *chance.pick(&[
        Kind::Text,
        Kind::Text,
        Kind::Folded,
        Kind::Folded,
        Kind::Date,
        Kind::Integer,
        Kind::Integer,
        Kind::Int64,
        Kind::Number,
        Kind::Number,
        Kind::Boolean,
        Kind::Json,
    ]);
    let presence = match chance.below(5) {
        0 => Presence::Required,
        1 | 2 => Presence::Optional,
        3 => Presence::Nullable,
        _ if kind == Kind::Json => Presence::Nullable,
        _ => Presence::Default(values::plain(chance, kind)),
    };
    let may_differ = matches!(kind, Kind::Text | Kind::Folded | Kind::Int64 | Kind::Number);
    let has_default = matches!(presence, Presence::Default(_));
    let unique = may_differ && !has_default && chance.once_in(6);
    let index = kind != Kind::Json && !unique && chance.once_in(3);
    Field { name: name.to_owned(), kind, presence, unique, index }
}
