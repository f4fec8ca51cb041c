//! What SQLite intends to do for each kind of list: where an index serves it, no table is walked
//! and nothing is sorted, whatever was passed over.

use model::query::{Aggregate, Comparison, Function, Measure, Path, total_order};

use super::*;
use crate::sql::apart::{For, apart};
use crate::sql::select::{Ask, Shape};
use crate::sql::term::{Form, Term, Test, terms};
use crate::sqlite::keyset::branches;

const LISTS: &str = r#"
title = "Plans"

[resources.owners]
fields.name = { type = "string", ignoreCase = true, index = true }
fields.note = { type = "string", optional = true }

[resources.items]
index = [["a", "b"]]
fields.a = { type = "integer", optional = true }
fields.b = { type = "string", ignoreCase = true, optional = true }
fields.c = { type = "integer", default = 0 }
fields.owner = { references = "owners", optional = true }

[resources.parts]
id = "text"
index = [["a", "b"]]
fields.a = { type = "integer" }
fields.b = { type = "string" }
fields.item = { references = "items" }
"#;

const OWNERS: ResourceIndex = 0;
const ITEMS: ResourceIndex = 1;
const PARTS: ResourceIndex = 2;
const A: Column = Column::Field(0);
const B: Column = Column::Field(1);

struct Plans {
    _folder: TempDir,
    model: Arc<Model>,
    outside: Connection,
}

impl Plans {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = declared(LISTS);
        let opened = crate::open(&options(&folder), Arc::clone(&model), &mut seedless).unwrap();
        let outside = Connection::open(folder.path().join("data.db")).unwrap();
        drop(opened);
        Self { _folder: folder, model, outside }
    }

    /// The plan of a statement, a step a line.
    fn of(&self, shape: &Shape) -> String {
        let text = format!("EXPLAIN QUERY PLAN {}", shape.text(&self.model));
        let mut statement = self.outside.prepare(&text).unwrap();
        // The plan is made before values are bound, as that of the statement that is kept.
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get::<_, String>("detail").unwrap());
        }
        steps.join("\n")
    }

    fn page(&self, resource: ResourceIndex, terms: &[Term<'_>], sort: &[(Column, bool)]) -> String {
        self.of(&Shape::new(resource, Ask::Page, terms, &order(sort)))
    }
}

fn order(sort: &[(Column, bool)]) -> Vec<Sort> {
    let key =
        |(column, descending): &(Column, bool)| Sort { column: *column, descending: *descending };
    total_order(&sort.iter().map(key).collect::<Vec<_>>())
}

/// No table is walked, and nothing is sorted.
fn assert_seeks(plan: &str, index: &str) {
    assert!(plan.contains(&format!("SEARCH {index}")), "{plan}");
    assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
}

fn compare(column: Column, comparison: Comparison) -> Filter {
    Filter::Compare { path: column.into(), comparison }
}

#[test]
fn a_page_behind_a_place_seeks_where_an_index_has_its_order() {
    let plans = Plans::new();
    for (resource, id, index) in [
        (ITEMS, Value::Integer(7), "items USING INDEX items(a,b)"),
        (PARTS, Value::Text("p".to_owned()), "parts USING INDEX parts(a,b)"),
    ] {
        let declared = &plans.model.resources[resource];
        for descending in [false, true] {
            let order = order(&[(A, descending), (B, descending)]);
            let places = [
                (Value::Integer(1), Value::Text("x".to_owned())),
                (Value::Integer(1), Value::Null),
                (Value::Null, Value::Null),
            ];
            // Where a value is required there is no place without one.
            let possible = if resource == ITEMS { &places[..] } else { &places[..1] };
            for (a, b) in possible.iter().cloned() {
                let ranges = branches(declared, &order, &[a, b, id.clone()]);
                assert!(!ranges.is_empty());
                for range in ranges {
                    let terms: Vec<Term<'_>> =
                        range.iter().map(|(by, it)| Term::new((*by).into(), it)).collect();
                    let plan = plans.of(&Shape::new(resource, Ask::Page, &terms, &order));
                    assert_seeks(&plan, index);
                }
            }
        }
    }
}

#[test]
fn the_first_page_walks_an_index_in_its_order_and_sorts_nothing() {
    let plans = Plans::new();
    for (resource, index) in [(ITEMS, "items(a,b)"), (PARTS, "parts(a,b)")] {
        for descending in [false, true] {
            let plan = plans.page(resource, &[], &[(A, descending), (B, descending)]);
            assert!(plan.contains(&format!("USING INDEX {index}")), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
    let plan = plans.page(ITEMS, &[], &[]);
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn filter_and_order_by_one_composite_index_seek() {
    let plans = Plans::new();
    let one = Filter::equal(A, Value::Integer(1));
    let text = |text: &str| Value::Text(text.to_owned());
    for (filter, sort) in [
        (one.clone(), vec![(B, false)]),
        (one.clone(), vec![(B, true)]),
        (one.clone(), vec![(A, false), (B, false)]),
        (
            Filter::All(vec![one.clone(), compare(B, Comparison::Prefix("x".to_owned()))]),
            vec![(B, false)],
        ),
        (Filter::All(vec![one.clone(), compare(B, Comparison::Less(text("x")))]), vec![(B, true)]),
        (Filter::All(vec![one, Filter::equal(B, text("x"))]), vec![]),
        (compare(A, Comparison::Greater(Value::Integer(1))), vec![(A, false), (B, false)]),
    ] {
        for (resource, index) in
            [(ITEMS, "items USING INDEX items(a,b)"), (PARTS, "parts USING INDEX parts(a,b)")]
        {
            assert_seeks(&plans.page(resource, &terms(&filter), &sort), index);
        }
    }
    let absent = compare(A, Comparison::Null);
    let plan = plans.page(ITEMS, &terms(&absent), &[(B, false)]);
    assert_seeks(&plan, "items USING INDEX items(a,b)");
}

#[test]
fn relations_are_followed_by_index_both_ways() {
    let plans = Plans::new();
    for (resource, field, index) in
        [(ITEMS, 3, "items USING INDEX items(owner)"), (PARTS, 2, "parts USING INDEX parts(item)")]
    {
        let filter = Filter::equal(Column::Field(field), Value::Integer(1));
        assert_seeks(&plans.page(resource, &terms(&filter), &[(Column::Id, false)]), index);
    }
    let among = |resource| {
        let terms = vec![Form::Compare(Path::from(Column::Id), Test::In(4))];
        Shape { resource, ask: Ask::Among, terms, sort: Vec::new() }
    };
    assert_seeks(&plans.of(&among(OWNERS)), "owners USING INTEGER PRIMARY KEY");
    assert_seeks(&plans.of(&among(PARTS)), "parts USING INDEX sqlite_autoindex_parts_1");
}

#[test]
fn a_filter_on_what_is_referred_to_begins_where_an_index_leads() {
    let plans = Plans::new();
    let through = |through: &[FieldIndex], field: FieldIndex| Filter::Compare {
        path: Path { through: through.to_vec(), column: Column::Field(field) },
        comparison: Comparison::Equal(Value::Text("x".to_owned())),
    };
    let count = |resource, filter: &Filter| {
        plans.of(&Shape::new(resource, Ask::CountTo, &terms(filter), &[]))
    };
    let led = count(ITEMS, &through(&[3], 0));
    for step in ["SEARCH items USING COVERING INDEX items(owner)", "SEARCH _1 USING"] {
        assert!(led.contains(step), "{led}");
    }
    assert!(!led.contains("SCAN items") && !led.contains("SCAN _1"), "{led}");
    let far = count(PARTS, &through(&[2, 3], 0));
    for step in ["SEARCH parts USING", "SEARCH _1 USING", "SEARCH _2 USING"] {
        assert!(far.contains(step), "{far}");
    }
    // Without an index there each record here is looked at, and the one that it names is found.
    let looked = count(ITEMS, &through(&[3], 1));
    assert!(looked.contains("SEARCH _1") && looked.contains("INTEGER PRIMARY KEY"), "{looked}");
}

#[test]
fn what_a_caller_sees_is_found_by_the_same_indexes() {
    let plans = Plans::new();
    let through = Filter::Compare {
        path: Path { through: vec![3], column: Column::Field(1) },
        comparison: Comparison::Equal(Value::Text("open".to_owned())),
    };
    let own = Filter::equal(Column::Field(3), Value::Integer(1));
    // A list of what somebody owns, whatever else has to hold of it.
    for more in [
        Filter::all(),
        through.clone(),
        through.clone().negated(),
        through.clone().or(compare(Column::Field(2), Comparison::Greater(Value::Integer(1)))),
    ] {
        let filter = own.clone().and(more);
        let plan = plans.page(ITEMS, &terms(&filter), &[(Column::Id, false)]);
        assert_seeks(&plan, "items USING INDEX items(owner)");
    }
    // Either of two, each by its own index.
    let either = own.clone().or(Filter::equal(A, Value::Integer(1)));
    let count = plans.of(&Shape::new(ITEMS, Ask::Count, &terms(&either), &[]));
    assert!(count.contains("MULTI-INDEX OR") && !count.contains("SCAN"), "{count}");
    // One record, whatever has to hold of it.
    for (resource, id, index) in [
        (ITEMS, Value::Integer(1), "items USING INTEGER PRIMARY KEY"),
        (PARTS, Value::Text("p".to_owned()), "parts USING INDEX sqlite_autoindex_parts_1"),
    ] {
        let own = Filter::equal(Column::Field(if resource == ITEMS { 3 } else { 2 }), id.clone());
        for among in [own.clone(), own.clone().negated(), own.or(Filter::equal(A, id.clone()))] {
            let filter = Filter::equal(Column::Id, id.clone()).and(among);
            assert_seeks(&plans.of(&Shape::new(resource, Ask::Among, &terms(&filter), &[])), index);
        }
    }
    let nothing = Filter::nothing();
    let plan = plans.page(ITEMS, &terms(&nothing), &[]);
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn lists_of_one_of_several_are_merged_from_their_indexes() {
    let plans = Plans::new();
    let own = Filter::equal(Column::Field(3), Value::Integer(1));
    let either = own.clone().or(Filter::equal(A, Value::Integer(1)));
    let through = Filter::Compare {
        path: Path { through: vec![3], column: Column::Field(1) },
        comparison: Comparison::Equal(Value::Text("open".to_owned())),
    };
    // A page of either merges both in its order, and what is counted is not looked at.
    let declared = &plans.model;
    let asked = |ask, filter: &Filter, sort: &[(Column, bool)]| {
        let what = if ask == Ask::Page { For::Page } else { For::Number };
        let terms = apart(declared, ITEMS, filter, (what, &[]));
        plans.of(&Shape::new(ITEMS, ask, &terms, &order(sort)))
    };
    for (filter, sort) in [
        (either.clone(), vec![]),
        (
            either.clone().and(compare(Column::Field(2), Comparison::NotNull)),
            vec![(Column::Id, true)],
        ),
        (own.clone().or(through.clone().and(Filter::equal(A, Value::Integer(1)))), vec![]),
    ] {
        let plan = asked(Ask::Page, &filter, &sort);
        assert!(plan.contains("MERGE (UNION)"), "{plan}");
        assert!(plan.contains("INDEX items(owner)"), "{plan}");
        assert!(plan.contains("INDEX items(a,b)"), "{plan}");
        assert!(!plan.contains("SCAN items"), "{plan}");
    }
    // Where each has the order, nothing is sorted but what the page has.
    for (resource, field) in [(ITEMS, 3), (PARTS, 2)] {
        let one = |id| Filter::equal(Column::Field(field), Value::Integer(id));
        let filter = one(1).or(one(2));
        let terms = apart(declared, resource, &filter, (For::Page, &[]));
        let plan = plans.page(resource, &terms, &[(Column::Id, true)]);
        let merged = plan.split("SCAN _found").next().unwrap();
        assert!(merged.contains("MERGE (UNION)") && !merged.contains("TEMP B-TREE"), "{plan}");
    }
    for ask in [Ask::Count, Ask::CountTo] {
        let plan = asked(ask, &either, &[]);
        // Those of an owner are fewer: they are the ones that are looked at.
        assert!(plan.contains("SEARCH items USING COVERING INDEX items(a,b)"), "{plan}");
        assert!(plan.contains("SEARCH items USING INDEX items(owner)"), "{plan}");
        assert!(!plan.contains("MULTI-INDEX OR") && !plan.contains("SCAN items"), "{plan}");
    }
    // What has no index is looked at in the order of the page, and so is what another leads to.
    for filter in [
        own.clone().or(Filter::equal(Column::Field(2), Value::Integer(1))),
        either.clone().and(Filter::equal(A, Value::Integer(2))),
    ] {
        let plan = asked(Ask::Page, &filter, &[]);
        assert!(!plan.contains("UNION"), "{plan}");
    }
}

#[test]
fn totals_and_groups_are_counted_from_an_index() {
    let plans = Plans::new();
    let filter = Filter::equal(A, Value::Integer(1));
    for ask in [Ask::Count, Ask::CountTo] {
        let plan = plans.of(&Shape::new(ITEMS, ask, &terms(&filter), &[]));
        assert!(plan.contains("SEARCH items USING COVERING INDEX items(a,b)"), "{plan}");
    }
    let measures = vec![Measure { function: Function::Count, column: None }];
    let aggregate = Aggregate { measures, group_by: vec![A], sort: Vec::new() };
    let plan = plans.of(&Shape::new(ITEMS, Ask::Groups(aggregate), &[], &[]));
    assert!(plan.contains("USING COVERING INDEX items(a,b)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}
