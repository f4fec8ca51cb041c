//! Reading a query: the same vocabulary as URL parameters, as a form, and as a JSON object.

use contract::fault::{self, Fault};
use contract::problem::{Place, Violation};
use serde_json::Value as Json;

use super::term::{OPERATORS, Term, comparison};
use super::{Column, Comparison, Count, DEPTH_MAX, Filter, Paging, Path, Query, Sort, View};
use crate::model::{Model, Resource, ResourceIndex};
use crate::schema::VIOLATIONS_MAX;
use crate::search::Terms;
use crate::setting::Settings;
use crate::{json, suggest};

/// The words that are parameters in themselves, in the order in which they are read: what stands
/// later may speak of what stands before.
pub(super) const WORDS: [&str; 12] = [
    "q",
    "query",
    "page",
    "limit",
    "count",
    "aggregate",
    "groupBy",
    "sort",
    "cursor",
    "include",
    "fields",
    "highlight",
];

/// The words that one record takes.
const ITEM_WORDS: [&str; 2] = ["include", "fields"];

/// Something that was read from parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Read<T> {
    /// What they mean.
    pub query: T,
    /// The names of the parameters that it was read from: they may be logged, others may not.
    pub known: Vec<String>,
}

/// Why a query was not read.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// True where a parameter is unknown or repeated; false where only values do not fit.
    pub unknown: bool,
    /// What is wrong, in a sentence or two, with the parameters that there are.
    pub detail: String,
    /// The single faults: at parameters, or at JSON Pointers where the query came as JSON.
    pub violations: Vec<Violation>,
    /// The names that were known all the same.
    pub known: Vec<String>,
}

/// Reads the parameters of a URL, or the pairs of a form.
///
/// # Errors
/// All faults at once, with a listing of the parameters where one was unknown.
pub fn read(
    model: &Model,
    resource: ResourceIndex,
    pairs: &[(String, String)],
    settings: &Settings,
) -> Result<Read<Query>, Rejection> {
    let mut reader = Reader::new(model, resource, settings, &WORDS);
    reader.pairs(pairs);
    reader.finish(&|name| Place::Parameter(name.to_owned()))
}

/// Reads the content of a QUERY: an object with the same names. Numbers and booleans are typed,
/// lists may be arrays, and `{"name": {"eq": "x"}}` means `name[eq]=x`.
///
/// # Errors
/// As `read`, with JSON Pointers.
pub fn read_json(
    model: &Model,
    resource: ResourceIndex,
    content: &Json,
    settings: &Settings,
) -> Result<Read<Query>, Rejection> {
    let mut reader = Reader::new(model, resource, settings, &WORDS);
    let Json::Object(members) = content else {
        reader.fault(Place::Pointer(String::new()), "must be an object with parameters as members");
        return reader.finish(&|name| Place::Pointer(name.to_owned()));
    };
    for (name, value) in members {
        let pointer = format!("/{}", json::escape(name));
        match value {
            // An operator by name, as it would stand in brackets.
            Json::Object(operators) if reader.path(name).is_ok() => {
                for (operator, value) in operators {
                    let place = || Place::Pointer(format!("{pointer}/{}", json::escape(operator)));
                    reader.parameter(&format!("{name}[{operator}]"), Term::Json(value), &place);
                }
            }
            value => {
                reader.parameter(name, Term::Json(value), &|| Place::Pointer(pointer.clone()));
            }
        }
    }
    reader.finish(&|name| Place::Pointer(format!("/{name}")))
}

/// Reads the parameters of one record: what of it is shown.
///
/// # Errors
/// As `read`.
pub fn read_item(
    model: &Model,
    resource: ResourceIndex,
    pairs: &[(String, String)],
    settings: &Settings,
) -> Result<Read<View>, Rejection> {
    let mut reader = Reader::new(model, resource, settings, &ITEM_WORDS);
    reader.pairs(pairs);
    let read = reader.finish(&|name| Place::Parameter(name.to_owned()))?;
    Ok(Read { query: read.query.view, known: read.known })
}

/// The parameters that a list of this resource has, for a sentence.
#[must_use]
pub fn known(resource: &Resource) -> String {
    let columns = Column::all(resource).filter(|column| column.comparable(resource));
    let names: Vec<_> = columns.map(|column| column.name(resource)).collect();
    format!(
        "{}; filters: {}, each also with an operator, as in name[ne]=…: {}",
        WORDS.join(", "),
        names.join(", "),
        OPERATORS.join(", ")
    )
}

/// True where a name is a word of the vocabulary, so that a field of this name is only meant by
/// `name[eq]`.
pub(super) fn is_reserved(name: &str) -> bool {
    WORDS.contains(&name)
}

/// True for a parameter that the declaration passes over (`ignore_parameters`).
#[must_use]
pub fn is_ignored(model: &Model, name: &str) -> bool {
    model.ignore_parameters.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    })
}

/// The declared order, as far as the caller may know it.
fn declared_order(resource: &Resource) -> Vec<Sort> {
    resource.sort.iter().filter(|key| key.column.comparable(resource)).copied().collect()
}

/// The column of this name, or what to write instead.
pub(super) fn column(resource: &Resource, name: &str) -> Result<Column, String> {
    Column::find(resource, name).ok_or_else(|| {
        let names = || Column::all(resource).map(|column| column.name(resource));
        let hint = suggest::hint(name, names());
        let known: Vec<_> = names().collect();
        let name = suggest::quoted(name);
        format!("{name} is not a field{hint}; the fields are {}", known.join(", "))
    })
}

/// The column of this name, if records can be ordered and grouped by it.
pub(super) fn comparable(resource: &Resource, name: &str) -> Result<Column, String> {
    let column = column(resource, name)?;
    if column.comparable(resource) { Ok(column) } else { Err(format!("{name} {SOMETIMES}")) }
}

/// Of a field that is shown in some records: what lists are by tells of it in the others.
pub(super) const SOMETIMES: &str =
    "can be read in some records only, so that lists cannot be filtered, ordered or grouped by it";

/// What a name means.
enum Meaning {
    Word(&'static str),
    Filter(Path, &'static str),
    /// Nothing, or nothing yet.
    Nothing,
}

/// A name and the operator in brackets behind it.
fn parts(name: &str) -> (&str, Option<&str>) {
    match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((base, operator)) => (base, Some(operator)),
        None => (name, None),
    }
}

pub(super) struct Reader<'a> {
    pub(super) model: &'a Model,
    pub(super) index: ResourceIndex,
    pub(super) resource: &'a Resource,
    pub(super) settings: &'a Settings,
    vocabulary: &'static [&'static str],
    pub(super) query: Query,
    filters: Vec<(Path, &'static str, Comparison)>,
    known: Vec<String>,
    pub(super) words: Vec<(&'static str, Term<'a>, Place)>,
    /// What is searched for, once it is read.
    pub(super) search: Option<Terms>,
    seen: Vec<(Path, &'static str)>,
    unknown: bool,
    faults: Vec<Violation>,
}

/// Where a parameter stands; only spelled when it is needed.
type At<'a> = &'a dyn Fn() -> Place;

impl<'a> Reader<'a> {
    fn new(
        model: &'a Model,
        index: ResourceIndex,
        settings: &'a Settings,
        vocabulary: &'static [&'static str],
    ) -> Self {
        let query = Query {
            filter: Filter::all(),
            sort: declared_order(&model.resources[index]),
            paging: Paging::Page(1),
            limit: settings.page_rows_default.min(settings.page_rows_max),
            view: View::default(),
            aggregate: None,
            count: Count::Bounded,
        };
        Self {
            model,
            index,
            resource: &model.resources[index],
            settings,
            vocabulary,
            query,
            filters: Vec::new(),
            known: Vec::new(),
            words: Vec::new(),
            search: None,
            seen: Vec::new(),
            unknown: false,
            faults: Vec::new(),
        }
    }

    fn pairs(&mut self, pairs: &'a [(String, String)]) {
        for (name, text) in pairs {
            let place = || Place::Parameter(suggest::shown(name));
            if self.understands(name) || !is_ignored(self.model, name) {
                self.parameter(name, Term::Text(text), &place);
            }
        }
    }

    pub(super) fn fault(&mut self, place: Place, detail: impl Into<String>) {
        if self.faults.len() < VIOLATIONS_MAX {
            self.faults.push(Violation { place, detail: detail.into() });
        }
    }

    fn understands(&self, name: &str) -> bool {
        !matches!(self.meaning(name), Meaning::Nothing)
    }

    fn takes_filters(&self) -> bool {
        self.vocabulary.len() == WORDS.len()
    }

    fn meaning(&self, name: &str) -> Meaning {
        if let Some(word) = self.vocabulary.iter().find(|word| **word == name) {
            return Meaning::Word(word);
        }
        let (base, operator) = parts(name);
        if !self.takes_filters() || operator.is_none() && is_reserved(name) {
            return Meaning::Nothing;
        }
        let wanted = operator.unwrap_or("eq");
        let Some(operator) = OPERATORS.iter().find(|known| **known == wanted) else {
            return Meaning::Nothing;
        };
        self.path(base).map_or(Meaning::Nothing, |path| Meaning::Filter(path, operator))
    }

    /// The value that a name leads to: a field, or fields of what is referred to, with dots.
    fn path(&self, name: &str) -> Result<Path, String> {
        let (mut at, mut resource) = (self.index, self.resource);
        let mut through = Vec::new();
        let mut steps = name.split('.').peekable();
        while let Some(step) = steps.next() {
            let column = Column::find(resource, step).ok_or_else(|| {
                let columns = Column::all(resource).map(|column| column.name(resource));
                let words = self.vocabulary.iter().copied().filter(|_| at == self.index);
                let hint = suggest::hint(step, words.chain(columns));
                if through.is_empty() {
                    format!("is not a parameter of this list{hint}")
                } else {
                    format!("is not a parameter: {} has no such field{hint}", resource.name)
                }
            })?;
            if steps.peek().is_none() {
                return Ok(Path { through, column });
            }
            let (Column::Field(index), Some(to)) =
                (column, column.field(resource).and_then(|field| field.references))
            else {
                return Err(format!("is not a parameter: {step} refers to no other resource"));
            };
            if through.len() == DEPTH_MAX {
                return Err(format!("follows more than {DEPTH_MAX} references"));
            }
            through.push(index);
            at = to.resource;
            resource = &self.model.resources[at];
        }
        Err("is not a parameter of this list".to_owned())
    }

    /// Why a name means nothing here.
    fn nothing(&self, name: &str) -> String {
        let (base, operator) = parts(name);
        let path = self.path(base);
        if !self.takes_filters() {
            return format!(
                "is not a parameter of one record; there are {}",
                ITEM_WORDS.join(", ")
            );
        }
        match (path, operator) {
            (Ok(_), Some(operator)) => {
                let hint = suggest::hint(operator, OPERATORS);
                let known = OPERATORS.join(", ");
                format!("has an operator that does not exist{hint}; there are {known}")
            }
            (Ok(_), None) => "is not a parameter of this list".to_owned(),
            (Err(detail), _) => detail,
        }
    }

    fn parameter(&mut self, name: &str, term: Term<'a>, place: At<'_>) {
        if self.faults.len() >= VIOLATIONS_MAX {
            return;
        }
        match self.meaning(name) {
            Meaning::Nothing if fault::on(Fault::UnknownParameterIgnored) => return,
            Meaning::Nothing => {
                self.unknown = true;
                self.fault(place(), self.nothing(name));
                return;
            }
            Meaning::Word(word) if self.words.iter().any(|(known, ..)| *known == word) => {
                return self.repeated(place);
            }
            Meaning::Word(word) => self.words.push((word, term, place())),
            Meaning::Filter(path, _) if !self.is_comparable(&path) => {
                return self.fault(place(), SOMETIMES);
            }
            Meaning::Filter(path, operator) => {
                if self.seen.iter().any(|(seen, op)| *seen == path && *op == operator) {
                    return self.repeated(place);
                }
                let end = super::target(self.model, self.index, &path.through);
                let resource = end.map_or(self.resource, |end| &self.model.resources[end]);
                match comparison(resource, path.column, operator, term) {
                    Ok(comparison) => {
                        // Equality with null is asked as `null`, and must not be asked twice.
                        let operator = comparison.operator();
                        if self.seen.iter().any(|(seen, op)| *seen == path && *op == operator) {
                            return self.repeated(place);
                        }
                        self.seen.push((path.clone(), operator));
                        self.filters.push((path, operator, comparison));
                    }
                    Err(detail) => {
                        self.seen.push((path, operator));
                        self.fault(place(), detail);
                    }
                }
            }
        }
        self.known.push(name.to_owned());
    }

    /// True where every value on the way is shown in all records that the caller sees.
    fn is_comparable(&self, path: &Path) -> bool {
        let columns = path.through.iter().map(|field| Column::Field(*field)).chain([path.column]);
        columns.enumerate().all(|(steps, column)| {
            let at = super::target(self.model, self.index, &path.through[..steps]);
            at.is_some_and(|at| column.comparable(&self.model.resources[at]))
        })
    }

    fn repeated(&mut self, place: At<'_>) {
        self.unknown = true;
        self.fault(place(), "is there more than once");
    }

    fn finish(mut self, place: &dyn Fn(&str) -> Place) -> Result<Read<Query>, Rejection> {
        self.read_words();
        let most = self.settings.offset_rows_max;
        if self.query.offset() > most {
            let last = most / u64::from(self.query.limit.max(1)) + 1;
            let instead = if self.query.aggregate.is_some() {
                "filter, or sort the other way, to find what is farther"
            } else {
                "follow `next`, which goes on by cursor, or begin with an empty cursor="
            };
            let detail = format!(
                "reaches beyond {most} records: with this limit the last page is {last}; {instead}"
            );
            self.fault(place("page"), detail);
        }
        if !self.faults.is_empty() {
            let detail = if self.unknown {
                format!("Known parameters: {}.", self.vocabulary())
            } else {
                "A parameter has a value that does not fit.".to_owned()
            };
            let (unknown, violations, known) = (self.unknown, self.faults, self.known);
            return Err(Rejection { unknown, detail, violations, known });
        }
        // One order for one meaning: equal lists have one ETag and one prepared statement.
        let rank = |operator: &str| OPERATORS.iter().position(|known| *known == operator);
        self.filters.sort_by(|(path, operator, _), (other, than, _)| {
            path.cmp(other).then_with(|| rank(operator).cmp(&rank(than)))
        });
        let compare = |(path, _, comparison)| Filter::Compare { path, comparison };
        let searched = self.search.map(|terms| Filter::Search { terms, within: None }).into_iter();
        let compared = self.filters.into_iter().map(compare);
        self.query.filter = Filter::All(searched.chain(compared).collect());
        Ok(Read { query: self.query, known: self.known })
    }

    fn vocabulary(&self) -> String {
        if self.takes_filters() { known(self.resource) } else { ITEM_WORDS.join(", ") }
    }
}
