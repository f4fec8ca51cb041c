//! The plan: which table becomes which resource, what its ids are, where its values come from, and
//! every note on the way.

use super::draft::{Draft, Presence};
use super::field;
use super::foreign::{Column, Foreign, Reference, Rule, Says, Table};
use super::name::{Of, choose};
use super::note::{Class, Note};
use super::{group, report, text, view};
use crate::model::IdKind;
use crate::value::ID_MAX;

pub use super::draft::Source;

/// The times that every record has.
const KEPT: [&str; 2] = ["createdAt", "updatedAt"];

/// What to declare, and how to fill it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The text of the declaration.
    pub declaration: String,
    /// One a resource, in the order of the declaration.
    pub carried: Vec<Carried>,
    /// What was not carried over, or not as it was.
    pub notes: Vec<Note>,
    /// The report for a person, without what is found while copying.
    pub report: String,
}

/// Where a resource comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// The table.
    pub table: usize,
    /// The resource's name.
    pub name: String,
    /// Where its ids come from.
    pub id: IdSource,
    /// Where its values come from, one a field.
    pub values: Vec<Source>,
    /// The columns of `createdAt` and `updatedAt`, where there are such.
    pub times: [Option<usize>; 2],
}

/// Where ids come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdSource {
    /// The column that is the table's key.
    Column(usize),
    /// The number by which the database itself tells rows apart.
    Row,
    /// They are counted from 1, in the order of the key.
    Count,
}

/// A resource on its way into the declaration.
pub(super) struct Resource {
    pub(super) table: usize,
    pub(super) name: String,
    pub(super) id: IdSource,
    pub(super) id_kind: IdKind,
    pub(super) fields: Vec<Draft>,
    pub(super) unique: Vec<Vec<usize>>,
    pub(super) index: Vec<Vec<usize>>,
    pub(super) times: [Option<usize>; 2],
}

/// Plans the adoption of a database.
#[must_use]
pub fn plan(foreign: &Foreign) -> Plan {
    let mut planner = Planner { foreign, resources: Vec::new(), notes: Vec::new() };
    let mut taken = Vec::new();
    for (table, found) in foreign.tables.iter().enumerate() {
        if !is_carried(found) {
            let rows = found.rows;
            let what = format!("{rows} rows: it has no column that a record could hold");
            planner.note(Class::LeftBehind, table, None, what);
            continue;
        }
        let name = choose(Of::Resource, &found.name, &taken);
        if name != found.name {
            planner.note(Class::Renamed, table, None, format!("is called {name} here"));
        }
        taken.push(name.clone());
        let (id, id_kind) = planner.id(table);
        planner.resources.push(Resource {
            table,
            name,
            id,
            id_kind,
            fields: Vec::new(),
            unique: Vec::new(),
            index: Vec::new(),
            times: [None, None],
        });
    }
    for at in 0..planner.resources.len() {
        planner.fields(at);
        group::declare(&mut planner, at);
    }
    view::note(&mut planner);
    planner.finish()
}

/// True where a table has something to keep.
fn is_carried(table: &Table) -> bool {
    (0..table.columns.len()).any(|at| is_held(table, at))
}

/// True where a record can hold what is in a column.
fn is_held(table: &Table, at: usize) -> bool {
    let column = &table.columns[at];
    let draft = || field::draft("x", at, column, &rules(table, at), false, &mut |_, _| {});
    column.generated.is_none() && draft().is_some()
}

/// Which of the times that every record has a column holds.
fn time_of(column: &Column) -> Option<usize> {
    let which = KEPT.iter().position(|name| name.eq_ignore_ascii_case(&column.name))?;
    let facts = &column.facts;
    (column.generated.is_none() && facts.nulls == 0 && facts.texts > 0 && facts.are_moments())
        .then_some(which)
}

/// What the CHECKs of a table ask of a column.
fn rules(table: &Table, column: usize) -> Vec<&Rule> {
    let about = |rule: &&Rule| rule.says.as_ref().is_some_and(|(at, _)| *at == column);
    table.rules.iter().filter(about).collect()
}

pub(super) struct Planner<'a> {
    pub(super) foreign: &'a Foreign,
    pub(super) resources: Vec<Resource>,
    pub(super) notes: Vec<Note>,
}

impl Planner<'_> {
    pub(super) fn note(
        &mut self,
        class: Class,
        table: usize,
        column: Option<usize>,
        text: impl Into<String>,
    ) {
        let found = &self.foreign.tables[table];
        let place = match column {
            Some(at) => format!("{}.{}", found.name, found.columns[at].name),
            None => found.name.clone(),
        };
        self.notes.push(Note { class, table: Some(table), column, place, text: text.into() });
    }

    /// What the ids of a table are: its key, where that can be one.
    fn id(&mut self, table: usize) -> (IdSource, IdKind) {
        let found = &self.foreign.tables[table];
        let is_other = |at: usize| {
            found.key != [at] && is_held(found, at) && time_of(&found.columns[at]).is_none()
        };
        let others = (0..found.columns.len()).any(is_other);
        if let &[key] = found.key.as_slice() {
            let column = &found.columns[key];
            if let Some(kind) = id_kind(found, column).filter(|_| others) {
                if column.ignores_case && kind != IdKind::Integer {
                    let what = "its ids are told apart by case, too";
                    self.note(Class::Unkept, table, Some(key), what);
                }
                return (IdSource::Column(key), kind);
            }
        }
        let is_row = found.numbers.is_some_and(|(least, most)| least >= 1 && most <= ID_MAX);
        let source = if is_row { IdSource::Row } else { IdSource::Count };
        let numbers = if is_row { "the number of its row" } else { "counted from 1" };
        let names: Vec<&str> = found.key.iter().map(|at| &*found.columns[*at].name).collect();
        let why = match names.as_slice() {
            [] => "it has no primary key".to_owned(),
            [name] if others => format!(
                "its key {name} holds what no id can be (1 to 2^53-1, or 1 to 128 of A-Z a-z 0-9 \
                 . _ ~ -)"
            ),
            [name] => format!("beside its key {name}, which is a unique field, it has nothing"),
            names => format!("its key ({}) is of several columns", names.join(", ")),
        };
        let what = format!("gets an `id` of its own, {numbers}: {why}");
        self.note(Class::Otherwise, table, None, what);
        (source, IdKind::Integer)
    }

    pub(super) fn resource_of(&self, table: usize) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.table == table)
    }

    fn fields(&mut self, at: usize) {
        let (table, id) = (self.resources[at].table, self.resources[at].id);
        let found = &self.foreign.tables[table];
        let usable = self.references(table);
        let mut drafts: Vec<Draft> = Vec::new();
        for (column, declared) in found.columns.iter().enumerate() {
            let single = usable
                .iter()
                .copied()
                .find(|reference| found.references[*reference].columns == [column]);
            if id == IdSource::Column(column) && single.is_none() {
                self.id_rules(table, column);
                continue;
            }
            if let Some(text) = &declared.generated {
                let what = format!("is computed, as {text}: compute it where it is needed");
                self.note(Class::LeftBehind, table, Some(column), what);
                continue;
            }
            if self.is_time(at, column) {
                continue;
            }
            let name = self.name(table, Some(column), &declared.name, &drafts);
            let draft = match single {
                Some(reference) => Some(self.reference(table, reference, name)),
                None => self.plain(table, column, &name),
            };
            if let Some(draft) = &draft
                && draft.name != declared.name
            {
                let what = format!("is called {} here", draft.name);
                self.note(Class::Renamed, table, Some(column), what);
            }
            drafts.extend(draft);
        }
        for reference in usable {
            let to = &found.references[reference];
            if to.columns.len() > 1 {
                let name = format!("{}_id", to.to);
                let name = self.name(table, None, &name, &drafts);
                drafts.push(self.reference(table, reference, name));
            }
        }
        for rule in found.rules.iter().filter(|rule| rule.says.is_none()) {
            self.note(Class::Unkept, table, None, format!("CHECK ({})", rule.text));
        }
        self.resources[at].fields = drafts;
    }

    fn name(&self, table: usize, column: Option<usize>, name: &str, drafts: &[Draft]) -> String {
        let taken: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
        let columns = &self.foreign.tables[table].columns;
        // A name that another column has as its own is its.
        let others = columns.iter().enumerate().filter(|(at, _)| Some(*at) != column);
        let others = others.map(|(_, column)| column.name.clone());
        let taken: Vec<String> = taken.into_iter().chain(others).collect();
        choose(Of::Field, name, &taken)
    }

    /// True of a column that holds what every record has by itself: it becomes that.
    fn is_time(&mut self, at: usize, column: usize) -> bool {
        let table = self.resources[at].table;
        let found = &self.foreign.tables[table].columns[column];
        let Some(which) = time_of(found) else { return false };
        // A resource has at least one field.
        let is_alone = (0..self.foreign.tables[table].columns.len())
            .all(|other| other == column || !is_held(&self.foreign.tables[table], other));
        if is_alone || self.resources[at].times[which].is_some() {
            return false;
        }
        self.resources[at].times[which] = Some(column);
        let what = format!("is the {} of every record, in UTC and kept by itself", KEPT[which]);
        self.note(Class::Otherwise, table, Some(column), what);
        true
    }

    fn plain(&mut self, table: usize, column: usize, name: &str) -> Option<Draft> {
        let found = &self.foreign.tables[table];
        let declared = &found.columns[column];
        let (rules, in_key) = (rules(found, column), found.key.contains(&column));
        let mut notes = Vec::new();
        let mut tell = |class, text| notes.push((class, text));
        let draft = field::draft(name, column, declared, &rules, in_key, &mut tell);
        if draft.is_none() {
            notes.push((Class::LeftBehind, nothing_held(declared)));
        }
        for (class, text) in notes {
            self.note(class, table, Some(column), text);
        }
        draft
    }

    /// The references that can be kept; of the others it is said why not.
    fn references(&mut self, table: usize) -> Vec<usize> {
        let found = &self.foreign.tables[table];
        let mut usable: Vec<usize> = Vec::new();
        for (at, reference) in found.references.iter().enumerate() {
            let target = reference.target.as_ref().map(|(to, _)| *to);
            let is_known = target.is_some_and(|to| self.resource_of(to).is_some());
            let is_second =
                usable.iter().any(|other| found.references[*other].columns == reference.columns);
            let why = if !is_known {
                "there is nothing of which it names exactly one row".to_owned()
            } else if reference.dangling > 0 {
                format!(
                    "{} that {} nothing which is there ({}); mend that and adopt again, or this \
                     stays a field like others",
                    if reference.dangling == 1 {
                        "a row".to_owned()
                    } else {
                        format!("{} rows", reference.dangling)
                    },
                    if reference.dangling == 1 { "names" } else { "name" },
                    examples(reference)
                )
            } else if is_second {
                "a field refers to one resource".to_owned()
            } else {
                usable.push(at);
                continue;
            };
            let what = format!("REFERENCES {}: {why}", reference.to);
            self.note(Class::Unkept, table, reference.columns.first().copied(), what);
        }
        usable
    }

    fn reference(&mut self, table: usize, at: usize, name: String) -> Draft {
        let found = &self.foreign.tables[table];
        let reference = &found.references[at];
        let column = reference.columns[0];
        let mut draft = Draft::new(name, Source::Reference(at));
        let is_present = |at: &usize| {
            let column = &found.columns[*at];
            (column.not_null || found.key.contains(at)) && column.facts.nulls == 0
        };
        if !reference.columns.iter().all(is_present) {
            draft.presence = Presence::Optional;
        }
        let (to, columns) = reference.target.clone().unwrap_or_default();
        let action = self.on_delete(table, at, draft.presence);
        draft.references = Some((to, action));
        let other = &self.foreign.tables[to];
        let id = self.resource_of(to).map(|resource| resource.id);
        if let &[to_column] = columns.as_slice() {
            if id != Some(IdSource::Column(to_column)) {
                let (to, name) = (&other.name, &other.columns[to_column].name);
                let what = format!("names the record of {to} by its id here, not by its {name}");
                self.note(Class::Otherwise, table, Some(column), what);
            }
            self.reference_rules(table, column);
        } else {
            let names: Vec<&str> =
                reference.columns.iter().map(|at| &*found.columns[*at].name).collect();
            let what = format!(
                "({}) refers to {}: the field {} does, and the columns stand beside it",
                names.join(", "),
                other.name,
                draft.name
            );
            self.note(Class::Otherwise, table, None, what);
        }
        draft
    }

    fn on_delete(&mut self, table: usize, at: usize, presence: Presence) -> &'static str {
        let reference = &self.foreign.tables[table].references[at];
        match reference.on_delete.as_str() {
            "CASCADE" => "cascade",
            "SET NULL" if presence == Presence::Optional => "clear",
            "SET NULL" | "SET DEFAULT" => {
                let what = format!("ON DELETE {}: the deletion is refused", reference.on_delete);
                self.note(Class::Unkept, table, reference.columns.first().copied(), what);
                "restrict"
            }
            _ => "restrict",
        }
    }

    /// What is asked of a reference beside what it names.
    fn reference_rules(&mut self, table: usize, column: usize) {
        let found = &self.foreign.tables[table];
        for rule in rules(found, column) {
            if !matches!(rule.says, Some((_, Says::Present | Says::Type(_)))) {
                let what = format!("CHECK ({}): it is a reference", rule.text);
                self.note(Class::Unkept, table, Some(column), what);
            }
        }
        match &found.columns[column].default {
            None | Some(super::foreign::Default_::Literal(super::foreign::Literal::Null)) => {}
            Some(_) => {
                let what = "its DEFAULT: a reference has none, and has to be sent";
                self.note(Class::Unkept, table, Some(column), what);
            }
        }
    }

    /// What is asked of a key beside that it is an id.
    fn id_rules(&mut self, table: usize, column: usize) {
        let found = &self.foreign.tables[table];
        for rule in rules(found, column) {
            if !matches!(rule.says, Some((_, Says::Present | Says::Type(_)))) {
                let what = format!("CHECK ({}): it is the id", rule.text);
                self.note(Class::Unkept, table, Some(column), what);
            }
        }
    }

    fn finish(mut self) -> Plan {
        self.notes.sort_by_key(|note| (note.class, note.table, note.column));
        let declaration = text::write(self.foreign, &self.resources, &self.notes);
        let report = report::write(self.foreign, &self.resources, &self.notes);
        let carried = self.resources.into_iter().map(|resource| Carried {
            table: resource.table,
            name: resource.name,
            id: resource.id,
            values: resource.fields.iter().map(|draft| draft.source).collect(),
            times: resource.times,
        });
        Plan { declaration, carried: carried.collect(), notes: self.notes, report }
    }
}

/// What ids a key can be.
fn id_kind(table: &Table, column: &Column) -> Option<IdKind> {
    if table.rows > 0 {
        let kinds = [IdKind::Integer, IdKind::Uuid, IdKind::Text];
        return kinds.into_iter().find(|kind| column.facts.are_ids(*kind));
    }
    let declared = column.declared.to_ascii_uppercase();
    if declared.contains("INT") {
        return Some(IdKind::Integer);
    }
    declared.contains("UUID").then_some(IdKind::Uuid).or_else(|| {
        let words = ["CHAR", "TEXT", "CLOB"];
        words.iter().any(|word| declared.contains(word)).then_some(IdKind::Text)
    })
}

/// Why there is no field for a column.
fn nothing_held(column: &Column) -> String {
    let facts = &column.facts;
    let mut parts = Vec::new();
    if facts.blobs > 0 {
        let (count, bytes, most) = (facts.blobs, facts.blob_bytes, facts.blob_most);
        let blobs = if count == 1 { "BLOB" } else { "BLOBs" };
        parts.push(format!("{count} {blobs} of {bytes} bytes in all, the largest of {most}"));
    }
    if facts.broken > 0 {
        let count = facts.broken;
        parts.push(format!("{count} texts that are not UTF-8 or contain U+0000"));
    }
    if facts.infinite > 0 {
        parts.push(format!("{} infinite numbers", facts.infinite));
    }
    match parts.as_slice() {
        [] => format!("{}, always empty", column.declared),
        parts => format!("{}; no record can hold them", parts.join(", ")),
    }
}

fn examples(reference: &Reference) -> String {
    let all = reference.examples.len() as u64 == reference.dangling;
    format!("{}{}", reference.examples.join("; "), if all { "" } else { "; …" })
}
