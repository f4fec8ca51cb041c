//! The names of a rule: `record.status`, `record.order.customer`, `caller.id`, `now`.

use std::ops::Range;

use super::parse::Name;
use super::{Fault, Operand};
use crate::model::{Field, Kind, Model, Resource, ResourceIndex};
use crate::query::{Column, Path};
use crate::suggest::nearest;

/// A name that was found.
pub(super) struct Subject {
    pub(super) operand: Operand,
    /// The column and whose it is, where it is one.
    pub(super) column: Option<(ResourceIndex, Column)>,
    pub(super) meaning: Meaning,
    /// As it was written.
    pub(super) name: String,
}

/// What a value is, so that like is compared with like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A record of this resource, named by its id.
    Id(ResourceIndex),
    /// A date and time.
    Moment,
    /// A value of this kind; texts of some formats are of a kind of their own.
    Plain { kind: Kind, folds: bool, format: Option<&'static str> },
    /// What `who` calls a role.
    Role,
}

impl Subject {
    /// True where no record lacks it.
    pub(super) fn is_always_there(&self, model: &Model) -> bool {
        match (&self.operand, self.column) {
            (Operand::Record(path), Some((at, column))) => {
                path.through.is_empty() && !column.may_be_absent(&model.resources[at])
            }
            (Operand::Now, _) => true,
            _ => false,
        }
    }
}

impl Meaning {
    /// In words, without the resource.
    pub(super) fn said(&self) -> &'static str {
        match self {
            Self::Id(_) => "an id",
            Self::Moment => "a date and time",
            Self::Role => "a role",
            Self::Plain { format: Some("date"), .. } => "a date",
            Self::Plain { format: Some("time"), .. } => "a time of day",
            Self::Plain { format: Some(_), .. } => "a UUID",
            Self::Plain { kind: Kind::Text, folds: true, .. } => "a string without regard to case",
            Self::Plain { kind: Kind::Text, .. } => "a string",
            Self::Plain { kind: Kind::Integer, .. } => "an integer",
            Self::Plain { kind: Kind::Number, .. } => "a number",
            Self::Plain { kind: Kind::Boolean, .. } => "a boolean",
            Self::Plain { kind: Kind::Json, .. } => "any JSON",
        }
    }

    /// In words.
    pub(super) fn of(&self, model: &Model) -> String {
        match self {
            Self::Id(at) => format!("the id of one of `{}`", model.resources[*at].name),
            _ => self.said().to_owned(),
        }
    }

    /// What to do where two values are never compared with each other.
    pub(super) fn against(&self, other: &Self, model: &Model) -> Option<String> {
        let plain = Self::Plain { kind: Kind::Text, folds: false, format: None };
        match (self, other) {
            (Self::Role, Self::Role) => None,
            (one, other) if one == other => None,
            (Self::Role, other) | (other, Self::Role) if *other == plain => None,
            (Self::Id(at), Self::Plain { .. }) | (Self::Plain { .. }, Self::Id(at)) => {
                let name = &model.resources[*at].name;
                Some(format!("declare the field with `references = \"{name}\"`"))
            }
            (
                Self::Plain { kind: one, folds, .. },
                Self::Plain { kind: other, folds: other_folds, .. },
            ) if one == other && folds != other_folds => {
                Some("give both fields `ignoreCase`, or neither".to_owned())
            }
            _ => Some("values of one kind are compared with each other".to_owned()),
        }
    }

    fn column(resource: ResourceIndex, column: Column, model: &Model) -> Self {
        let declared = &model.resources[resource];
        let field = column.field(declared);
        match column {
            Column::Id => Self::Id(resource),
            Column::CreatedAt | Column::UpdatedAt => Self::Moment,
            Column::Field(_) => {
                if let Some(to) = field.and_then(|field| field.references) {
                    return Self::Id(to.resource);
                }
                let kind = column.kind(declared);
                let format = field.and_then(|field| field.schema.format());
                let format = format.filter(|_| kind == Kind::Text);
                match format {
                    Some("date-time") => Self::Moment,
                    format => {
                        let format = format.filter(|it| ["date", "time", "uuid"].contains(it));
                        let folds = field.is_some_and(|field| field.ignore_case);
                        Self::Plain { kind, folds, format }
                    }
                }
            }
        }
    }
}

/// What a name means over the records of a resource.
pub(super) fn find(
    model: &Model,
    resource: ResourceIndex,
    names: &[Name],
) -> Result<Subject, Fault> {
    let Some((root, rest)) = names.split_first() else {
        return Err(Fault::new(&(0..0), "a name is missing", ""));
    };
    match root.text.as_str() {
        "record" => record(model, resource, root, rest),
        "caller" => caller(model, root, rest),
        "now" => match rest.first() {
            Some(name) => Err(Fault::new(&name.span, "`now` is one moment and has no parts", "")),
            None => Ok(Subject {
                operand: Operand::Now,
                column: None,
                meaning: Meaning::Moment,
                name: "now".to_owned(),
            }),
        },
        text => {
            let declared = &model.resources[resource];
            let help = match nearest(text, ["record", "caller", "now", "null", "true", "false"]) {
                _ if declared.field(text).is_some() => format!("write record.{text}"),
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "there are `record`, `caller` and `now`; a text stands in quotes".to_owned()
                }
            };
            Err(Fault::new(&root.span, format!("nothing is called `{text}`"), &help))
        }
    }
}

fn record(
    model: &Model,
    resource: ResourceIndex,
    root: &Name,
    rest: &[Name],
) -> Result<Subject, Fault> {
    let declared = &model.resources[resource];
    match rest {
        [] => Err(Fault::new(&root.span, "a field of the record is missing", "write record.id")),
        [name] => {
            let column = column(declared, name)?;
            let operand = Operand::Record(column.into());
            let meaning = Meaning::column(resource, column, model);
            let written = format!("record.{}", name.text);
            Ok(Subject { operand, column: Some((resource, column)), meaning, name: written })
        }
        [reference, name] => {
            let through = column(declared, reference)?;
            let to = through.field(declared).and_then(|field| field.references);
            let (Some(to), Column::Field(field)) = (to, through) else {
                let message = format!("`{}` refers to no other record", reference.text);
                return Err(Fault::new(&name.span, message, "only references have parts"));
            };
            let column = column(&model.resources[to.resource], name)?;
            let operand = Operand::Record(Path { through: vec![field], column });
            let meaning = Meaning::column(to.resource, column, model);
            let written = format!("record.{}.{}", reference.text, name.text);
            Ok(Subject { operand, column: Some((to.resource, column)), meaning, name: written })
        }
        [_, _, deeper, ..] => {
            let message = "a rule looks into records that this one refers to, and no farther";
            let help = "keep what the rule needs in the record that is referred to";
            Err(Fault::new(&deeper.span, message, help))
        }
    }
}

fn caller(model: &Model, root: &Name, rest: &[Name]) -> Result<Subject, Fault> {
    let [name, farther @ ..] = rest else {
        let help = "write caller.id or caller.role; caller.id != null holds for every user";
        return Err(Fault::new(&root.span, "a value of the caller is missing", help));
    };
    if let Some(next) = farther.first() {
        let message = "of the caller a rule knows its own values only";
        return Err(Fault::new(&next.span, message, ""));
    }
    let written = format!("caller.{}", name.text);
    if name.text == "role" {
        let (operand, meaning) = (Operand::Role, Meaning::Role);
        return Ok(Subject { operand, column: None, meaning, name: written });
    }
    let Some(users) = model.users() else {
        let help = "give one resource a password: { type = \"string\", format = \"password\" }";
        return Err(Fault::new(&span(root, name), "nobody can sign in as a record", help));
    };
    let column = column(&model.resources[users], name)?;
    let meaning = Meaning::column(users, column, model);
    let operand = Operand::Caller(column);
    Ok(Subject { operand, column: Some((users, column)), meaning, name: written })
}

fn span(first: &Name, last: &Name) -> Range<usize> {
    first.span.start..last.span.end
}

/// A column that a rule may look at.
fn column(resource: &Resource, name: &Name) -> Result<Column, Fault> {
    let text = name.text.as_str();
    let column = match text {
        "id" => Some(Column::Id),
        "createdAt" => Some(Column::CreatedAt),
        "updatedAt" => Some(Column::UpdatedAt),
        _ => resource.field(text).map(|(at, _)| Column::Field(at)),
    };
    let Some(column) = column else {
        let may_stand =
            |field: &&Field| !(field.secret || field.write_only || field.kind == Kind::Json);
        let fields = resource.fields.iter().filter(may_stand).map(|field| field.name.as_str());
        let known = ["id", "createdAt", "updatedAt"].into_iter().chain(fields);
        let message = format!("`{}` has no field `{text}`", resource.name);
        let help = nearest(text, known.clone()).map(|near| format!("did you mean `{near}`?"));
        let help =
            help.unwrap_or_else(|| format!("there are: {}", known.collect::<Vec<_>>().join(", ")));
        return Err(Fault::new(&name.span, message, &help));
    };
    let Some(field) = column.field(resource) else { return Ok(column) };
    if field.secret || field.write_only {
        let message = format!("`{text}` is never shown, and a rule would tell what it is");
        return Err(Fault::new(&name.span, message, ""));
    }
    if field.kind == Kind::Json {
        let help = "give it one type, or keep what the rule needs in a field of its own";
        let message = format!(
            "`{text}` holds any JSON: a rule neither looks into it nor asks whether it is there"
        );
        return Err(Fault::new(&name.span, message, help));
    }
    Ok(column)
}
