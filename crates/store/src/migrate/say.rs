//! What the steps of a plan are called, for people and for scripts.

use serde_json::Value as Json;

use super::{Action, Presence, Step, Work};

impl Step {
    /// What the step does, as a sentence without its subject and its full stop.
    #[must_use]
    pub fn says(&self) -> String {
        match &self.action {
            Action::AddResource => "add the resource".to_owned(),
            Action::DropResource => "drop the resource".to_owned(),
            Action::RenameResource { was } => format!("rename the resource, it was `{was}`"),
            Action::ChangeId { was, now } => {
                format!("change ids from {} to {}", was.word(), now.word())
            }
            Action::AddField { field, fills: Some(value) } => {
                format!("add field `{field}`, {value} in every record that is there")
            }
            Action::AddField { field, fills: None } => format!("add field `{field}`"),
            Action::DropField { field } => format!("drop field `{field}`"),
            Action::RenameField { was, field } => format!("rename field `{was}` to `{field}`"),
            Action::ChangeType { field, was, now } => {
                format!("change the type of `{field}` from {was} to {now}")
            }
            Action::ChangePresence { field, was, now } => {
                format!("change `{field}` from {} to {}", was.word(), now.word())
            }
            Action::ChangeConstraint { field, keywords } => constraint(field, keywords),
            Action::ChangeDefault { field, now: Some(value) } => {
                format!("change the default of `{field}` to {value}")
            }
            Action::ChangeDefault { field, now: None } => {
                format!("take the default of `{field}` away")
            }
            Action::ChangeCase { field, ignored: true } => {
                format!("compare `{field}` without regard to case")
            }
            Action::ChangeCase { field, ignored: false } => {
                format!("compare `{field}` with regard to case")
            }
            Action::ChangeReference { field, now: Some((to, on_delete)) } => {
                format!("let `{field}` refer to {to}, onDelete \"{on_delete}\"")
            }
            Action::ChangeReference { field, now: None } => {
                format!("let `{field}` refer to nothing any more")
            }
            Action::AddIndex { fields } => format!("index {}", names(fields)),
            Action::DropIndex { fields } => format!("drop the index of {}", names(fields)),
            Action::AddUnique { fields } => format!("make {} unique", names(fields)),
            Action::DropUnique { fields } => {
                format!("let values of {} occur more than once", names(fields))
            }
            Action::ChangeSearch { fields } if fields.is_empty() => "search it no more".to_owned(),
            Action::ChangeSearch { fields } => format!("search {}", names(fields)),
            Action::Watch { fields } if fields.is_empty() => {
                "keep no values in the change log".to_owned()
            }
            Action::Watch { fields } => {
                format!("keep {} in the change log: who sees a record depends on it", names(fields))
            }
            Action::Renew => "renew what keeps the bookkeeping true".to_owned(),
        }
    }
}

fn names(fields: &[String]) -> String {
    let names: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    names.join(" and ")
}

fn constraint(field: &str, keywords: &[(String, Json)]) -> String {
    let each: Vec<String> = keywords
        .iter()
        .map(|(keyword, value)| match value {
            Json::Null => format!("no `{keyword}`"),
            value => format!("`{keyword}` {}", short(&value.to_string())),
        })
        .collect();
    format!("constrain `{field}`: {}", each.join(", "))
}

/// A value in a sentence: at most 60 characters of it.
pub(crate) fn short(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_owned();
    }
    text.chars().take(59).chain(['…']).collect()
}

impl Action {
    /// One word for scripts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AddResource => "addResource",
            Self::DropResource => "dropResource",
            Self::RenameResource { .. } => "renameResource",
            Self::ChangeId { .. } => "changeId",
            Self::AddField { .. } => "addField",
            Self::DropField { .. } => "dropField",
            Self::RenameField { .. } => "renameField",
            Self::ChangeType { .. } => "changeType",
            Self::ChangePresence { .. } => "changePresence",
            Self::ChangeConstraint { .. } => "changeConstraint",
            Self::ChangeDefault { .. } => "changeDefault",
            Self::ChangeCase { .. } => "changeCase",
            Self::ChangeReference { .. } => "changeReference",
            Self::AddIndex { .. } => "addIndex",
            Self::DropIndex { .. } => "dropIndex",
            Self::AddUnique { .. } => "addUnique",
            Self::DropUnique { .. } => "dropUnique",
            Self::ChangeSearch { .. } => "changeSearch",
            Self::Watch { .. } => "watch",
            Self::Renew => "renew",
        }
    }

    /// True where records are shown otherwise, or other ones are, than before: then no ETag from
    /// before may match, not even once a later migration has led back.
    pub(crate) fn is_shown(&self) -> bool {
        match self {
            Self::AddResource
            | Self::ChangeConstraint { .. }
            | Self::ChangeDefault { .. }
            | Self::ChangeReference { .. }
            | Self::AddIndex { .. }
            | Self::DropIndex { .. }
            | Self::AddUnique { .. }
            | Self::DropUnique { .. }
            | Self::ChangeSearch { .. }
            | Self::Watch { .. }
            | Self::Renew => false,
            // The order of a list is a matter of case.
            Self::ChangeCase { .. }
            | Self::DropResource
            | Self::RenameResource { .. }
            | Self::ChangeId { .. }
            | Self::AddField { .. }
            | Self::DropField { .. }
            | Self::RenameField { .. }
            | Self::ChangeType { .. }
            | Self::ChangePresence { .. } => true,
        }
    }
}

impl Presence {
    fn word(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Nullable => "nullable",
        }
    }
}

impl Work {
    /// One word for scripts.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Read => "read",
            Self::Index => "index",
            Self::Rewrite => "rewrite",
        }
    }
}
