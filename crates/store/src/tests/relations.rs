//! What goes along with a deletion, whoever deletes: found before, and true after. Groups of
//! fields that are unique or indexed together.

use model::query::Comparison;

use super::*;
use crate::dependents::{Dependent, Dependents};
use crate::sql;
use crate::sql::dependents::Own;
use crate::sql::select::{Ask, Shape};
use crate::sql::term::terms;

const DECLARATION: &str = r#"
[resources.folders]
sort = "-createdAt"
index = [["createdAt"], ["kind", "createdAt"], ["kind", "name"]]
fields.name   = { type = "string", unique = true, ignoreCase = true }
fields.kind   = { type = "string", default = "plain" }
fields.parent = { references = "folders", optional = true, onDelete = "cascade" }

[resources.papers]
unique = [["folder", "title"], ["shelf", "title"]]
fields.title  = { type = "string", ignoreCase = true, optional = true }
fields.folder = { references = "folders", onDelete = "cascade" }
fields.origin = { references = "folders", onDelete = "clear", optional = true }
fields.shelf  = { references = "folders", onDelete = "clear", type = ["integer", "null"] }

[resources.marks]
id = "text"
fields.paper = { references = "papers" }
fields.above = { references = "marks", optional = true }
"#;

const FOLDERS: ResourceIndex = 0;
const PAPERS: ResourceIndex = 1;
const MARKS: ResourceIndex = 2;

fn folder(id: i64, parent: Option<i64>) -> Change {
    let name = format!("Ördner {id}");
    let values = vec![text(&name), text("plain"), parent.map(Value::Integer)];
    insert(FOLDERS, Record { values, ..user(id, "") })
}

fn paper(id: i64, folder: i64, origin: Option<i64>, shelf: Option<i64>) -> Change {
    let values = vec![
        text(&format!("ÉCRIT {id}")),
        Some(Value::Integer(folder)),
        origin.map(Value::Integer),
        Some(shelf.map_or(Value::Null, Value::Integer)),
    ];
    insert(PAPERS, Record { values, ..user(id, "") })
}

fn mark(id: &str, paper: i64, above: Option<&str>) -> Change {
    let values = vec![Some(Value::Integer(paper)), above.and_then(text)];
    insert(MARKS, Record { id: Id::Text(id.to_owned()), values, ..user(1, "") })
}

/// Folders 1 to 4 in a circle, 5 in itself, 9 alone; papers that go along, that are cleared by one
/// field and by two, and that stay.
async fn shelves() -> Bench {
    let bench = Bench::of(DECLARATION, |_| {});
    let mut changes: Vec<Change> = [9, 1, 2, 3, 4, 5].map(|id| folder(id, None)).into();
    changes.push(paper(1, 2, Some(1), None));
    changes.push(paper(2, 9, Some(3), Some(1)));
    changes.push(paper(3, 9, Some(9), None));
    changes.push(paper(4, 9, None, Some(4)));
    bench.commit(changes).await.unwrap();
    let circle = "UPDATE folders SET parent = CASE id WHEN 1 THEN 4 WHEN 5 THEN 5 ELSE id - 1 END \
                  WHERE id < 9";
    bench.outside().execute_batch(circle).unwrap();
    bench
}

async fn dependents(bench: &Bench, resource: ResourceIndex, id: Id, limit: u32) -> Dependents {
    let pick = Pick::Dependents { id, limit, seen: Vec::new() };
    bench.find(Node::new(resource, pick)).await.dependents.unwrap()
}

#[tokio::test]
async fn what_refuses_a_deletion_is_counted_as_far_as_it_is_seen() {
    let bench = shelves().await;
    let changes: Vec<Change> = (0..5).map(|at| mark(&format!("m{at}"), 3, None)).collect();
    bench.commit(changes).await.unwrap();
    let counted = async |resource, id, limit, seen| {
        let pick = Pick::Dependents { id: Id::Integer(id), limit, seen };
        let found = bench.find(Node::new(resource, pick)).await.dependents.unwrap();
        let one = |to: &Dependent| (to.records, to.is_any_hidden, to.is_lower_bound);
        (found.references.iter().map(one).collect::<Vec<_>>(), found.is_partial)
    };
    let marks = |number: i64| {
        let comparison = Comparison::Less(Value::Text(format!("m{number}")));
        let marks = Filter::Compare { path: Column::Id.into(), comparison };
        vec![Filter::all(), Filter::all(), marks]
    };
    for (seen, expected) in [
        (Vec::new(), (5, false, false)),
        (marks(9), (5, false, false)),
        (marks(2), (2, true, false)),
        (marks(0), (0, true, false)),
        (vec![Filter::all(), Filter::all(), Filter::nothing()], (0, true, false)),
    ] {
        assert_eq!(counted(PAPERS, 3, 100, seen).await, (vec![expected], false));
    }
    assert_eq!(counted(PAPERS, 3, 3, marks(9)).await, (vec![(3, false, true)], false));
    assert_eq!(counted(PAPERS, 3, 3, marks(2)).await, (vec![(2, true, false)], false));
    // Of what would go along, and is too much, no more is told.
    let seen = vec![Filter::nothing(), Filter::all(), Filter::all()];
    let (found, is_partial) = counted(FOLDERS, 1, 1, seen).await;
    assert!(is_partial && found.iter().any(|(records, hidden, _)| *records == 0 && *hidden));
}

/// `folders.parent 3`, a line each; `≥` where counting stopped.
fn told(bench: &Bench, found: &Dependents) -> Vec<String> {
    let line = |to: &Dependent| {
        let resource = &bench.model.resources[to.resource];
        let least = if to.is_lower_bound { "≥" } else { "" };
        format!("{}.{} {least}{}", resource.name, resource.fields[to.field].name, to.records)
    };
    found.references.iter().map(line).collect()
}

#[derive(Clone, Copy, Debug)]
enum Who {
    Server,
    Shell,
}

/// Removes a folder as the server does, or as a person with `sqlite3` does.
async fn delete(bench: &Bench, who: Who, id: i64) {
    match who {
        Who::Server => {
            let record = bench.get(FOLDERS, Id::Integer(id)).await.unwrap();
            bench.commit(vec![remove(FOLDERS, &record)]).await.unwrap();
        }
        Who::Shell => {
            let text = format!("PRAGMA foreign_keys = ON; DELETE FROM folders WHERE id = {id}");
            bench.outside().execute_batch(&text).unwrap();
        }
    }
}

/// The entries of the change log behind a position, in the order of their text.
fn logged(bench: &Bench, behind: i64) -> Vec<String> {
    let outside = bench.outside();
    let mut statement = outside
        .prepare(
            "SELECT name || ' ' || id || ' ' || operation || ' ' || version \
             FROM _methodical_changes JOIN _methodical_resource USING (resource) \
             WHERE position > ? ORDER BY 1",
        )
        .unwrap();
    let rows = statement.query_map([behind], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn position(bench: &Bench) -> i64 {
    let outside = bench.outside();
    let last = "SELECT max(position) FROM _methodical_changes";
    outside.query_row(last, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn what_a_deletion_takes_along_is_found_before() {
    let bench = shelves().await;
    let found = dependents(&bench, FOLDERS, Id::Integer(1), 100).await;
    let all = ["folders.parent 3", "papers.folder 1", "papers.origin 1", "papers.shelf 2"];
    assert_eq!(told(&bench, &found), all);
    assert!(!found.is_partial);
    let each: Vec<String> = found
        .along
        .iter()
        .map(|along| format!("{:?} {} {}", along.fate, along.resource, along.id))
        .collect();
    let expected = ["Deleted 0 2", "Deleted 0 3", "Deleted 0 4", "Deleted 1 1"];
    assert_eq!(each[..4], expected, "each once, one that is cleared by two fields too: {each:?}");
    assert_eq!(each[4..], ["Cleared 1 2", "Cleared 1 4"], "{each:?}");
    // Six records in all: one of them is cleared by two fields, one is cleared and goes along.
    let found = dependents(&bench, FOLDERS, Id::Integer(1), 6).await;
    assert_eq!((told(&bench, &found), found.is_partial), (all.map(str::to_owned).into(), false));
    for limit in 1..6 {
        let found = dependents(&bench, FOLDERS, Id::Integer(1), limit).await;
        assert!(found.is_partial, "{limit}");
        assert!(found.references.iter().all(|to| to.is_lower_bound), "{limit}");
        let along: u64 = found.references.iter().map(|to| to.records).sum();
        assert!((1..=u64::from(limit) + 2).contains(&along), "{limit}: {found:?}");
    }
    let alone = dependents(&bench, FOLDERS, Id::Integer(5), 1).await;
    assert_eq!(alone, Dependents::default(), "itself is no other");
    let nobody = dependents(&bench, FOLDERS, Id::Integer(77), 1).await;
    assert_eq!(nobody, Dependents::default());
}

#[tokio::test]
async fn a_restriction_is_found_wherever_it_stands_and_refuses() {
    let bench = shelves().await;
    let marks = [("m1", None), ("m2", Some("m1")), ("m3", Some("m3"))];
    bench.commit(marks.map(|(id, above)| mark(id, 1, above)).into()).await.unwrap();
    let found = dependents(&bench, FOLDERS, Id::Integer(3), 100).await;
    assert_eq!(
        told(&bench, &found),
        [
            "folders.parent 3",
            "papers.folder 1",
            "papers.origin 1",
            "papers.shelf 2",
            "marks.paper 3"
        ]
    );
    let few = dependents(&bench, PAPERS, Id::Integer(1), 2).await;
    assert_eq!(told(&bench, &few), ["marks.paper ≥2"]);
    assert!(!few.is_partial, "nothing goes along");

    let before = position(&bench);
    let refused = remove(FOLDERS, &bench.get(FOLDERS, Id::Integer(3)).await.unwrap());
    assert_eq!(bench.commit(vec![refused]).await, Err(Error::Dangling { step: 0 }));
    assert_eq!(logged(&bench, before), [""; 0]);
    bench.assert_true();

    // m1 is held back by m2, and m3 by nobody but itself.
    let of = |id: &str| Id::Text(id.to_owned());
    assert_eq!(told(&bench, &dependents(&bench, MARKS, of("m1"), 9).await), ["marks.above 1"]);
    assert_eq!(dependents(&bench, MARKS, of("m3"), 9).await, Dependents::default());
    for id in ["m3", "m2", "m1"] {
        let record = bench.get(MARKS, of(id)).await.unwrap();
        bench.commit(vec![remove(MARKS, &record)]).await.unwrap();
    }
    assert_eq!(bench.list(MARKS).await.rows.len(), 0);
    bench.assert_true();
}

#[tokio::test]
async fn everything_kept_of_what_goes_along_stays_true_whoever_deletes() {
    for who in [Who::Server, Who::Shell] {
        let bench = shelves().await;
        let kept = [1, 2, 3, 4].map(Id::Integer);
        let mut before = Vec::new();
        for id in &kept {
            before.push(bench.get(PAPERS, id.clone()).await.unwrap());
        }
        let changes = [FOLDERS, PAPERS].map(|resource| (resource, position(&bench)));
        let (folders, papers) = (bench.change(FOLDERS).await, bench.change(PAPERS).await);
        delete(&bench, who, 1).await;

        let mut log = logged(&bench, changes[0].1);
        // Cleared by two fields one after the other: two versions, or one that says both.
        let cleared: Vec<String> = log.extract_if(.., |entry| entry.contains("update")).collect();
        assert_eq!(
            log,
            [
                "folders 1 delete 2",
                "folders 2 delete 2",
                "folders 3 delete 2",
                "folders 4 delete 2",
                // Cleared first, by another field.
                "papers 1 delete 2",
            ],
            "{who:?}"
        );
        let named = |id: &str| cleared.iter().filter(|entry| entry.starts_with(id)).count();
        assert_eq!((named("papers 2 update"), named("papers 4 update")), (2, 1), "{cleared:?}");
        assert_eq!(named("papers 3"), 0, "what only refers to others stays as it is");

        // Each entry moved the counter of its resource once.
        let now = bench.list(FOLDERS).await;
        assert_eq!(bench.change(FOLDERS).await - folders, 4, "{who:?}");
        assert_eq!(ids(&now), ["5", "9"]);
        let now = bench.list(PAPERS).await;
        let entries = 1 + i64::try_from(cleared.len()).unwrap();
        assert_eq!(bench.change(PAPERS).await - papers, entries, "{who:?}: {cleared:?}");
        assert_eq!(ids(&now), ["2", "3", "4"]);
        bench.assert_true();

        for (row, was) in now.rows.iter().zip(&before[1..]) {
            let (is, id) = (&row.record, &was.id);
            let fields = match id {
                Id::Integer(2) => vec![None, Some(Value::Null)],
                Id::Integer(3) => vec![Some(Value::Integer(9)), Some(Value::Null)],
                _ => vec![None, Some(Value::Null)],
            };
            assert_eq!(is.values[2..], fields, "{who:?} {id}");
            assert_eq!(is.values[..2], was.values[..2], "{who:?} {id}");
            let cleared = named(&format!("papers {id} update"));
            assert_eq!(is.version.counter - was.version.counter, cleared as i64, "{who:?} {id}");
            assert_eq!(is.version.birth, was.version.birth);
            assert_eq!(is.created_at, was.created_at);
            assert_eq!(is.updated_at > was.updated_at, cleared > 0, "{who:?} {id}");
        }
        // Text beyond ASCII is still found without its case.
        let by = equal(0, Value::Text("écrit 2".to_owned()));
        assert_eq!(ids(&bench.find(page(PAPERS, by, &[], 9)).await), ["2"]);
    }
}

#[tokio::test]
async fn a_row_that_is_replaced_takes_along_what_a_deleted_one_does() {
    let bench = shelves().await;
    let text = "PRAGMA foreign_keys = ON; \
                INSERT OR REPLACE INTO folders (id, name) VALUES (1, 'new')";
    bench.outside().execute_batch(text).unwrap();
    assert_eq!(ids(&bench.list(FOLDERS).await), ["1", "5", "9"]);
    assert_eq!(ids(&bench.list(PAPERS).await), ["2", "3", "4"]);
    assert_eq!(bench.get(PAPERS, Id::Integer(4)).await.unwrap().version.counter, 2);
    bench.assert_true();
}

#[tokio::test]
async fn trees_go_whole_and_chains_as_far_as_the_database_follows() {
    let bench = Bench::of(DECLARATION, |options| options.cascade_levels_max = 50);
    let outside = bench.outside();
    let grow = |first: i64, number: i64, parent: &str| {
        let text = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= {number}) \
             INSERT INTO folders (id, name, parent) SELECT {first} + i - 1, 'f' || ({first} + i), \
             CASE WHEN i > 1 THEN {parent} END FROM n"
        );
        outside.execute_batch(&text).unwrap();
    };
    outside.execute_batch("INSERT INTO folders (id, name) VALUES (90000, 'shelf')").unwrap();
    // 3,000 below the root, in twos; a chain of as many as are followed; and a longer one.
    grow(1, 3_000, "i / 2");
    grow(10_001, 50, "10000 + i - 1");
    grow(20_001, 60, "20000 + i - 1");
    for (root, along) in [(1, 3_000), (10_001, 50), (20_001, 60)] {
        let found = dependents(&bench, FOLDERS, Id::Integer(root), 10_000).await;
        assert_eq!(told(&bench, &found), [format!("folders.parent {along}")]);
        let found = dependents(&bench, FOLDERS, Id::Integer(root), along - 1).await;
        assert!(found.is_partial);
        assert_eq!(told(&bench, &found), [format!("folders.parent ≥{along}")]);
    }
    delete(&bench, Who::Server, 1).await;
    delete(&bench, Who::Server, 10_001).await;
    bench.assert_true();
    let total = bench.list(FOLDERS).await.total.unwrap().records;
    assert_eq!(total, 62);
    let chain = bench.get(FOLDERS, Id::Integer(20_001)).await.unwrap();
    let too_deep = bench.commit(vec![remove(FOLDERS, &chain)]).await;
    assert_eq!(too_deep, Err(Error::TooDeep { step: 0 }));
    assert_eq!(bench.list(FOLDERS).await.total.unwrap().records, total);
    delete(&bench, Who::Server, 20_052).await;
    // What is cleared at the end of the chain is within it.
    outside
        .execute_batch("INSERT INTO papers (folder, origin, shelf) VALUES (90000, 20051, 20051)")
        .unwrap();
    delete(&bench, Who::Server, 20_001).await;
    assert_eq!(ids(&bench.list(FOLDERS).await), ["90000"]);
    let cleared = bench.list(PAPERS).await.rows.remove(0).record;
    assert_eq!((&cleared.values[2], cleared.version.counter), (&None, 3));
    bench.assert_true();
}

#[tokio::test]
async fn many_dependents_are_asked_for_in_parts() {
    let bench = shelves().await;
    let outside = bench.outside();
    outside
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 2009) \
             INSERT INTO papers (id, folder) SELECT i, 5 FROM n;
             INSERT INTO marks (id, paper) SELECT 'm' || id, id FROM papers WHERE folder = 5",
        )
        .unwrap();
    let found = dependents(&bench, FOLDERS, Id::Integer(5), 10_000).await;
    assert_eq!(told(&bench, &found), ["papers.folder 2000", "marks.paper 2000"]);
    let found = dependents(&bench, FOLDERS, Id::Integer(5), 2_000).await;
    assert_eq!(told(&bench, &found), ["papers.folder 2000", "marks.paper 2000"]);
}

#[tokio::test]
async fn groups_that_are_unique_name_all_their_fields() {
    let bench = shelves().await;
    let titled = |id: i64, folder: i64, title: Option<&str>, shelf: Option<i64>| {
        let Change::Insert { mut record, .. } = paper(id, folder, None, shelf) else {
            panic!("a paper is inserted")
        };
        record.values[0] = title.and_then(text);
        insert(PAPERS, record)
    };
    let taken = |fields: &[FieldIndex]| {
        Err(Error::Taken { resource: PAPERS, fields: fields.to_vec(), step: 0 })
    };
    let done = Ok(Verdict::Committed(vec![()]));
    for (change, expected) in [
        (titled(20, 9, Some("écrit 3"), None), taken(&[1, 0])),
        (titled(21, 9, Some("écrit 33"), None), done.clone()),
        (titled(22, 5, Some("ÉCRIT 3"), None), done.clone()),
        (titled(23, 5, Some("écrit 4"), Some(4)), taken(&[3, 0])),
        // A record whose title is absent, or that stands on no shelf, is like no other.
        (titled(24, 9, None, None), done.clone()),
        (titled(25, 9, None, None), done.clone()),
        (titled(26, 9, Some("écrit 5"), None), done.clone()),
        (titled(27, 5, Some("écrit 5"), None), done.clone()),
    ] {
        assert_eq!(bench.commit(vec![change.clone()]).await, expected, "{change:?}");
    }
    // What is cleared is like no other any more, and cannot be taken.
    bench.commit(vec![titled(28, 5, Some("écrit 2"), Some(9))]).await.unwrap();
    delete(&bench, Who::Server, 1).await;
    bench.assert_true();
}

/// How SQLite carries out a page, and how many rows it sorted by itself.
fn plan(
    bench: &Bench,
    resource: ResourceIndex,
    filter: &Filter,
    sort: &[(Column, bool)],
) -> String {
    let sort: Vec<Sort> = sort
        .iter()
        .map(|(column, descending)| Sort { column: *column, descending: *descending })
        .collect();
    let shape = Shape::new(resource, Ask::Page, &terms(filter), &model::query::total_order(&sort));
    explained(bench, &shape.text(&bench.model))
}

fn explained(bench: &Bench, text: &str) -> String {
    let outside = bench.outside();
    let mut statement = outside.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    let rows = statement.raw_query().mapped(|row| row.get::<_, String>(3));
    rows.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn an_index_serves_comparison_and_order_at_once() {
    let bench = shelves().await;
    let kind = equal(1, Value::Text("plain".to_owned()));
    let name = Column::Field(0);
    for (filter, sort, index) in [
        (Filter::all(), vec![(Column::CreatedAt, true)], "folders(createdAt)"),
        (kind.clone(), vec![(Column::CreatedAt, true)], "folders(kind,createdAt)"),
        (kind.clone(), vec![(Column::CreatedAt, false)], "folders(kind,createdAt)"),
        (kind.clone(), vec![(name, false)], "folders(kind,name)"),
        (Filter::all(), vec![(name, true)], "folders(name)"),
    ] {
        let plan = plan(&bench, FOLDERS, &filter, &sort);
        assert!(plan.contains(&format!("USING INDEX {index}")), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
    // Behind `kind` alone an index on `kind` and `createdAt` does not know the id.
    let by_id = plan(&bench, FOLDERS, &kind, &[(Column::Field(1), false)]);
    assert!(by_id.contains("TEMP B-TREE"), "{by_id}");
    // Nor can it be read in two directions.
    let both = plan(&bench, FOLDERS, &kind, &[(Column::CreatedAt, true), (name, false)]);
    assert!(both.contains("TEMP B-TREE"), "{both}");
}

#[tokio::test]
async fn who_refers_is_found_by_an_index() {
    let bench = Bench::of(DECLARATION, |_| {});
    let referrers = [(FOLDERS, 2), (PAPERS, 1), (PAPERS, 2), (PAPERS, 3), (MARKS, 0), (MARKS, 1)];
    for (index, field) in referrers {
        let resource = &bench.model.resources[index];
        let by = format!("INDEX {}({}", resource.name, resource.fields[field].name);
        for among in [1, 8, 512] {
            for text in [
                sql::dependents::referrers(resource, field, among),
                sql::dependents::restrictions(resource, field, among, Own::Passed),
                sql::dependents::restrictions(resource, field, among, Own::None),
            ] {
                let plan = explained(&bench, &text);
                assert!(plan.contains("SEARCH") && plan.contains(&by), "{text}: {plan}");
            }
        }
    }
}
