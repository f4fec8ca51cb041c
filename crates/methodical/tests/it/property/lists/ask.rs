//! Queries of lists, drawn by chance, and the three ways in which each of them is sent.

use serde_json::{Map, Value, json};

use super::schema::{Column, IdKind, Kind};
use super::values;
use super::world::World;
use crate::property::chance::Chance;
use crate::support::client::Request;

/// A key of an order, and whether the largest comes first.
pub(super) type Sort = (String, bool);

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) resource: usize,
    pub(super) filters: Vec<Filter>,
    pub(super) sort: Vec<Sort>,
    pub(super) place: Place,
    pub(super) limit: Option<usize>,
    pub(super) count: Option<&'static str>,
    pub(super) view: View,
    pub(super) aggregate: Option<Aggregate>,
}

/// Where in the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// Nothing is said: the first page.
    Unsaid,
    Page(usize),
    Cursor(String),
}

/// A comparison.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// Reference fields on the way.
    pub(super) through: Vec<String>,
    pub(super) column: String,
    pub(super) operator: &'static str,
    pub(super) operand: Operand,
    /// As it is sent, where that is another spelling.
    sent: Option<Value>,
}

/// What is compared with.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    One(Value),
    Many(Vec<Value>),
    Flag(bool),
}

/// What is shown of a record.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// The members; None: all.
    pub(super) fields: Option<Vec<String>>,
    pub(super) include: Vec<Include>,
}

/// What is shown within a record.
#[derive(Clone, Debug)]
pub(super) struct Include {
    /// As it is asked for.
    pub(super) name: String,
    pub(super) relation: Relation,
    pub(super) resource: usize,
    pub(super) view: View,
}

/// How it is reached.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Relation {
    /// By a field of this record.
    To(String),
    /// By a field of the other.
    From(String),
}

/// What records come to.
#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    /// Function and column; none of `count` itself.
    pub(super) measures: Vec<(&'static str, Option<Column>)>,
    pub(super) group_by: Vec<Column>,
    /// Names of columns or measures.
    pub(super) sort: Vec<Sort>,
}

impl Filter {
    /// The records of which a column is this.
    pub(super) fn equal(column: &str, value: &Value) -> Self {
        Self {
            through: Vec::new(),
            column: column.to_owned(),
            operator: "eq",
            operand: Operand::One(value.clone()),
            sent: None,
        }
    }

    fn path(&self) -> String {
        let mut names = self.through.clone();
        names.push(self.column.clone());
        names.join(".")
    }
}

/// The name of a measure.
pub(super) fn measure_name((function, column): &(&'static str, Option<Column>)) -> String {
    match column {
        Some(column) => format!("{function}({})", column.name),
        None => (*function).to_owned(),
    }
}

/// Words that are parameters in themselves: a field of such a name is meant with an operator.
const WORDS: [&str; 11] = [
    "page",
    "limit",
    "cursor",
    "count",
    "aggregate",
    "groupBy",
    "sort",
    "include",
    "fields",
    "q",
    "query",
];

impl Ask {
    /// Draws what is asked of a list.
    pub(super) fn draw(chance: &mut Chance, world: &World) -> Self {
        let resource = chance.below(world.schema.resources.len());
        let mut ask = Self {
            resource,
            filters: Vec::new(),
            sort: Vec::new(),
            place: Place::Unsaid,
            limit: None,
            count: *chance.pick(&[None, None, None, Some("exact"), Some("none")]),
            view: View::default(),
            aggregate: None,
        };
        for _ in 0..*chance.pick(&[0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 4]) {
            if let Some(filter) = filter(chance, world, resource) {
                let is_there = |other: &Filter| {
                    other.path() == filter.path() && other.operator == filter.operator
                };
                if !ask.filters.iter().any(is_there) {
                    ask.filters.push(filter);
                }
            }
        }
        if !chance.once_in(4) {
            ask.limit = Some(*chance.pick(&[1, 2, 3, 5, 10, 100]));
        }
        if chance.once_in(4) {
            ask.aggregate = Some(Aggregate::draw(chance, world, resource));
        } else {
            ask.sort = sort(chance, world, resource);
            ask.view = View::draw(chance, world, resource);
        }
        if !chance.once_in(3) {
            let farthest = world.schema.limits.offset / ask.limit(world) + 1;
            let page = 1 + *chance.pick(&[0, 0, 0, 0, 1, 1, 2, 10]);
            ask.place = Place::Page(page.min(farthest));
        }
        if ask.aggregate.as_ref().is_some_and(Aggregate::is_nearly_ordered) {
            (ask.place, ask.limit) = (Place::Unsaid, Some(100));
        }
        ask
    }

    /// Records a page.
    pub(super) fn limit(&self, world: &World) -> usize {
        self.limit.unwrap_or(world.schema.limits.page_default)
    }

    /// The number of the page.
    pub(super) fn page(&self) -> usize {
        match self.place {
            Place::Page(page) => page,
            Place::Unsaid | Place::Cursor(_) => 1,
        }
    }

    /// The words beside the filters, as they stand in a URL.
    fn words(&self) -> Vec<(&'static str, String)> {
        let mut words = Vec::new();
        let keys = |sort: &[Sort]| {
            let key =
                |(name, descends): &Sort| format!("{}{name}", if *descends { "-" } else { "" });
            sort.iter().map(key).collect::<Vec<_>>().join(",")
        };
        match &self.place {
            Place::Unsaid => {}
            Place::Page(page) => words.push(("page", page.to_string())),
            Place::Cursor(cursor) => words.push(("cursor", cursor.clone())),
        }
        if let Some(limit) = self.limit {
            words.push(("limit", limit.to_string()));
        }
        if let Some(count) = self.count {
            words.push(("count", count.to_owned()));
        }
        let order = self.aggregate.as_ref().map_or(&self.sort, |aggregate| &aggregate.sort);
        if !order.is_empty() {
            words.push(("sort", keys(order)));
        }
        if let Some(aggregate) = &self.aggregate {
            let names: Vec<String> = aggregate.measures.iter().map(measure_name).collect();
            words.push(("aggregate", names.join(",")));
            let names: Vec<&str> = aggregate.group_by.iter().map(|it| it.name.as_str()).collect();
            if !names.is_empty() {
                words.push(("groupBy", names.join(",")));
            }
        }
        words.extend(self.view.words());
        words
    }

    /// As the pairs of a URL or a form, in any order.
    fn pairs(&self, chance: &mut Chance) -> Vec<(String, String)> {
        let words = self.words();
        let mut pairs: Vec<(String, String)> =
            words.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for filter in &self.filters {
            let path = filter.path();
            let is_plain = filter.operator == "eq" && !WORDS.contains(&path.as_str());
            let name = if is_plain && chance.once_in(2) {
                path
            } else {
                format!("{path}[{}]", filter.operator)
            };
            pairs.push((name, filter.text()));
        }
        for at in (1..pairs.len()).rev() {
            pairs.swap(at, chance.below(at + 1));
        }
        pairs
    }

    /// The request target of the list.
    pub(super) fn url(&self, chance: &mut Chance, world: &World) -> String {
        let path = format!("/api/{}", world.resource(self.resource).name);
        let content = encoded(&self.pairs(chance));
        if content.is_empty() { path } else { format!("{path}?{content}") }
    }

    /// As the JSON content of QUERY.
    fn json(&self, chance: &mut Chance) -> Value {
        let mut members = Map::new();
        for (name, text) in self.words() {
            let is_number = matches!(name, "page" | "limit");
            let is_list = !matches!(name, "page" | "limit" | "cursor" | "count");
            let value = if is_number {
                json!(text.parse::<usize>().expect("a number"))
            } else if is_list && chance.once_in(2) {
                text.split(',').map(Value::from).collect()
            } else {
                text.into()
            };
            members.insert(name.to_owned(), value);
        }
        for filter in &self.filters {
            let (path, value) = (filter.path(), filter.json());
            let is_plain = filter.operator == "eq" && !WORDS.contains(&path.as_str());
            let is_free = !members.contains_key(&path);
            if is_plain && is_free && chance.once_in(2) {
                members.insert(path, value);
                continue;
            }
            let nested = members.get(&path).is_none_or(Value::is_object) && chance.once_in(2);
            if !nested {
                members.insert(format!("{path}[{}]", filter.operator), value);
                continue;
            }
            let operators = members.entry(path).or_insert_with(|| json!({}));
            operators[filter.operator] = value;
        }
        Value::Object(members)
    }

    /// As a request, one of the three ways.
    pub(super) fn request(&self, chance: &mut Chance, world: &World, way: usize) -> Request {
        let path = format!("/api/{}", world.resource(self.resource).name);
        match way {
            0 => Request::new("GET", &self.url(chance, world)),
            1 => Request::new("QUERY", &path).json(self.json(chance).to_string()),
            _ => Request::new("QUERY", &path)
                .content("application/x-www-form-urlencoded", encoded(&self.pairs(chance))),
        }
    }
}

impl Filter {
    fn text(&self) -> String {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match (&self.sent, &self.operand) {
            (Some(sent), _) => text(sent),
            (None, Operand::One(value)) => text(value),
            (None, Operand::Flag(flag)) => flag.to_string(),
            (None, Operand::Many(values)) => {
                let quoted = |value| {
                    let text: String = text(value);
                    let needs = text.contains(',') || text.starts_with('"');
                    if needs { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
                };
                values.iter().map(quoted).collect::<Vec<_>>().join(",")
            }
        }
    }

    fn json(&self) -> Value {
        match (&self.sent, &self.operand) {
            (Some(sent), _) => sent.clone(),
            (None, Operand::One(value)) => value.clone(),
            (None, Operand::Flag(flag)) => (*flag).into(),
            (None, Operand::Many(values)) => values.clone().into(),
        }
    }
}

/// The pairs of a form as one text.
pub(super) fn encoded(pairs: &[(String, String)]) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
            char::from(byte).to_string()
        }
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    let text = |text: &str| text.bytes().map(byte).collect::<String>();
    let pair = |(name, value): &(String, String)| format!("{}={}", text(name), text(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn filter(chance: &mut Chance, world: &World, resource: usize) -> Option<Filter> {
    let mut at = resource;
    let mut through = Vec::new();
    while through.len() < 2 && chance.once_in(3) {
        let references = world.resource(at).references();
        if references.is_empty() {
            break;
        }
        let (field, to) = *chance.pick(&references);
        through.push(field.name.clone());
        at = to;
    }
    let column = chance.pick(&world.resource(at).columns()).clone();
    let operator = match column.kind {
        Kind::Json => "null",
        kind => {
            let is_text = match (kind, world.schema.id_kind(kind)) {
                (Kind::Text | Kind::Folded | Kind::Date | Kind::Moment, _) => true,
                (_, id) => matches!(id, Some(IdKind::Uuid | IdKind::Text)),
            };
            let all = ["eq", "ne", "in", "gt", "gte", "lt", "lte", "null", "prefix", "prefix"];
            *chance.pick(if is_text { &all } else { &all[..8] })
        }
    };
    let (operand, sent) = operand(chance, world, at, &column, operator)?;
    Some(Filter { through, column: column.name, operator, operand, sent })
}

fn operand(
    chance: &mut Chance,
    world: &World,
    at: usize,
    column: &Column,
    operator: &str,
) -> Option<(Operand, Option<Value>)> {
    match operator {
        "null" => return Some((Operand::Flag(chance.once_in(2)), None)),
        "prefix" => {
            let text = match operand_of(chance, world, at, column)?.0 {
                Value::String(text) => text,
                _ => return None,
            };
            let length = chance.below(text.chars().count() + 1).min(1 + chance.below(8));
            let text: String = text.chars().take(length).collect();
            return Some((Operand::One(text.into()), None));
        }
        "in" => {
            let number = 1 + chance.below(5);
            let values = (0..number).map(|_| operand_of(chance, world, at, column).map(|it| it.0));
            return Some((Operand::Many(values.collect::<Option<_>>()?), None));
        }
        _ => {}
    }
    let (value, sent) = operand_of(chance, world, at, column)?;
    Some((Operand::One(value), sent))
}

/// A value to compare a column with: often one that is there.
fn operand_of(
    chance: &mut Chance,
    world: &World,
    at: usize,
    column: &Column,
) -> Option<(Value, Option<Value>)> {
    let there: Vec<&Value> =
        world.all(at).iter().filter_map(|doc| super::naive::present(doc, &column.name)).collect();
    if !there.is_empty() && !chance.once_in(3) {
        return Some(((*chance.pick(&there)).clone(), None));
    }
    if column.kind == Kind::Moment {
        let (sent, kept) = values::moment(chance);
        return Some((kept.into(), Some(sent.into())));
    }
    match world.schema.id_kind(column.kind) {
        Some(kind) => Some((values::id(chance, kind), None)),
        None => Some((world.value(chance, column.kind)?, None)),
    }
}

/// Keys of an order, each column once.
fn sort(chance: &mut Chance, world: &World, resource: usize) -> Vec<Sort> {
    let mut columns = world.resource(resource).columns();
    columns.retain(|column| column.kind != Kind::Json);
    let number = *chance.pick(&[0, 1, 1, 2, 2, 3]);
    let mut keys = Vec::new();
    while keys.len() < number && !columns.is_empty() {
        let column = columns.swap_remove(chance.below(columns.len()));
        keys.push((column.name, chance.once_in(2)));
    }
    keys
}

impl View {
    /// Draws what is shown: mostly all members and nothing else.
    pub(super) fn draw(chance: &mut Chance, world: &World, resource: usize) -> Self {
        let mut view = Self::default();
        if chance.once_in(2) {
            view.include = includes(chance, world, resource, 2);
        }
        if chance.once_in(3) {
            choose(chance, world, resource, &mut view);
            // What names nothing is not sent.
            if view.names().is_empty() {
                view.clear();
            }
        }
        view
    }

    fn clear(&mut self) {
        self.fields = None;
        self.include.iter_mut().for_each(|include| include.view.clear());
    }

    /// `include` and `fields`.
    pub(super) fn words(&self) -> Vec<(&'static str, String)> {
        let mut words = Vec::new();
        let paths = self.paths();
        if !paths.is_empty() {
            words.push(("include", paths.join(",")));
        }
        let names = self.names();
        if !names.is_empty() {
            words.push(("fields", names.join(",")));
        }
        words
    }

    fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for include in &self.include {
            let inner = include.view.paths();
            if inner.is_empty() {
                paths.push(include.name.clone());
            }
            paths.extend(inner.iter().map(|path| format!("{}.{path}", include.name)));
        }
        paths
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.fields.clone().unwrap_or_default();
        for include in &self.include {
            let inner = include.view.names();
            names.extend(inner.iter().map(|name| format!("{}.{name}", include.name)));
        }
        names
    }
}

/// Chooses members here or further inside. Where one inside is chosen, nothing is shown here but
/// what is chosen here.
fn choose(chance: &mut Chance, world: &World, resource: usize, view: &mut View) {
    let mut own = Vec::new();
    if !chance.once_in(4) {
        let mut columns = world.resource(resource).columns();
        for _ in 0..1 + chance.below(3) {
            own.push(columns.swap_remove(chance.below(columns.len())).name);
        }
    }
    for include in &mut view.include {
        if chance.once_in(2) {
            choose(chance, world, include.resource, &mut include.view);
            if include.view.names().is_empty() {
                include.view.clear();
            }
        }
    }
    view.fields = Some(own);
}

fn includes(chance: &mut Chance, world: &World, resource: usize, depth: usize) -> Vec<Include> {
    let mut known = relations(world, resource);
    let mut out: Vec<Include> = Vec::new();
    for _ in 0..1 + chance.below(2) {
        if known.is_empty() {
            break;
        }
        let (names, relation, to) = known.swap_remove(chance.below(known.len()));
        let name = chance.pick(&names).clone();
        let mut view = View::default();
        if depth > 1 && chance.once_in(3) {
            view.include = includes(chance, world, to, depth - 1);
        }
        out.push(Include { name, relation, resource: to, view });
    }
    out
}

/// Every relation of a resource: the names that it has, how it is reached, and where it leads.
fn relations(world: &World, resource: usize) -> Vec<(Vec<String>, Relation, usize)> {
    let here = world.resource(resource);
    let mut out = Vec::new();
    for (field, to) in here.references() {
        out.push((vec![field.name.clone()], Relation::To(field.name.clone()), to));
    }
    for (at, other) in world.schema.resources.iter().enumerate() {
        let back: Vec<_> =
            other.references().into_iter().filter(|(_, to)| *to == resource).collect();
        for (field, _) in &back {
            let mut names = vec![format!("{}({})", other.name, field.name)];
            // A member of the record's own keeps its name.
            let is_free = !here.fields.iter().any(|own| own.name == other.name);
            if back.len() == 1 && is_free {
                names.push(other.name.clone());
            }
            out.push((names, Relation::From(field.name.clone()), at));
        }
    }
    out
}

impl Aggregate {
    /// True where the order rests on numbers that are only nearly known: what is nearly equal may
    /// stand in either order, so that all groups have to be on one page.
    pub(super) fn is_nearly_ordered(&self) -> bool {
        let is_near = |measure: &(&'static str, Option<Column>)| match measure {
            ("avg", _) => true,
            ("sum", Some(column)) => column.kind == Kind::Number,
            _ => false,
        };
        let is_key = |name: &String| self.sort.iter().any(|(key, _)| key == name);
        self.measures.iter().filter(|it| is_near(it)).any(|it| is_key(&measure_name(it)))
    }

    fn draw(chance: &mut Chance, world: &World, resource: usize) -> Self {
        let columns = world.resource(resource).columns();
        let mut measures: Vec<(&'static str, Option<Column>)> = Vec::new();
        for _ in 0..1 + chance.below(4) {
            let column = chance.pick(&columns).clone();
            let is_number = matches!(column.kind, Kind::Integer | Kind::Int64 | Kind::Number);
            let has_extremes = !matches!(column.kind, Kind::Json | Kind::Folded);
            let function = match chance.below(6) {
                0 => "",
                1 if is_number => "avg",
                2 | 3 if is_number => "sum",
                4 if has_extremes => "min",
                5 if has_extremes => "max",
                _ => "count",
            };
            let measure =
                if function.is_empty() { ("count", None) } else { (function, Some(column)) };
            if !measures.contains(&measure) {
                measures.push(measure);
            }
        }
        let mut left = columns;
        left.retain(|column| column.kind != Kind::Json);
        let mut group_by = Vec::new();
        for _ in 0..*chance.pick(&[0, 1, 1, 1, 2, 2]) {
            group_by.push(left.swap_remove(chance.below(left.len())));
        }
        // A field that is called `count` cannot stand beside that measure.
        if group_by.iter().any(|column| column.name == "count") {
            measures.retain(|measure| *measure != ("count", None));
            if measures.is_empty() {
                measures.push(("count", Some(world.resource(resource).column("id"))));
            }
        }
        let mut names: Vec<String> = group_by.iter().map(|column| column.name.clone()).collect();
        names.extend(measures.iter().map(measure_name));
        let mut sort: Vec<Sort> = Vec::new();
        for _ in 0..*chance.pick(&[0, 0, 1, 2]) {
            if names.is_empty() {
                break;
            }
            let name = names.swap_remove(chance.below(names.len()));
            sort.push((name, chance.once_in(2)));
        }
        Self { measures, group_by, sort }
    }
}
