//! Filters as trees: what the database finds is what `Filter::holds` says of each record, and what
//! is not among the records that somebody sees is nowhere.

use std::collections::{BTreeMap, BTreeSet};

use model::query::{Comparison, Path, Position, Relate, Relation, Seen, target};
use model::search::Terms;

use super::log::Dice;
use super::*;
use crate::lookup::Child;

const WORLD: &str = r#"
title = "Trees"

[resources.people]
search = ["name", "code"]
fields.name = { type = "string", ignoreCase = true, index = true, optional = true }
fields.code = { type = "string", optional = true }
fields.size = { type = "integer", format = "int64", index = true, optional = true }
fields.rate = { type = "number", index = true, optional = true }
fields.flag = { type = "boolean", optional = true }
fields.more = { optional = true }
fields.boss = { references = "people", optional = true }
fields.nick = { type = ["string", "null"], ignoreCase = true }
fields.last = { references = "notes", optional = true }

[resources.notes]
id = "text"
fields.text   = { type = "string", optional = true, index = true }
fields.number = { type = "number", optional = true }
fields.author = { references = "people", optional = true }
"#;

const PEOPLE: ResourceIndex = 0;
const NOTES: ResourceIndex = 1;

const TEXTS: [&str; 14] =
    ["", "a", "A", "b", "ä", "Ä", "a\u{308}", "ß", "SS", "İ", "Straße", "z\u{10ffff}", "n1", "ﬁ"];
const SIZES: [i64; 9] = [0, 1, -1, 7, i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1];
const RATES: [f64; 9] =
    [0.0, 0.5, 1.0, -1.0, 7.0, 9_007_199_254_740_992.0, 1e308, -1e308, 9.223_372_036_854_776e18];

fn one<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[usize::try_from(dice.below(of.len() as u64)).unwrap()]
}

/// A value for a column of this name; its kind, or another kind of number.
fn value(dice: &mut Dice, name: &str) -> Value {
    match name {
        "size" => Value::Integer(one(dice, &SIZES)),
        "rate" | "number" => match dice.below(4) {
            0 => Value::Integer(one(dice, &SIZES)),
            _ => Value::Number(one(dice, &RATES)),
        },
        "flag" => Value::Boolean(dice.below(2) == 0),
        "boss" | "author" | "person" => Value::Integer(dice.below(14) + 1),
        "last" | "note" => Value::Text(format!("n{}", dice.below(14) + 1)),
        "createdAt" | "updatedAt" => Value::Text(Timestamp(clock().0 + dice.below(3) - 1).text()),
        _ => Value::Text(one(dice, &TEXTS).to_owned()),
    }
}

fn kept(dice: &mut Dice, name: &str) -> Option<Value> {
    if dice.below(3) == 0 {
        return (name == "nick").then_some(Value::Null);
    }
    Some(match name {
        "rate" | "number" => Value::Number(one(dice, &RATES)),
        "more" => Value::Json(one(dice, &["null", "1", "{}"]).to_owned()),
        _ => value(dice, name),
    })
}

struct World {
    bench: Bench,
    records: [BTreeMap<Id, Record>; 2],
}

impl World {
    async fn new(dice: &mut Dice) -> Self {
        let bench = Bench::of(WORLD, |_| {});
        let mut changes = Vec::new();
        let ids = |resource, number| match resource {
            PEOPLE => Id::Integer(number),
            _ => Id::Text(format!("n{number}")),
        };
        for resource in [PEOPLE, NOTES] {
            for number in 1..=12 {
                let mut record = user(1, "");
                record.id = ids(resource, number);
                let fields = &bench.model.resources[resource].fields;
                record.values = fields
                    .iter()
                    .map(|field| match field.name.as_str() {
                        // Of those that have been made already; the others follow.
                        "boss" | "last" => None,
                        "author" => kept(dice, "author")
                            .filter(|id| matches!(id, Value::Integer(id) if *id <= 12)),
                        name => kept(dice, name),
                    })
                    .collect();
                record.created_at.0 += dice.below(3) - 1;
                changes.push(insert(resource, record));
            }
        }
        bench.commit(changes).await.unwrap();
        let refer = "UPDATE people SET boss = (id * 7 + 3) % 13 WHERE id % 4 > 0 AND \
                     (id * 7 + 3) % 13 > 0; \
                     UPDATE people SET last = 'n' || ((id * 5) % 13) WHERE id % 3 > 0;";
        bench.outside().execute_batch(refer).unwrap();
        let mut records = [BTreeMap::new(), BTreeMap::new()];
        for (resource, records) in records.iter_mut().enumerate() {
            for row in bench.list(resource).await.rows {
                records.insert(row.record.id.clone(), row.record);
            }
        }
        Self { bench, records }
    }

    fn column(&self, dice: &mut Dice, resource: ResourceIndex) -> (Column, String) {
        let declared = &self.bench.model.resources[resource];
        let at = usize::try_from(dice.below(declared.fields.len() as u64 + 2)).unwrap();
        let column = match at.checked_sub(declared.fields.len()) {
            None => Column::Field(at),
            Some(0) => Column::Id,
            Some(_) => Column::CreatedAt,
        };
        let name = match (column, resource) {
            (Column::Id, PEOPLE) => "person",
            (Column::Id, _) => "note",
            _ => column.name(declared),
        };
        (column, name.to_owned())
    }

    fn path(&self, dice: &mut Dice, resource: ResourceIndex, deepest: i64) -> (Path, String) {
        let deep = dice.below(u64::try_from(deepest + 1).unwrap());
        let (mut through, mut end) = (Vec::new(), resource);
        for _ in 0..deep {
            let fields = &self.bench.model.resources[end].fields;
            let references: Vec<FieldIndex> =
                (0..fields.len()).filter(|at| fields[*at].references.is_some()).collect();
            let field = one(dice, &references);
            through.push(field);
            end = fields[field].references.unwrap().resource;
        }
        let (column, name) = self.column(dice, end);
        (Path { through, column }, name)
    }

    fn comparison(dice: &mut Dice, name: &str) -> Comparison {
        if name == "more" {
            return if dice.below(2) == 0 { Comparison::Null } else { Comparison::NotNull };
        }
        let mut value = || value(dice, name);
        let (first, second) = (value(), value());
        let is_text = matches!(first, Value::Text(_));
        match dice.below(12) {
            0 | 1 => Comparison::Equal(first),
            2 => Comparison::NotEqual(first),
            3 => Comparison::In(vec![first, second]),
            4 => Comparison::Greater(first),
            5 => Comparison::GreaterOrEqual(first),
            6 => Comparison::Less(first),
            7 => Comparison::LessOrEqual(first),
            8 if is_text => Comparison::Prefix(one(dice, &TEXTS).to_owned()),
            8 => Comparison::In(Vec::new()),
            9 => Comparison::Null,
            10 => Comparison::NotEqual(Value::Null),
            _ => Comparison::NotNull,
        }
    }

    fn filter(&self, dice: &mut Dice, resource: ResourceIndex, depth: u32) -> Filter {
        let some = |dice: &mut Dice| {
            (0..dice.below(4)).map(|_| self.filter(dice, resource, depth - 1)).collect::<Vec<_>>()
        };
        match dice.below(if depth == 0 { 6 } else { 11 }) {
            6 | 7 => Filter::All(some(dice)),
            8 | 9 => Filter::Any(some(dice)),
            10 => Filter::Not(Box::new(self.filter(dice, resource, depth - 1))),
            0 => self.relate(dice, resource),
            1 if resource == PEOPLE => {
                let terms = Terms::read(one(dice, &["a", "ss", "b*", "a b", "n1"])).unwrap();
                let within = one(dice, &[None, Some(&[][..]), Some(&[0]), Some(&[1, 0, 3])]);
                Filter::Search { terms, within: within.map(<[FieldIndex]>::to_vec) }
            }
            _ => {
                let (path, name) = self.path(dice, resource, 3);
                Filter::Compare { path, comparison: Self::comparison(dice, &name) }
            }
        }
    }

    /// Two values of one kind, or two numbers.
    fn relate(&self, dice: &mut Dice, resource: ResourceIndex) -> Filter {
        let kind = |name: &str| match name {
            "size" | "rate" | "number" => 0,
            "boss" | "author" | "person" => 1,
            "last" | "note" | "name" | "code" | "nick" | "text" => 2,
            "createdAt" | "updatedAt" => 3,
            "flag" => 4,
            _ => 5,
        };
        loop {
            let (left, one_name) = self.path(dice, resource, 1);
            let (right, other_name) = self.path(dice, resource, 1);
            if kind(&one_name) == kind(&other_name) && kind(&one_name) < 5 {
                let relation = one(dice, &[Relate::Equal, Relate::Less, Relate::LessOrEqual]);
                return Filter::Relate { left, relation, right };
            }
        }
    }

    fn follow(&self, resource: ResourceIndex, from: &Record, field: FieldIndex) -> Option<&Record> {
        let to = self.bench.model.resources[resource].fields[field].references.unwrap();
        let id = match from.values[field].as_ref()? {
            Value::Integer(id) => Id::Integer(*id),
            Value::Text(id) => Id::Text(id.clone()),
            _ => return None,
        };
        self.records[to.resource].get(&id)
    }

    /// What a filter is of a record: for paths that lead farther than the evaluator goes, it is
    /// asked where they end.
    fn holds(&self, filter: &Filter, resource: ResourceIndex, record: &Record) -> bool {
        let model = &self.bench.model;
        match filter {
            Filter::All(filters) => filters.iter().all(|it| self.holds(it, resource, record)),
            Filter::Any(filters) => filters.iter().any(|it| self.holds(it, resource, record)),
            Filter::Not(filter) => !self.holds(filter, resource, record),
            Filter::Compare { path, comparison } if path.through.len() > 1 => {
                let mut end = Some((resource, record));
                for field in &path.through {
                    end = end.and_then(|(at, from)| {
                        let to = self.follow(at, from, *field)?;
                        Some((target(model, at, &[*field]).unwrap(), to))
                    });
                }
                let path = path.column.into();
                let there = Filter::Compare { path, comparison: comparison.clone() };
                end.map_or(
                    match comparison {
                        Comparison::Null => true,
                        Comparison::NotEqual(other) => *other != Value::Null,
                        _ => false,
                    },
                    |(at, end)| there.holds(model, at, Seen::alone(end)),
                )
            }
            leaf => {
                let references = leaf.references();
                let referred: Vec<(FieldIndex, &Record)> = references
                    .into_iter()
                    .filter_map(|field| Some((field, self.follow(resource, record, field)?)))
                    .collect();
                leaf.holds(model, resource, Seen { record, referred: &referred })
            }
        }
    }
}

#[tokio::test]
async fn the_database_finds_what_holds_in_memory() {
    let mut hits = 0;
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let world = World::new(&mut dice).await;
        for _ in 0..400 {
            let resource = one(&mut dice, &[PEOPLE, NOTES]);
            let filter = world.filter(&mut dice, resource, 3);
            let expected: BTreeSet<String> = world.records[resource]
                .values()
                .filter(|record| world.holds(&filter, resource, record))
                .map(|record| record.id.to_string())
                .collect();
            let found = world.bench.find(page(resource, filter.clone(), &[], 100)).await;
            let there: BTreeSet<String> = ids(&found).into_iter().collect();
            assert_eq!(there, expected, "{filter:?}");
            assert_eq!(found.total.unwrap().records, expected.len() as u64, "{filter:?}");
            let number = Node::new(resource, Pick::Number(filter.clone()));
            let counted = world.bench.find(number).await.total.unwrap();
            assert_eq!(counted.records, expected.len() as u64, "{filter:?}");
            let record = world.records[resource].keys().nth(dice.below(12) as usize).unwrap();
            let mut node = Node::key(resource, record.clone());
            node.among = filter.clone();
            let is_there = !world.bench.find(node).await.rows.is_empty();
            assert_eq!(is_there, expected.contains(&record.to_string()), "{filter:?}");
            hits += usize::from(!expected.is_empty() && expected.len() < 12);
        }
    }
    assert!(hits > 500, "the filters say something: {hits}");
}

#[tokio::test]
async fn what_is_not_seen_hangs_on_nothing() {
    let mut dice = Dice(5);
    let world = World::new(&mut dice).await;
    for _ in 0..60 {
        let filter = world.filter(&mut dice, PEOPLE, 2);
        let seen = |record: &&Record| world.holds(&filter, PEOPLE, record);
        let hang = |relation| {
            let mut node = page(PEOPLE, Filter::all(), &[], 100);
            let pick = Pick::Related { each: 2, limit: 1_000 };
            let mut child = Node::new(PEOPLE, pick);
            child.among = filter.clone();
            node.children = vec![Child { relation, node: child }];
            node
        };
        let boss = 6;
        for row in world.bench.find(hang(Relation::References(boss))).await.rows {
            let expected = world.follow(PEOPLE, &row.record, boss).filter(seen);
            assert_eq!(row.children[0].rows.first().map(|row| &row.record), expected);
        }
        for row in world.bench.find(hang(Relation::ReferredBy(boss))).await.rows {
            let refers = |other: &&Record| other.values[boss] == Some(row.record.id.to_value());
            let all = world.records[PEOPLE].values().filter(refers).filter(seen);
            let all: Vec<&Record> = all.collect();
            let found = &row.children[0];
            let there: Vec<&Record> = found.rows.iter().map(|row| &row.record).collect();
            assert_eq!(there, all[..all.len().min(2)]);
            assert_eq!(found.is_cut, all.len() > 2);
        }
    }
}

/// A list of what one of some indexes leads to is the same, in order, as one of what holds in
/// memory: whole, page by page behind a place, and backwards.
#[tokio::test]
async fn lists_of_one_of_several_are_whole_and_in_order() {
    let mut dice = Dice(11);
    let (name, size, rate, boss) = (0, 2, 3, 6);
    let mut longest = 0;
    for _ in 0..40 {
        let world = World::new(&mut dice).await;
        let mut ways = Vec::new();
        for _ in 0..dice.below(3) + 2 {
            let field = one(&mut dice, &[name, size, rate, boss]);
            let declared = &world.bench.model.resources[PEOPLE].fields[field].name;
            let comparison = World::comparison(&mut dice, declared);
            ways.push(Filter::Compare { path: Column::Field(field).into(), comparison });
        }
        let any = Filter::Any(ways);
        let filter = match dice.below(3) {
            0 => Filter::All(vec![world.filter(&mut dice, PEOPLE, 1), any]),
            _ => any,
        };
        for field in [name, size, rate] {
            let sort = [(Column::Field(field), dice.below(2) == 0), (Column::Id, false)];
            let whole = ids(&world.bench.find(page(PEOPLE, Filter::all(), &sort, 100)).await);
            let holds = |id: &String| {
                let record = &world.records[PEOPLE][&Id::Integer(id.parse().unwrap())];
                world.holds(&filter, PEOPLE, record)
            };
            let expected: Vec<String> = whole.into_iter().filter(holds).collect();
            let found = world.bench.find(page(PEOPLE, filter.clone(), &sort, 100)).await;
            assert_eq!(ids(&found), expected, "{filter:?}");
            assert_eq!(found.total.unwrap().records, expected.len() as u64, "{filter:?}");
            longest = longest.max(expected.len());
            for backwards in [false, true] {
                for (at, row) in found.rows.iter().enumerate() {
                    let mut node = page(PEOPLE, filter.clone(), &sort, 3);
                    let Pick::Page(asked) = &mut node.pick else { unreachable!() };
                    let position = Position::of(&row.record, &asked.sort);
                    asked.after = Some(Position { backwards, ..position });
                    let behind = match backwards {
                        false => &expected[at + 1..expected.len().min(at + 4)],
                        true => &expected[at.saturating_sub(3)..at],
                    };
                    assert_eq!(ids(&world.bench.find(node).await), behind, "{filter:?}");
                }
            }
        }
    }
    assert!(longest > 6, "the lists are more than a page: {longest}");
}
