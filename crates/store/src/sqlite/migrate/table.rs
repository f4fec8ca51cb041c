//! What has to be done to the table of one resource: nothing, another description, or all of it
//! anew; and where each of its columns comes from.

use std::collections::HashMap;

use model::model::{Field, IdKind, Kind};

use super::super::ddl::{self, ColumnText};
use super::check::Facts;
use crate::migrate::pair::{Models, Pair};
use crate::sql::{compared, fold_column, is_folded, quote};

/// How a table becomes what it shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is so already.
    Leave,
    /// Its rows fit: only its description in the schema is another one.
    Describe,
    /// Its rows are copied into a new table.
    Rebuild,
}

/// A column of the new table.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) column: ColumnText,
    pub(crate) source: Source,
}

/// Where the values of a column come from. Columns are named as they were before.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// This column, value for value.
    Copy(String),
    /// This column, in another kind, or with a default where it is empty.
    Convert { column: String, from: Kind, to: Kind, fill: Option<String> },
    /// The same in every row, as a literal of SQL.
    Fill(String),
    /// The case fold of another one.
    Fold(Box<Source>),
    /// Nothing: the column's own default stands in.
    Omit,
}

impl Source {
    /// The value as an expression, where `name` says what a column is called by now.
    pub(crate) fn expression(&self, name: &dyn Fn(&str) -> String) -> Option<String> {
        Some(match self {
            Self::Copy(column) => quote(&name(column)),
            Self::Convert { column, from, to, fill } => {
                let column = quote(&name(column));
                let value = match from == to {
                    true => column,
                    false => {
                        format!("_methodical_convert({}, {}, {column})", *from as u8, *to as u8)
                    }
                };
                match fill {
                    Some(literal) => format!("coalesce({value}, {literal})"),
                    None => value,
                }
            }
            Self::Fill(literal) => literal.clone(),
            Self::Fold(of) => format!("_methodical_fold({})", of.expression(name)?),
            Self::Omit => return None,
        })
    }

    /// The expression before anything was renamed.
    pub(crate) fn before(&self) -> Option<String> {
        self.expression(&str::to_owned)
    }
}

/// The kind of an id's column.
pub(crate) fn id_kind(id: IdKind) -> Kind {
    match id {
        IdKind::Integer => Kind::Integer,
        IdKind::Uuid | IdKind::Text => Kind::Text,
    }
}

/// True where the default stands in for values that are not there.
pub(crate) fn is_filled(was: &Field, now: &Field) -> bool {
    now.default.is_some() && !(was.nullable && now.nullable) && (was.optional || was.nullable)
}

/// The columns of the new table and where each comes from.
pub(crate) fn targets(models: Models<'_>, pair: &Pair<'_>) -> Vec<Target> {
    let old: Vec<String> =
        ddl::columns(models.old, pair.old).into_iter().map(|column| column.name).collect();
    let mut sources: HashMap<String, Source> = HashMap::new();
    let id = if id_kind(pair.old.id) == id_kind(pair.new.id) {
        Source::Copy("id".to_owned())
    } else {
        let (from, to) = (id_kind(pair.old.id), id_kind(pair.new.id));
        Source::Convert { column: "id".to_owned(), from, to, fill: None }
    };
    sources.insert("id".to_owned(), id);
    for (at, field) in pair.new.fields.iter().enumerate() {
        let source = of_field(pair.was(at), field);
        if is_folded(field) {
            let kept =
                pair.was(at).filter(|was| is_folded(was) && matches!(source, Source::Copy(_)));
            let fold = match kept {
                Some(was) => Source::Copy(fold_column(was)),
                None => Source::Fold(Box::new(source.clone())),
            };
            sources.insert(fold_column(field), fold);
        }
        sources.insert(field.name.clone(), source);
    }
    let columns = ddl::columns(models.new, pair.new);
    let target = |column: ColumnText| {
        let source = sources.get(&column.name).cloned().unwrap_or_else(|| {
            // What the server keeps beside the declared fields stays as it is.
            if old.contains(&column.name) {
                Source::Copy(column.name.clone())
            } else {
                Source::Omit
            }
        });
        Target { column, source }
    };
    columns.into_iter().map(target).collect()
}

fn of_field(was: Option<&Field>, now: &Field) -> Source {
    let literal = now.default.as_ref().map(ddl::literal);
    let Some(was) = was else {
        return literal.map_or_else(|| Source::Fill("NULL".to_owned()), Source::Fill);
    };
    let fill = literal.filter(|_| is_filled(was, now));
    if was.kind == now.kind && fill.is_none() {
        return Source::Copy(was.name.clone());
    }
    Source::Convert { column: was.name.clone(), from: was.kind, to: now.kind, fill }
}

/// The value of a column as it is compared, from the columns before.
pub(crate) fn compared_before(targets: &[Target], field: &Field) -> Option<String> {
    let column = compared(field);
    targets.iter().find(|target| target.column.name == column)?.source.before()
}

/// A table as it lies in the file.
#[derive(Clone, Debug)]
pub(crate) struct Lies {
    /// Its columns, in the order of its rows.
    pub(crate) columns: Vec<String>,
    /// False where rows may end before columns that were added later: such a column has the
    /// value that its default says, and would change with it.
    pub(crate) is_full: bool,
}

/// How the table becomes what it shall be.
pub(crate) fn way(
    models: Models<'_>,
    pair: &Pair<'_>,
    facts: &Facts,
    targets: &[Target],
    lies: &Lies,
) -> Way {
    let old: HashMap<String, String> = ddl::columns(models.old, pair.old)
        .into_iter()
        .map(|column| (column.name, column.definition))
        .collect();
    let comes_from = |target: &Target| match &target.source {
        Source::Copy(column) => Some(column.clone()),
        Source::Convert { column, from, to, .. } if from == to => Some(column.clone()),
        Source::Convert { .. } | Source::Fill(_) | Source::Fold(_) | Source::Omit => None,
    };
    let taken: Vec<Option<String>> = targets.iter().map(comes_from).collect();
    let stays = lies.columns.iter().all(|column| taken.contains(&Some(column.clone())));
    let rewrites = |target: &Target| match &target.source {
        Source::Copy(_) | Source::Fill(_) => false,
        Source::Convert { from, to, .. } => from != to,
        Source::Fold(_) | Source::Omit => true,
    };
    let new_default = pair
        .new
        .fields
        .iter()
        .enumerate()
        .any(|(at, field)| pair.was(at).is_some_and(|was| was.default != field.default));
    let rebuild = !stays
        || pair.old.id != pair.new.id
        || targets.iter().any(rewrites)
        || facts.filled.iter().any(|(_, tally)| tally.rows > 0)
        || (new_default && !lies.is_full);
    if rebuild {
        return Way::Rebuild;
    }
    let same = |(target, taken): (&Target, &Option<String>)| {
        taken.as_ref().and_then(|was| old.get(was)) == Some(&target.column.definition)
    };
    if targets.iter().zip(&taken).all(same) { Way::Leave } else { Way::Describe }
}

/// The statement that describes the table with its columns where they lie, and new ones behind.
pub(crate) fn described(pair: &Pair<'_>, targets: &[Target], lies: &Lies) -> String {
    let mut definitions = Vec::new();
    let is_from = |target: &&Target, name: &str| match &target.source {
        Source::Copy(column) | Source::Convert { column, .. } => column == name,
        Source::Fill(_) | Source::Fold(_) | Source::Omit => false,
    };
    for column in &lies.columns {
        let target = targets.iter().find(|target| is_from(target, column));
        definitions.extend(target.map(|target| target.column.definition.clone()));
    }
    let new = targets.iter().filter(|target| matches!(target.source, Source::Fill(_)));
    definitions.extend(new.map(|target| target.column.definition.clone()));
    ddl::table(&pair.new.name, definitions)
}
