//! Who asks: a user, a program with a key, nobody that is known, or the operator.

use std::sync::Arc;

use crate::model::Model;
use crate::query::Column;
use crate::record::Record;
use crate::value::{Id, Value};

/// The role that may do everything.
pub const ADMIN: &str = "admin";

/// Who asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Caller {
    /// The operator, by a command on the machine of the database: everything is allowed.
    Operator,
    /// Somebody who has not signed in.
    Nobody,
    /// A record of the resource whose records sign in.
    User {
        /// The record, as it was when the request came.
        record: Arc<Record>,
        /// Its role, where it has one.
        role: Option<String>,
    },
    /// A program with an API key.
    Key {
        /// The number of the key.
        id: i64,
        /// Its roles.
        roles: Vec<String>,
    },
}

impl Caller {
    /// The caller that a record of the users' resource is.
    #[must_use]
    pub fn user(model: &Model, record: Arc<Record>) -> Self {
        let role = model.users().and_then(|at| {
            let (index, _) = model.resources[at].field("role")?;
            match record.values.get(index)?.as_ref()? {
                Value::Text(role) => Some(role.clone()),
                _ => None,
            }
        });
        Self::User { record, role }
    }

    /// True where it is known who asks.
    #[must_use]
    pub fn is_signed_in(&self) -> bool {
        !matches!(self, Self::Nobody)
    }

    /// True for whoever may do everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::Operator) || self.has_role(ADMIN)
    }

    /// True where the caller has this role.
    #[must_use]
    pub fn has_role(&self, name: &str) -> bool {
        match self {
            Self::Operator | Self::Nobody => false,
            Self::User { role, .. } => role.as_deref() == Some(name),
            Self::Key { roles, .. } => roles.iter().any(|role| role == name),
        }
    }

    /// The id of the record that the caller is, where it is one.
    #[must_use]
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::User { record, .. } => Some(&record.id),
            Self::Operator | Self::Nobody | Self::Key { .. } => None,
        }
    }

    /// A value of the record that the caller is, where it is one and has the value.
    #[must_use]
    pub fn value(&self, column: Column) -> Option<Value> {
        let Self::User { record, .. } = self else { return None };
        let value = match column {
            Column::Id => Some(record.id.to_value()),
            Column::CreatedAt => Some(Value::Text(record.created_at.text())),
            Column::UpdatedAt => Some(Value::Text(record.updated_at.text())),
            Column::Field(index) => record.values.get(index).cloned().flatten(),
        };
        value.filter(|value| *value != Value::Null)
    }
}
