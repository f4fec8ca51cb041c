//! Rows taken in beside an open store, some of which the tables refuse.

use super::*;
use crate::audit_log::Acts;
use crate::error::Error;
use crate::transfer::{self, Fate, Import, Note, References, Row};

const DECLARATION: &str = "[resources.users]\nsearch = [\"name\"]\n\
    fields.name = { type = \"string\" }\n\
    fields.email = { type = \"string\", unique = true, optional = true }\n\
    fields.boss = { references = \"users\", optional = true }\n";

fn row(id: Option<i64>, name: &str, email: Option<&str>, boss: Option<i64>) -> Row {
    let values = vec![text(name), email.and_then(text), boss.map(Value::Integer)];
    let record = Record { values, ..user(id.unwrap_or(0), "") };
    Row { resource: USERS, record, has_id: id.is_some() }
}

fn import(bench: &Bench) -> Import {
    let attached = transfer::attach(&options(&bench.folder), bench.model.clone()).unwrap();
    attached.import().unwrap()
}

fn write(import: &Import, rows: &[Row], references: References) -> Result<Vec<Fate>, Error> {
    let rows: Vec<&Row> = rows.iter().collect();
    import.write(Some("k"), &rows, references, &mut |fates| {
        Ok(Note { state: fates.len().to_string(), waiting: vec![7, 3], settled: vec![3] })
    })
}

#[tokio::test]
async fn refused_rows_leave_no_trace_and_the_others_are_there() {
    let bench = Bench::of(DECLARATION, |_| {});
    let import = import(&bench);
    let rows = [
        row(Some(5), "Ann", Some("a"), None),
        row(None, "Ben", None, Some(5)),
        row(Some(5), "Cay", None, None),
        row(None, "Dan", None, Some(99)),
        // The last one is refused: the triggers of the index must not stay silent after it.
        row(None, "Eve", Some("a"), None),
    ];
    let fates = write(&import, &rows, References::AtOnce).unwrap();
    let missing = Fate::Missing(vec![(2, USERS, Id::Integer(99))]);
    let taken = |fields| Fate::Taken(fields);
    let expected = vec![Fate::Created, Fate::Created, taken(vec![]), missing, taken(vec![1])];
    assert_eq!(fates, expected);
    assert_eq!(import.remembered("k").unwrap(), Some(("5".to_owned(), vec![7])));
    assert_eq!(ids(&bench.list(USERS).await), ["5", "6"]);
    assert_eq!(bench.get(USERS, Id::Integer(5)).await.unwrap(), rows[0].record);
    bench.assert_true();
    let outside = bench.outside();
    outside.execute("UPDATE users SET name = 'outside' WHERE id = 5", []).unwrap();
    let indexed: String = outside
        .query_row(
            "SELECT group_concat(rowid) FROM \"_methodical_search(users)\" \
                    WHERE \"_methodical_search(users)\" MATCH 'outside OR Ben'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(indexed, "5,6");
    // The open store goes on behind them.
    let next = Record { id: Id::Integer(7), ..row(None, "Fay", Some("f"), Some(6)).record };
    bench.commit(vec![insert(USERS, next)]).await.unwrap();
    assert_eq!(ids(&bench.list(USERS).await), ["5", "6", "7"]);
    import.forget("k").unwrap();
    assert_eq!(import.remembered("k").unwrap(), None);
}

#[tokio::test]
async fn rows_that_refer_to_each_other_are_created_together_or_not_at_all() {
    let bench = Bench::of(DECLARATION, |_| {});
    let import = import(&bench);
    let circle = [row(Some(1), "A", None, Some(2)), row(Some(2), "B", Some("b"), Some(1))];
    let alone = write(&import, &circle, References::AtOnce).unwrap();
    assert!(matches!(alone[0], Fate::Missing(_)) && matches!(alone[1], Fate::Missing(_)));
    let open = [circle[0].clone(), row(Some(2), "B", None, Some(3))];
    let error = write(&import, &open, References::Together).unwrap_err();
    assert_eq!(error, Error::Dangling { step: 0 });
    let twice = [circle[0].clone(), circle[1].clone(), row(Some(4), "C", Some("b"), Some(1))];
    let fates = write(&import, &twice, References::Together).unwrap();
    assert_eq!(fates, [Fate::Created, Fate::Created, Fate::Taken(vec![1])]);
    assert!(bench.list(USERS).await.rows.is_empty(), "told, and nothing written");
    let fates = write(&import, &circle, References::Together).unwrap();
    assert_eq!(fates, [Fate::Created, Fate::Created]);
    assert_eq!(ids(&bench.list(USERS).await), ["1", "2"]);
    bench.assert_true();
}

#[tokio::test]
async fn of_two_runs_of_the_same_import_one_goes_on() {
    let bench = Bench::of(DECLARATION, |_| {});
    let (one, other) = (import(&bench), import(&bench));
    assert_eq!(one.remembered("k").unwrap(), None);
    assert_eq!(other.remembered("k").unwrap(), None);
    write(&one, &[row(None, "A", None, None)], References::AtOnce).unwrap();
    let refused = write(&other, &[row(None, "A", None, None)], References::AtOnce);
    assert!(matches!(refused, Err(Error::Busy(why)) if why.contains("another run")));
    write(&one, &[row(None, "B", None, None)], References::AtOnce).unwrap();
    assert_eq!(ids(&bench.list(USERS).await), ["1", "2"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_was_replaced_takes_no_rows() {
    let bench = Bench::of(DECLARATION, |_| {});
    let import = import(&bench);
    let aside = bench.folder.path().join("aside.db");
    std::fs::rename(bench.path(), &aside).unwrap();
    let refused = write(&import, &[row(None, "A", None, None)], References::AtOnce);
    assert!(matches!(refused, Err(Error::Busy(why)) if why.contains("removed or replaced")));
    std::fs::rename(&aside, bench.path()).unwrap();
    write(&import, &[row(None, "A", None, None)], References::AtOnce).unwrap();
}

#[tokio::test]
async fn where_the_note_fails_nothing_is_written() {
    let bench = Bench::of(DECLARATION, |_| {});
    let import = import(&bench);
    let row = row(Some(1), "A", None, None);
    let failing = &mut |_: &[Fate]| Err("no room for faults".to_owned());
    let error = import.write(None, &[&row], References::AtOnce, failing).unwrap_err();
    assert!(error.to_string().contains("no room for faults"));
    assert!(bench.list(USERS).await.rows.is_empty());
    bench.assert_true();
}

#[tokio::test]
async fn only_a_database_that_fits_is_attached() {
    let bench = Bench::of(DECLARATION, |_| {});
    let nowhere = Options { path: bench.folder.path().join("none.db"), ..options(&bench.folder) };
    let attach = |options: &Options, model| transfer::attach(options, model).map(drop);
    assert_eq!(attach(&nowhere, bench.model.clone()), Err(OpenError::Missing));
    assert!(!nowhere.path.exists());
    let other = declared("[resources.a]\nfields.b = { type = \"string\" }\n");
    let refused = attach(&options(&bench.folder), other);
    assert!(matches!(refused, Err(OpenError::Changed { .. })));
    Connection::open(&nowhere.path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert_eq!(attach(&nowhere, bench.model.clone()), Err(OpenError::NotOurs));
}

#[tokio::test]
async fn each_chunk_is_in_the_audit_log_with_what_it_created() {
    let bench = Bench::of(DECLARATION, |_| {});
    let import = import(&bench);
    let chunks: [&[Option<i64>]; 4] =
        [&[Some(5), None, None], &[Some(1), Some(3)], &[Some(9)], &[Some(9)]];
    for ids in chunks {
        let rows: Vec<Row> = ids.iter().map(|id| row(*id, "A", None, None)).collect();
        write(&import, &rows, References::AtOnce).unwrap();
    }
    let acts = Acts { limit: 9, ..Acts::default() };
    let lookup = Lookup { acts: Some(Box::new(acts)), ..Lookup::default() };
    let found = bench.reader().read(lookup).await.unwrap().acts;
    let told: Vec<_> = found
        .iter()
        .map(|act| (act.records, act.record.as_deref(), act.span, act.resource.as_deref()))
        .collect();
    let users = Some("users");
    // The last chunk created nothing.
    let expected = [(1, Some("9"), None, users), (2, None, None, users)];
    assert_eq!(told, [&expected[..], &[(3, None, Some((5, 7)), users)]].concat());
    assert!(found.iter().all(|act| act.actor == "operator" && act.operation == "import"));
}
