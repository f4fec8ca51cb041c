//! Cursors: places in ordered lists, signed so that nobody makes one up, and bound to what they are
//! places in: the resource as it is declared, the database, the filter and the order.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::model::{Kind, Model, Resource, ResourceIndex};
use model::query::{self, Position, Query, total_order};
use model::value::Value;
use serde_json::Value as Json;

use crate::idempotency::hash;

/// What cursors are signed with.
#[derive(Clone, Copy)]
pub(crate) struct Key([u8; 16]);

/// The list that a cursor is a place in.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The declaration.
    pub(crate) model: &'a Model,
    /// The resource.
    pub(crate) index: ResourceIndex,
    /// What its entity tags fold in: its declaration, and the database.
    pub(crate) salt: &'a str,
    /// Filter and order.
    pub(crate) query: &'a Query,
}

/// Bytes of a signature.
const SIGNATURE: usize = 16;

impl Key {
    /// The key that the secret of a database gives.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(hash(secret, "cursors", &[]))
    }

    fn sign(&self, place: Place<'_>, payload: &str) -> [u8; SIGNATURE] {
        let selection = query::selection(place.model, place.index, place.query);
        let name = place.model.resources[place.index].name.as_str();
        hash(&self.0, "cursor", &[name, place.salt, &selection, payload])
    }

    /// The cursor of a position.
    pub(crate) fn seal(&self, place: Place<'_>, position: &Position) -> String {
        let direction = Json::from(u8::from(position.backwards));
        let values = std::iter::once(direction).chain(position.values.iter().map(to_json));
        let payload = Json::Array(values.collect()).to_string();
        let mut bytes = self.sign(place, &payload).to_vec();
        bytes.extend_from_slice(payload.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position of a cursor; `None` where it was not given for this list.
    pub(crate) fn open(&self, place: Place<'_>, cursor: &str) -> Option<Position> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (signature, payload) = bytes.split_at_checked(SIGNATURE)?;
        let payload = std::str::from_utf8(payload).ok()?;
        if self.sign(place, payload) != signature {
            return None;
        }
        let Json::Array(items) = serde_json::from_str(payload).ok()? else { return None };
        let (direction, items) = items.split_first()?;
        let resource: &Resource = &place.model.resources[place.index];
        let order = total_order(&place.query.sort);
        let values: Option<Vec<Value>> = order
            .iter()
            .zip(items)
            .map(|(key, item)| of_json(key.column.kind(resource), item))
            .collect();
        let values = values.filter(|values| values.len() == order.len())?;
        Some(Position { values, backwards: direction.as_u64() == Some(1) })
    }
}

/// Numbers go by their bits: as decimals they would come back as a neighbour.
fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::from(*flag),
        Value::Integer(number) => Json::from(*number),
        Value::Number(number) => Json::from(number.to_bits()),
        Value::Text(text) | Value::Json(text) => Json::from(text.as_str()),
    }
}

fn of_json(kind: Kind, item: &Json) -> Option<Value> {
    Some(match (kind, item) {
        (_, Json::Null) => Value::Null,
        (Kind::Boolean, item) => Value::Boolean(item.as_bool()?),
        (Kind::Integer, item) => Value::Integer(item.as_i64()?),
        (Kind::Number, item) => Value::Number(f64::from_bits(item.as_u64()?)),
        (Kind::Text | Kind::Json, item) => Value::Text(item.as_str()?.to_owned()),
    })
}
