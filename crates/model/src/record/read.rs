//! Documents into drafts of records: every member is known, of its type and within its rules, or
//! is a violation at its place.

use contract::fault::{self, Fault};
use contract::problem::Violation;
use serde_json::{Map, Value as Json};

use super::{Record, Version, whole};
use crate::model::{Field, FieldIndex, IdKind, Kind, Model, Resource};
use crate::schema::VIOLATIONS_MAX;
use crate::value::{ID_MAX, Id, Timestamp, Value};
use crate::{json, suggest};

/// The largest whole number that every reader of JSON keeps exactly (RFC 8259 §6): 2^53−1.
const SAFE_MAX: i64 = (1 << 53) - 1;

/// What a document says of a record; the rest is the engine's.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The id that the document names. With `Purpose::Replace` and `Purpose::Patch` it is that of
    /// the current record.
    pub id: Option<Id>,
    /// One value a declared field, defaults filled in. `None`: absent.
    pub values: Vec<Option<Value>>,
    /// `createdAt` of a seed.
    pub created_at: Option<Timestamp>,
    /// `updatedAt` of a seed.
    pub updated_at: Option<Timestamp>,
    /// The version, of a record that is moved whole.
    pub version: Option<Version>,
    /// The password fields whose values are hashes already.
    pub hashed: Vec<FieldIndex>,
    /// The fields of the current record that were sent though this client cannot read them. That
    /// is a write, whatever was sent: who were told that nothing changed would know the value.
    pub unseen: Vec<FieldIndex>,
}

/// What a document is read for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// A new record by POST. The id may be named where ids are UUIDs or texts.
    Create,
    /// A new record by PUT at this id. The document may repeat it.
    CreateAt(&'a Id),
    /// All that this client can see and write is replaced (PUT). What it cannot see is kept where
    /// it is absent; what it cannot write may be repeated, or left out.
    Replace {
        /// The record as it is.
        current: &'a Record,
    },
    /// A patched document (PATCH): as `Replace`, but the members that the server keeps must still
    /// be there, since a patch that removes them would be dropped silently.
    Patch {
        /// The record as it is.
        current: &'a Record,
    },
    /// A record of the operator's own: everything may be set.
    Seed,
    /// As `Seed`, with the members that `record::whole` writes.
    Whole,
}

impl<'a> Purpose<'a> {
    fn current(self) -> Option<&'a Record> {
        match self {
            Self::Replace { current } | Self::Patch { current } => Some(current),
            Self::Create | Self::CreateAt(_) | Self::Seed | Self::Whole => None,
        }
    }

    fn is_patch(self) -> bool {
        matches!(self, Self::Patch { .. })
    }

    fn is_seed(self) -> bool {
        matches!(self, Self::Seed | Self::Whole)
    }

    fn is_whole(self) -> bool {
        matches!(self, Self::Whole)
    }
}

/// Why a document is not a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// True where the only faults are members that must not change (`id`, `createdAt`,
    /// `updatedAt`, readOnly, immutable) and differ from the current record: 409 on PUT, 422 on
    /// PATCH.
    pub read_only: bool,
    /// The faults, `VIOLATIONS_MAX` at most.
    pub violations: Vec<Violation>,
}

/// Reads a document.
///
/// # Errors
/// All faults at once, each with a JSON Pointer to its member.
pub fn read(
    model: &Model,
    resource: &Resource,
    document: &Json,
    purpose: Purpose<'_>,
) -> Result<Draft, Rejection> {
    let Json::Object(members) = document else {
        let detail = format!("must be an object with the members of a record of {}", resource.name);
        return Err(Rejection { read_only: false, violations: vec![Violation::at("", detail)] });
    };
    let mut reader = Reader {
        model,
        resource,
        members,
        purpose,
        faults: Vec::new(),
        conflicts: Vec::new(),
        hashed: Vec::new(),
        unseen: Vec::new(),
    };
    let draft = reader.draft();
    reader.unknown();
    if reader.faults.is_empty() && reader.conflicts.is_empty() {
        return Ok(draft);
    }
    let read_only = reader.faults.is_empty();
    let mut violations = reader.faults;
    violations.append(&mut reader.conflicts);
    violations.truncate(VIOLATIONS_MAX);
    Err(Rejection { read_only, violations })
}

/// True of the members that the server keeps of every record.
pub(super) fn is_kept(name: &str) -> bool {
    matches!(name, "id" | "createdAt" | "updatedAt")
}

struct Reader<'a> {
    model: &'a Model,
    resource: &'a Resource,
    members: &'a Map<String, Json>,
    purpose: Purpose<'a>,
    faults: Vec<Violation>,
    conflicts: Vec<Violation>,
    hashed: Vec<FieldIndex>,
    unseen: Vec<FieldIndex>,
}

impl Reader<'_> {
    fn draft(&mut self) -> Draft {
        let id = self.id();
        let created_at = self.moment("createdAt", |current| current.created_at);
        let updated_at = self.moment("updatedAt", |current| current.updated_at);
        let mut values = Vec::with_capacity(self.resource.fields.len());
        for index in 0..self.resource.fields.len() {
            let value = self.field(index);
            values.push(value);
        }
        let version = self.version();
        let hashed = std::mem::take(&mut self.hashed);
        let unseen = std::mem::take(&mut self.unseen);
        Draft { id, values, created_at, updated_at, version, hashed, unseen }
    }

    fn fault(&mut self, name: &str, detail: impl Into<String>) {
        if self.faults.len() < VIOLATIONS_MAX {
            self.faults.push(Violation::at(pointer(name), detail));
        }
    }

    /// A member that must stay as it is, and does not.
    fn conflict(&mut self, name: &str, detail: impl Into<String>) {
        self.conflicts.push(Violation::at(pointer(name), detail));
    }

    /// A member that the client must repeat or leave out. In a patch, leaving out is removing.
    fn kept(&mut self, name: &str, current: Option<&Json>) {
        let changed = match (self.members.get(name), current) {
            (Some(sent), Some(current)) => !json::equal(sent, current),
            (Some(_), None) => true,
            (None, current) => self.purpose.is_patch() && current.is_some(),
        };
        if changed && self.purpose.is_patch() {
            self.conflict(name, "must stay as it is: a patch neither changes nor removes it");
        } else if changed {
            self.conflict(name, "must not be changed: leave it out, or send it as it is");
        }
    }

    fn id(&mut self) -> Option<Id> {
        let kind = self.resource.id;
        let sent = self.members.get("id");
        let known = match self.purpose {
            Purpose::CreateAt(id) => Some(id),
            purpose => purpose.current().map(|current| &current.id),
        };
        if let Some(id) = known {
            self.kept("id", Some(&id.to_value().to_json()));
            return Some(id.clone());
        }
        let sent = sent?;
        if matches!(kind, IdKind::Integer) && !self.purpose.is_seed() {
            self.fault("id", "is chosen by the server: leave it out");
            return None;
        }
        let id = id(kind, sent);
        if id.is_none() {
            self.fault("id", format!("must be {}", expected_id(kind)));
        }
        id
    }

    fn moment(&mut self, name: &str, of: fn(&Record) -> Timestamp) -> Option<Timestamp> {
        if let Some(current) = self.purpose.current() {
            let moment = of(current);
            // The same moment in another spelling is not a change.
            let sent = self.members.get(name).and_then(Json::as_str).and_then(Timestamp::parse);
            if sent != Some(moment) {
                self.kept(name, Some(&Json::String(moment.text())));
            }
            return None;
        }
        let sent = self.members.get(name)?;
        if !self.purpose.is_seed() {
            self.fault(name, "is set by the server: leave it out");
            return None;
        }
        let moment = sent.as_str().and_then(Timestamp::parse);
        if moment.is_none() {
            self.fault(name, "must be a date and time, such as \"2026-02-06T10:30:00Z\"");
        }
        moment
    }

    fn version(&mut self) -> Option<Version> {
        let sent = self.members.get(whole::VERSION).filter(|_| self.purpose.is_whole())?;
        let version = sent.as_str().and_then(Version::parse);
        if version.is_none() {
            self.fault(whole::VERSION, "must be a version as an export writes it: leave it out");
        }
        version
    }

    /// A password that comes as the hash that is kept of it.
    fn hash(&mut self, index: FieldIndex, field: &Field) -> Option<Value> {
        let name = whole::member(field);
        let sent = self.members.get(&name)?;
        if self.members.contains_key(&field.name) {
            self.fault(&field.name, format!("is there as {name} too: send one of them"));
        }
        match sent.as_str() {
            Some(hash) if hash.starts_with("$argon2") => {
                self.hashed.push(index);
                Some(Value::Text(hash.to_owned()))
            }
            Some(_) | None => {
                let detail = format!("must be a hash of argon2; send a password as {}", field.name);
                self.fault(&name, detail);
                Some(Value::Null)
            }
        }
    }

    fn field(&mut self, index: FieldIndex) -> Option<Value> {
        let resource = self.resource;
        let field = &resource.fields[index];
        let sent = self.members.get(&field.name).filter(|_| field.exists());
        if field.password
            && self.purpose.is_whole()
            && let Some(hash) = self.hash(index, field)
        {
            return Some(hash);
        }
        if let Some(current) = self.purpose.current() {
            let current = current.values.get(index).and_then(Option::as_ref);
            if field.read_only || field.immutable {
                return self.fixed(field, current);
            }
            if !field.visible() && sent.is_some() {
                self.unseen.push(index);
            }
            if !field.visible() || fault::on(Fault::PutMerges) {
                return match sent {
                    None => current.cloned(),
                    // There is no other way to say that it shall be gone.
                    Some(Json::Null) if field.optional => None,
                    Some(sent) => self.value(field, sent),
                };
            }
            // What this client cannot write it may leave out of what it puts.
            if field.sealed && sent.is_none() && !self.purpose.is_patch() {
                return current.cloned();
            }
        } else if field.read_only && !self.purpose.is_seed() {
            if sent.is_some() {
                self.fault(&field.name, "is set by the server: leave it out");
            }
            return field.default.clone().or(field.nullable.then_some(Value::Null));
        }
        match sent {
            Some(sent) => self.value(field, sent),
            // A merge patch can only remove (RFC 7396 §2): what that leaves of a nullable field is
            // null.
            None if self.purpose.is_patch() && field.nullable => self.value(field, &Json::Null),
            None if field.default.is_some() => field.default.clone(),
            None => {
                if !field.optional && !field.read_only {
                    self.required(field);
                }
                None
            }
        }
    }

    /// A required member is not there. One that does not exist for the client is not named.
    fn required(&mut self, field: &Field) {
        if field.exists() {
            return self.fault(&field.name, "is required");
        }
        let detail = "needs a member that you may not set: others create such records";
        if !self.faults.iter().any(|fault| fault.detail == detail) {
            self.faults.push(Violation::at("", detail));
        }
    }

    /// A field that does not change after creation.
    fn fixed(&mut self, field: &Field, current: Option<&Value>) -> Option<Value> {
        if field.visible() {
            self.kept(&field.name, current.map(Value::to_json).as_ref());
        } else if self.members.contains_key(&field.name) && field.exists() {
            // Comparing would tell whether a guess at a hidden value is right.
            self.conflict(&field.name, "must not be changed: leave it out");
        }
        current.cloned()
    }

    fn value(&mut self, field: &Field, sent: &Json) -> Option<Value> {
        let before = self.faults.len();
        let value = self.typed(field, sent);
        match value {
            Ok(value) => {
                field.check(sent, &pointer(&field.name), &mut self.faults);
                (self.faults.len() == before).then_some(value)
            }
            Err(detail) => {
                self.fault(&field.name, detail);
                None
            }
        }
    }

    /// The value in the kind of its field, before the rules of its schema.
    fn typed(&self, field: &Field, sent: &Json) -> Result<Value, String> {
        if sent.is_null() {
            return match field.kind {
                _ if field.nullable => Ok(Value::Null),
                Kind::Json => Ok(Value::Json("null".to_owned())),
                _ if field.optional => Err("must not be null: leave it out".to_owned()),
                _ => Err("must not be null".to_owned()),
            };
        }
        if let Some(reference) = field.references {
            let target = &self.model.resources[reference.resource];
            return id(target.id, sent).map(|id| id.to_value()).ok_or_else(|| {
                format!("must be the id of a record of {}: {}", target.name, expected_id(target.id))
            });
        }
        match (field.kind, sent) {
            (Kind::Text, Json::String(text)) => {
                storable(sent)?;
                Ok(Value::Text(text.clone()))
            }
            (Kind::Boolean, Json::Bool(value)) => Ok(Value::Boolean(*value)),
            (Kind::Integer, Json::Number(number)) => integer(field, number).map(Value::Integer),
            (Kind::Number, Json::Number(number)) => {
                storable(sent)?;
                binary64(number).map(Value::Number)
            }
            (Kind::Json, _) => {
                storable(sent)?;
                Ok(Value::Json(sent.to_string()))
            }
            (Kind::Text, _) => Err("must be a string".to_owned()),
            (Kind::Boolean, _) => Err("must be true or false".to_owned()),
            (Kind::Integer, _) => Err("must be a whole number".to_owned()),
            (Kind::Number, _) => Err("must be a number".to_owned()),
        }
    }

    /// True of a member that only the operator may send.
    fn is_of_operator(&self, name: &str) -> bool {
        let names = [whole::VERSION, whole::RESOURCE, whole::FAULT];
        let is_one = names.contains(&name) || whole::hashed(self.resource, name).is_some();
        self.purpose.is_whole() && is_one
    }

    fn unknown(&mut self) {
        let resource = self.resource;
        for name in self.members.keys() {
            let exists = resource.field(name).is_some_and(|(_, field)| field.exists());
            let is_known = is_kept(name) || exists || self.is_of_operator(name);
            if is_known {
                continue;
            }
            if self.faults.len() >= VIOLATIONS_MAX {
                return;
            }
            let is_taken = |field: &&Field| !field.secret && !field.read_only && field.exists();
            let known = resource.fields.iter().filter(is_taken);
            let hint = suggest::hint(name, known.map(|field| field.name.as_str()));
            self.fault(name, format!("is not a member of {}{hint}", resource.name));
        }
    }
}

fn pointer(name: &str) -> String {
    format!("/{}", json::escape(name))
}

/// Reads an id from JSON.
fn id(kind: IdKind, sent: &Json) -> Option<Id> {
    match (kind, sent) {
        (IdKind::Integer, Json::Number(number)) => {
            let id = json::integer(number).and_then(|id| i64::try_from(id).ok())?;
            (1..=ID_MAX).contains(&id).then_some(Id::Integer(id))
        }
        (IdKind::Uuid | IdKind::Text, Json::String(text)) => kind.read(text),
        _ => None,
    }
}

/// What an id looks like, for a sentence.
pub(crate) fn expected_id(kind: IdKind) -> &'static str {
    match kind {
        IdKind::Integer => "a whole number from 1 to 9007199254740991",
        IdKind::Uuid => "a UUID in lower case, such as \"018f3c5e-7b1a-7c3d-9e4f-1a2b3c4d5e6f\"",
        IdKind::Text => "1 to 128 letters, digits and . _ ~ -",
    }
}

/// Reads a whole number within the range of its field.
fn integer(field: &Field, number: &serde_json::Number) -> Result<i64, String> {
    if number.as_f64().is_some_and(|number| number.fract() != 0.0) {
        return Err("must be a whole number".to_owned());
    }
    storable(&Json::Number(number.clone()))?;
    let (range, expected) = integer_range(field);
    let whole = json::integer(number)
        .and_then(|number| i64::try_from(number).ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| expected.to_owned())?;
    // With a fraction or an exponent it was read as binary64, which has lost its last digits.
    if number.is_f64() && !(-SAFE_MAX..=SAFE_MAX).contains(&whole) {
        return Err("must be written without a fraction and without an exponent".to_owned());
    }
    Ok(whole)
}

/// The whole numbers that a field may hold, and how to say so.
pub(crate) fn integer_range(field: &Field) -> (std::ops::RangeInclusive<i64>, &'static str) {
    if field.schema.format() == Some("int64") {
        return (i64::MIN..=i64::MAX, "must be a whole number of 64 bits");
    }
    let expected = "must be a whole number from -9007199254740991 to 9007199254740991, which every \
                    client can read exactly";
    (-SAFE_MAX..=SAFE_MAX, expected)
}

/// The binary64 number, if it is exactly the number that was sent.
fn binary64(number: &serde_json::Number) -> Result<f64, String> {
    let value = number.as_f64().filter(|value| value.is_finite());
    let exact = match (number.as_i128(), value) {
        (Some(integer), Some(value)) => value as i128 == integer,
        (_, value) => value.is_some(),
    };
    value.filter(|_| exact).ok_or_else(|| "has more digits than binary64 can hold".to_owned())
}

/// Refuses what one of the databases, or JSON, cannot give back: U+0000 and negative zero, at any
/// depth.
fn storable(value: &Json) -> Result<(), String> {
    let text = |text: &str| match text.contains('\0') {
        true => Err("must not contain the character U+0000".to_owned()),
        false => Ok(()),
    };
    match value {
        Json::String(value) => text(value),
        Json::Number(number) => {
            match number.as_f64().is_some_and(|number| number == 0.0 && number.is_sign_negative()) {
                true => Err("must not be negative zero: send 0".to_owned()),
                false => Ok(()),
            }
        }
        Json::Array(items) => items.iter().try_for_each(storable),
        Json::Object(members) => members.iter().try_for_each(|(name, member)| {
            text(name)?;
            storable(member)
        }),
        Json::Null | Json::Bool(_) => Ok(()),
    }
}
