//! Columns: what a record is filtered, ordered and shown by.

use crate::model::{Field, FieldIndex, IdKind, Kind, Resource};

/// What a column is: a declared field, or one that the server keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// `id`
    Id,
    /// A declared field.
    Field(FieldIndex),
    /// `createdAt`
    CreatedAt,
    /// `updatedAt`
    UpdatedAt,
}

impl Column {
    /// Its name: a member of answers, and a parameter of filters.
    #[must_use]
    pub fn name(self, resource: &Resource) -> &str {
        match self {
            Self::Id => "id",
            Self::CreatedAt => "createdAt",
            Self::UpdatedAt => "updatedAt",
            Self::Field(index) => resource.fields.get(index).map_or("", |field| &field.name),
        }
    }

    /// The column of this name, among those that are shown: others do not exist here.
    #[must_use]
    pub fn find(resource: &Resource, name: &str) -> Option<Self> {
        match name {
            "id" => Some(Self::Id),
            "createdAt" => Some(Self::CreatedAt),
            "updatedAt" => Some(Self::UpdatedAt),
            _ => {
                let (index, _) = resource.field(name).filter(|(_, field)| field.visible())?;
                Some(Self::Field(index))
            }
        }
    }

    /// Every column that is shown, in the order of answers.
    pub fn all(resource: &Resource) -> impl Iterator<Item = Self> {
        let shown =
            |(index, field): (FieldIndex, &Field)| field.visible().then_some(Self::Field(index));
        let fields = resource.fields.iter().enumerate().filter_map(shown);
        std::iter::once(Self::Id).chain(fields).chain([Self::CreatedAt, Self::UpdatedAt])
    }

    /// The declared field, if it is one.
    #[must_use]
    pub fn field(self, resource: &Resource) -> Option<&Field> {
        match self {
            Self::Field(index) => resource.fields.get(index),
            Self::Id | Self::CreatedAt | Self::UpdatedAt => None,
        }
    }

    /// True where records can be found, ordered and grouped by it.
    #[must_use]
    pub fn comparable(self, resource: &Resource) -> bool {
        self.field(resource).is_none_or(Field::comparable)
    }

    /// What it holds.
    #[must_use]
    pub fn kind(self, resource: &Resource) -> Kind {
        match self {
            Self::Id if resource.id == IdKind::Integer => Kind::Integer,
            Self::Id | Self::CreatedAt | Self::UpdatedAt => Kind::Text,
            Self::Field(index) => resource.fields.get(index).map_or(Kind::Text, |it| it.kind),
        }
    }

    /// True where a record may have no value for it.
    #[must_use]
    pub fn may_be_absent(self, resource: &Resource) -> bool {
        self.field(resource).is_some_and(|field| field.optional || field.nullable)
    }
}
