//! Each seeded fault of the store does its harm, and none of it happens without the fault.
#![cfg(feature = "faults")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use model::record::{Record, Version};
use model::setting::Settings;
use model::value::{Id, Timestamp, Value};
use store::change::Change;
use store::decision::{Decision, Step, Verdict};
use store::error::Error;
use store::lookup::{Current, Lookup, Remembered};
use store::{Opened, Options};

const DECLARATION: &str = "title = \"T\"\n[resources.notes]\nfields.text = { type = \"string\" }\n";

fn open(folder: &tempfile::TempDir, fault: &str) -> Opened {
    assert_eq!(store::fault::select(fault), fault != "none");
    let model = model::declaration::read(DECLARATION).model.unwrap();
    let path = folder.path().join(format!("{fault}.db"));
    let options = Options::from(&Settings::default(), &path);
    store::open(&options, Arc::new(model), &mut || Ok(vec![(0, note(1, 1))])).unwrap()
}

fn note(birth: i64, counter: i64) -> Record {
    Record {
        id: Id::Integer(1),
        version: Version { birth, counter },
        created_at: Timestamp(0),
        updated_at: Timestamp(counter),
        values: vec![Some(Value::Text("x".to_owned()))],
    }
}

async fn change(opened: &Opened, change: Change) -> Result<Verdict<()>, Error> {
    let decide = move |_: &Current| Decision::Commit { outcome: (), changes: vec![change.clone()] };
    let step = Step::alone(Lookup::default(), decide);
    opened.writer.transact(vec![step]).await
}

/// An update that was decided on a version that never was.
async fn stale_update_passes(opened: &Opened) -> bool {
    let expected = Version { birth: 5, counter: 5 };
    let update = Change::Update { resource: 0, expected, record: note(1, 2) };
    change(opened, update).await.is_ok()
}

async fn key_is_forgotten(opened: &Opened) -> bool {
    let remembered = Remembered {
        key: [1; 16],
        principal: [2; 16],
        fingerprint: [3; 16],
        answer: vec![4],
        expires_at: Timestamp(i64::MAX),
    };
    change(opened, Change::Remember(remembered)).await.unwrap();
    let lookup = Lookup { remembered: Some([1; 16]), ..Lookup::default() };
    opened.reader.read(lookup).await.unwrap().remembered.is_none()
}

async fn counter_stands_still(opened: &Opened) -> bool {
    let states = Lookup::states(vec![0]);
    opened.reader.read(states).await.unwrap().states == [0]
}

/// Several writes that each create what is not there: more than one believes that it is first.
async fn several_are_first(opened: &Opened) -> bool {
    let create = |number: i64| {
        Step::alone(
            Lookup { remembered: Some([9; 16]), ..Lookup::default() },
            move |current: &Current| match &current.remembered {
                Some(_) => Decision::Refuse(false),
                None => Decision::Commit {
                    outcome: true,
                    changes: vec![
                        Change::Insert {
                            resource: 0,
                            record: Record { id: Id::Integer(100 + number), ..note(1, 1) },
                        },
                        Change::Remember(Remembered {
                            key: [9; 16],
                            principal: [2; 16],
                            fingerprint: [3; 16],
                            answer: vec![],
                            expires_at: Timestamp(i64::MAX),
                        }),
                    ],
                },
            },
        )
    };
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let (writer, steps) = (opened.writer.clone(), vec![create(number)]);
            tokio::spawn(async move { writer.transact(steps).await })
        })
        .collect();
    let mut first = 0;
    for task in tasks {
        if let Ok(Verdict::Committed(_)) = task.await.unwrap() {
            first += 1;
        }
    }
    first > 1
}

#[tokio::test]
async fn every_fault_does_its_own_harm_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    for (fault, harm) in [
        ("none", [false; 4]),
        ("sync-off", [false; 4]),
        // It looks before the transaction, too: otherwise the version would never be an old one.
        ("no-412-repeat", [true, false, false, true]),
        ("key-not-remembered", [false, true, false, true]),
        ("list-etag-stale", [false, false, true, false]),
        ("precondition-outside-transaction", [false, false, false, true]),
    ] {
        let opened = open(&folder, fault);
        tokio::time::sleep(Duration::from_millis(30)).await;
        let met = [
            stale_update_passes(&opened).await,
            key_is_forgotten(&opened).await,
            counter_stands_still(&opened).await,
            several_are_first(&opened).await,
        ];
        assert_eq!(met, harm, "{fault}");
    }
}
