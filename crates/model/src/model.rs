//! The Model: the declaration as it is meant. Built by `check`, immutable after.

use contract::problem::{Place, Violation};

use crate::access::{Narrowed, Rule};
use crate::issuer::Issuer;
use crate::query::{Column, Sort};
use crate::record::integer_range;
use crate::value::{Id, Value};

/// A validated declaration.
#[derive(Clone, Debug)]
pub struct Model {
    /// What people call this API.
    pub title: String,
    /// A sentence about it.
    pub description: Option<String>,
    /// The canonical path before every resource: `/api`, or `""` for the root. No trailing slash.
    pub prefix: String,
    /// Other paths that answer too, in the same form; `""` is the root.
    pub alias: Vec<String>,
    /// The folder of NDJSON files for a fresh database, relative to the declaration.
    pub seed: Option<String>,
    /// Origins whose pages may read answers, `*` alone for those of everybody.
    pub origins: Vec<String>,
    /// True where the named ones act with the cookies of their visitors.
    pub origins_credentials: bool,
    /// Query parameters that are passed over, as exact names or with a trailing `*`.
    pub ignore_parameters: Vec<String>,
    /// Every role that a caller can have: `admin`, those of the users, and those of keys alone.
    pub roles: Vec<String>,
    /// Others whose tokens are taken.
    pub issuers: Vec<Issuer>,
    /// The resources, in the order of the file.
    pub resources: Vec<Resource>,
    /// What is left of it for callers, as far as it was asked for.
    pub(crate) narrowed: Narrowed,
}

impl Model {
    /// The resource whose records sign in: the one with a password.
    #[must_use]
    pub fn users(&self) -> Option<ResourceIndex> {
        self.resources.iter().position(|resource| resource.fields.iter().any(|it| it.password))
    }

    /// The origins whose pages may read what is answered about a resource, or about none.
    #[must_use]
    pub fn origins_of(&self, resource: Option<ResourceIndex>) -> &[String] {
        let own = resource.and_then(|index| self.resources[index].origins.as_deref());
        own.unwrap_or(&self.origins)
    }

    /// The reference fields that name records of a resource, and what a deletion means to each.
    pub fn referrers(
        &self,
        target: ResourceIndex,
    ) -> impl Iterator<Item = (ResourceIndex, FieldIndex, OnDelete)> {
        self.resources.iter().enumerate().flat_map(move |(referrer, resource)| {
            resource.fields.iter().enumerate().filter_map(move |(index, field)| {
                let to = field.references.filter(|to| to.resource == target)?;
                Some((referrer, index, to.on_delete))
            })
        })
    }
}

/// Where a resource stands in `Model::resources`.
pub type ResourceIndex = usize;
/// Where a field stands in `Resource::fields`.
pub type FieldIndex = usize;

/// One declared resource: a table, a collection, its items.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its name: path segment, table, and member of a list answer.
    pub name: String,
    /// The name it had before (for migrations).
    pub was: Option<String>,
    /// A sentence about it.
    pub description: Option<String>,
    /// What its ids are.
    pub id: IdKind,
    /// Its declared fields, in the order of the file.
    pub fields: Vec<Field>,
    /// Fields whose text `q` finds.
    pub search: Vec<FieldIndex>,
    /// A declared Cache-Control for its reads.
    pub cache: Option<CacheLife>,
    /// True where PUT, PATCH and DELETE without a condition are a 428.
    pub preconditions_required: bool,
    /// True where POST without Idempotency-Key is a 400.
    pub key_required: bool,
    /// True where PUT may create under an integer id (`put = "upsert"`).
    pub upsert: bool,
    /// Groups of fields that are unique together.
    pub unique: Vec<Vec<FieldIndex>>,
    /// Groups of columns that are indexed together; the id, which ends every index, is not named.
    pub index: Vec<Vec<Column>>,
    /// The order of a list that asks for none. Empty: by id.
    pub sort: Vec<Sort>,
    /// Fields by which a user signs in.
    pub login: Vec<FieldIndex>,
    /// Who may do what. None: admins only.
    pub access: Option<Access>,
    /// Origins in the place of those of the whole API.
    pub origins: Option<Vec<String>>,
    /// The columns that say who sees a record: the change log keeps what stood in them.
    pub watched: Vec<Column>,
    /// Sixteen hex digits over everything that shapes its representation: folded into every ETag.
    pub digest: String,
}

impl Resource {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(FieldIndex, &Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }

    /// The fields whose text `q` finds for the caller.
    pub fn searched(&self) -> impl Iterator<Item = FieldIndex> {
        let field = |index: &FieldIndex| self.fields.get(*index);
        self.search.iter().filter(move |it| field(it).is_some_and(Field::comparable)).copied()
    }

    /// True where a client may name the id of a record that PUT creates (RFC 9110 §9.3.4).
    #[must_use]
    pub fn creates_by_put(&self) -> bool {
        self.upsert || !matches!(self.id, IdKind::Integer)
    }

    /// True where PUT may create a record of this very id.
    #[must_use]
    pub fn creates_at(&self, id: &Id) -> bool {
        let is_far = matches!(id, Id::Integer(number) if *number > crate::value::CHOSEN_ID_MAX);
        self.creates_by_put() && !is_far
    }
}

/// What the ids of a resource are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// From 1, chosen by the server, never reused; a client may choose one up to 2^52.
    Integer,
    /// A UUID (version 7 where the server chooses).
    Uuid,
    /// `[A-Za-z0-9._~-]{1,128}`.
    Text,
}

/// Characters of a password where no `maxLength` is declared.
const PASSWORD_CHARACTERS_MAX: usize = 1_024;

/// One declared field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name: member and column.
    pub name: String,
    /// What it holds, as storage and filters see it.
    pub kind: Kind,
    /// The JSON Schema that its values must fit.
    pub schema: crate::schema::Schema,
    /// The value that stands in where none is sent.
    pub default: Option<Value>,
    /// It may be absent; an absent value is left out of answers.
    pub optional: bool,
    /// It may be null; a null is shown.
    pub nullable: bool,
    /// No two records share a value.
    pub unique: bool,
    /// An index serves filters and sorts by it.
    pub index: bool,
    /// The resource that its value names a record of.
    pub references: Option<Reference>,
    /// The record named here owns this one.
    pub owner: bool,
    /// Set once, at creation.
    pub immutable: bool,
    /// Never shown to anybody, in any form.
    pub secret: bool,
    /// Never taken from a client.
    pub read_only: bool,
    /// Taken, never shown (`format = "password"` implies it).
    pub write_only: bool,
    /// A password: kept as an argon2id hash only.
    pub password: bool,
    /// Equality, uniqueness and order by Unicode case fold.
    pub ignore_case: bool,
    /// Who may read it.
    pub read: Option<Who>,
    /// Who may write it.
    pub write: Option<Who>,
    /// The name it had before (for migrations).
    pub was: Option<String>,
    /// Where it is shown to the caller that the model is for (`access::Sight`).
    pub shown: Shown,
    /// True where that caller may never write it.
    pub sealed: bool,
}

/// In which records a field is shown to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shown {
    /// In all that the caller sees.
    Always,
    /// In some of them.
    Sometimes,
    /// In none: it does not exist for the caller.
    Never,
}

impl Field {
    /// True where its value stands in answers.
    #[must_use]
    pub fn visible(&self) -> bool {
        !(self.secret || self.write_only) && self.shown != Shown::Never
    }

    /// True where records can be found, ordered and grouped by it.
    #[must_use]
    pub fn comparable(&self) -> bool {
        self.visible() && self.shown == Shown::Always
    }

    /// False where it does not exist for the caller, which may neither read nor write it.
    #[must_use]
    pub fn exists(&self) -> bool {
        let is_set = self.read_only && self.shown == Shown::Never;
        self.visible() || !(self.sealed || is_set)
    }

    /// How long a password may be: as long as the declaration says, or as anybody needs. Hashing
    /// what has no end would be work for nothing.
    #[must_use]
    pub fn password_characters_max(&self) -> usize {
        let declared = self.schema.source().get("maxLength").and_then(serde_json::Value::as_u64);
        let declared = declared.and_then(|most| usize::try_from(most).ok());
        declared.unwrap_or(PASSWORD_CHARACTERS_MAX)
    }

    /// Adds what is against a value by the schema of this field, or by its being a password without
    /// an end.
    pub fn check(&self, value: &serde_json::Value, pointer: &str, out: &mut Vec<Violation>) {
        match self.endless(value) {
            Some(detail) => out.push(Violation::at(pointer, detail)),
            None => self.schema.check(value, pointer, out),
        }
    }

    /// What is against a password for which no end is declared, if anything.
    fn endless(&self, value: &serde_json::Value) -> Option<String> {
        let most = self.password_characters_max();
        let is_endless = value.as_str().is_some_and(|text| text.chars().nth(most).is_some());
        // What is declared the schema says itself.
        let is_declared = self.schema.source().contains_key("maxLength");
        (self.password && is_endless && !is_declared)
            .then(|| format!("must be at most {most} characters long"))
    }

    /// What is against a value in this field, by its schema and by what can be kept, if anything.
    #[must_use]
    pub fn fault(&self, value: &serde_json::Value) -> Option<String> {
        if self.kind == Kind::Integer
            && let (range, expected) = integer_range(self)
            && value.as_i64().is_some_and(|whole| !range.contains(&whole))
        {
            return Some(expected.to_owned());
        }
        if value.as_str().is_some_and(|text| text.contains('\0')) {
            return Some("must not contain the character U+0000".to_owned());
        }
        let mut found = Vec::new();
        self.check(value, "", &mut found);
        let first = found.into_iter().next()?;
        Some(match first.place {
            Place::Pointer(pointer) if !pointer.is_empty() => {
                format!("at {pointer} {}", first.detail)
            }
            Place::Pointer(_) | Place::Parameter(_) | Place::Field(_) => first.detail,
        })
    }
}

/// What a field holds, as storage and comparison see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number: ±(2^53−1), or 64 bits with `format = "int64"`.
    Integer,
    /// A binary64 number, never NaN or infinite.
    Number,
    /// True or false.
    Boolean,
    /// Any JSON: objects, arrays, mixed types.
    Json,
}

/// A reference to a record of another resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The resource that is referred to.
    pub resource: ResourceIndex,
    /// What happens to the referring record when the other one is deleted.
    pub on_delete: OnDelete,
}

/// What happens to a referring record when the record it names is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion is refused.
    Restrict,
    /// It is deleted too.
    Cascade,
    /// Its field is cleared.
    Clear,
}

/// A declared life in caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLife {
    /// Shared caches may keep it.
    pub public: bool,
    /// Seconds that it is fresh, if it is at all.
    pub max_age_s: Option<u32>,
}

/// Who may do what with the records of a resource, as declared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// Who may read.
    pub read: Option<Who>,
    /// Who may create.
    pub create: Option<Who>,
    /// Who may change.
    pub update: Option<Who>,
    /// Who may delete.
    pub delete: Option<Who>,
}

/// A declared circle of callers: names (`anyone`, `signed-in`, `owner`, or a role) and a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Who {
    /// Any of these.
    pub names: Vec<String>,
    /// A rule over record and caller that has to hold besides.
    pub when: Option<Rule>,
}

/// Ids as the model reads them from a path.
impl IdKind {
    /// Reads the path segment of an item, percent-decoded. `None`: no record can have this id.
    #[must_use]
    pub fn read(self, segment: &str) -> Option<Id> {
        match self {
            Self::Integer => {
                let plain = segment.bytes().all(|byte| byte.is_ascii_digit())
                    && !segment.starts_with('0')
                    && segment.len() <= 16;
                let id = segment.parse::<i64>().ok().filter(|_| plain)?;
                (1..=crate::value::ID_MAX).contains(&id).then_some(Id::Integer(id))
            }
            Self::Uuid => {
                let id = uuid::Uuid::try_parse(segment).ok()?;
                let text = id.hyphenated().to_string();
                // One spelling a record: any other would be a second URL for it.
                (text == segment).then_some(Id::Text(text))
            }
            Self::Text => {
                let fits = (1..=128).contains(&segment.len())
                    && segment
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
                // `.` and `..` are steps in a path, not names (RFC 3986 §3.3).
                (fits && !matches!(segment, "." | "..")).then(|| Id::Text(segment.to_owned()))
            }
        }
    }
}
