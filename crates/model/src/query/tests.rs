//! Queries read, refused, and written.
#![allow(clippy::unwrap_used)]

use contract::problem::Place;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{
    Column, Comparison, Count, Filter, Paging, Path, Query, Read, Rejection, Relation, Sort, View,
    canonical,
};
use crate::model::Kind;
use crate::sample::{field, model};
use crate::setting::Settings;
use crate::value::Value;

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn people(query: &str) -> Result<Read<Query>, Rejection> {
    let model = model();
    super::read(&model, 0, &pairs(query), &Settings::default())
}

fn teams(query: &str) -> Result<Read<Query>, Rejection> {
    let model = model();
    super::read(&model, 1, &pairs(query), &Settings::default())
}

fn content(content: &Json) -> Result<Read<Query>, Rejection> {
    super::read_json(&model(), 0, content, &Settings::default())
}

fn equal(column: Column, value: Value) -> Filter {
    Filter::equal(column, value)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn nothing_asks_for_the_first_page_of_all() {
    let read = people("").unwrap();
    let all = Query {
        filter: Filter::all(),
        sort: Vec::new(),
        paging: Paging::Page(1),
        limit: 20,
        view: View::default(),
        aggregate: None,
        count: Count::Bounded,
    };
    assert_eq!(read, Read { query: all.clone(), known: Vec::new() });
    assert_eq!(all.offset(), 0);
    assert_eq!(all.at(Paging::Page(3)).offset(), 40);
}

#[test]
fn the_whole_vocabulary() {
    let read = people(
        "page=2&limit=10&sort=-createdAt,name&fields=name,id&count=exact&name=alice&age%5Beq%5D=5",
    )
    .unwrap();
    let sort = |column, descending| Sort { column, descending };
    assert_eq!(
        read.query,
        Query {
            filter: Filter::All(vec![
                equal(Column::Field(0), text("alice")),
                equal(Column::Field(2), Value::Integer(5)),
            ]),
            sort: vec![sort(Column::CreatedAt, true), sort(Column::Field(0), false)],
            paging: Paging::Page(2),
            limit: 10,
            view: View { fields: Some(vec![Column::Field(0), Column::Id]), ..View::default() },
            aggregate: None,
            count: Count::Exact,
        }
    );
    assert_eq!(read.known, ["page", "limit", "sort", "fields", "count", "name", "age[eq]"]);
}

#[test]
fn filters_are_typed() {
    for (query, column, value) in [
        ("id=5", Column::Id, Value::Integer(5)),
        ("name=5", Column::Field(0), text("5")),
        ("name=", Column::Field(0), text("")),
        ("age=-5", Column::Field(2), Value::Integer(-5)),
        ("age=5.0", Column::Field(2), Value::Integer(5)),
        ("score=1.5", Column::Field(3), Value::Number(1.5)),
        ("score=2", Column::Field(3), Value::Number(2.0)),
        ("active=false", Column::Field(4), Value::Boolean(false)),
        ("boss=3", Column::Field(11), Value::Integer(3)),
        ("team=red", Column::Field(12), text("red")),
        ("big=-9223372036854775808", Column::Field(13), Value::Integer(i64::MIN)),
        (
            "createdAt=2026-02-06T11:30:00%2B01:00",
            Column::CreatedAt,
            text("2026-02-06T10:30:00.000Z"),
        ),
    ] {
        assert_eq!(
            people(query).expect(query).query.filter,
            Filter::All(vec![equal(column, value)])
        );
    }
    for query in [
        "id=0",
        "id=abc",
        "id=9007199254740992",
        "age=abc",
        "age=1.5",
        "age=",
        "age=9007199254740992",
        "age=0x5",
        "score=abc",
        "score=NaN",
        "score=1e999",
        "active=1",
        "active=yes",
        "active=TRUE",
        "createdAt=yesterday",
        "createdAt=2026-02-06",
        "name=%00",
        "data=5",
        "tags=a",
        "big=9223372036854775808",
    ] {
        let refused = people(query).expect_err(query);
        assert!(!refused.unknown, "{query}: {refused:?}");
        let name = query.split('=').next().unwrap().to_owned();
        assert_eq!(refused.violations[0].place, Place::Parameter(name));
    }
}

#[test]
fn pages_limits_and_words_have_their_ranges() {
    for query in ["page=1", "limit=1", "limit=100", "count=none", "page=101&limit=100", "page=501"]
    {
        assert!(people(query).is_ok(), "{query}");
    }
    for query in [
        "page=0",
        "page=-1",
        "page=x",
        "page=",
        "page=1.5",
        "page=4294967296",
        "limit=0",
        "limit=101",
        "limit=",
        "count=maybe",
        "count=",
        "count=Exact",
        "page=102&limit=100",
        "page=502",
        "sort=",
        "sort=name,name",
        "sort=name,-name",
        "sort=,name",
        "sort=data",
        "sort=--name",
        "sort=+name",
        "fields=",
        "fields=id,id",
        "fields=id,,name",
        "fields=nmae",
        "sort=password",
        "fields=token",
        "fields=boss.name",
        "include=name",
        "include=nobody",
        "include=boss,boss",
        "include=boss.boss.boss",
        "aggregate=x",
        "aggregate=sum",
        "aggregate=sum(name)",
        "aggregate=min(data)",
        "aggregate=count,count",
        "groupBy=name",
        "aggregate=count&groupBy=data",
        "aggregate=count&groupBy=age,age",
        "aggregate=count&sort=age",
        "aggregate=count&fields=id",
        "aggregate=count&include=boss",
        "aggregate=count&cursor=",
        "page=2&cursor=",
        "cursor=a.b",
        "age[prefix]=1",
        "age[gt]=x",
        "age[in]=1,x",
        "name[in]=\"a",
        "age[null]=maybe",
        "data=1",
        "data[gt]=1",
        "active[prefix]=t",
        "q=alice",
        "highlight=true",
    ] {
        let refused = people(query).expect_err(query);
        assert!(!refused.unknown && refused.violations.len() == 1, "{query}: {refused:?}");
    }
    let beyond = people("page=9999&limit=10").unwrap_err();
    assert!(beyond.violations[0].detail.contains("last page is 1001"), "{beyond:?}");
    assert!(
        people("sort=nmae").unwrap_err().violations[0].detail.contains("did you mean \"name\"?")
    );
}

#[test]
fn unknown_and_repeated_parameters_are_refused_with_those_that_there_are() {
    for (query, place, word) in [
        ("nmae=x", "nmae", "did you mean \"name\"?"),
        ("pgae=1", "pgae", "did you mean \"page\"?"),
        ("x=1", "x", "not a parameter"),
        ("=1", "", "not a parameter"),
        ("password=x", "password", "not a parameter"),
        ("token[eq]=x", "token[eq]", "not a parameter"),
        ("page=1&page=2", "page", "more than once"),
        ("name=a&name=a", "name", "more than once"),
        ("name=a&name[eq]=b", "name[eq]", "more than once"),
        ("age[foo]=5", "age[foo]", "does not exist"),
        ("age[get]=5", "age[get]", "did you mean \"gt\"?"),
        ("age[gt]=5&age[gt]=6", "age[gt]", "more than once"),
        ("name.x=5", "name.x", "refers to no other resource"),
        ("boss.nmae=x", "boss.nmae", "did you mean \"name\"?"),
        ("boss.password=x", "boss.password", "no such field"),
        ("boss.boss.boss.name=x", "boss.boss.boss.name", "more than 2 references"),
        ("age[eq=5", "age[eq", "not a parameter"),
        ("page[eq]=5", "page[eq]", "not a parameter"),
        ("qq[eq]=alice", "qq[eq]", "not a parameter"),
        ("Name=x", "Name", "did you mean \"name\"?"),
    ] {
        let refused = people(query).expect_err(query);
        assert!(refused.unknown, "{query}");
        assert_eq!(refused.violations.len(), 1, "{query}");
        assert_eq!(refused.violations[0].place, Place::Parameter(place.to_owned()));
        assert!(refused.violations[0].detail.contains(word), "{query}: {refused:?}");
        assert!(refused.detail.contains("include, fields, highlight; filters: id, name"));
        for hidden in ["password,", "token,"] {
            assert!(!refused.detail.contains(hidden), "{}", refused.detail);
        }
    }
    assert_eq!(people("x=1&y=2&age=a&page=0").unwrap_err().violations.len(), 4, "all at once");
    assert_eq!(people(&"x=1&".repeat(5_000)).unwrap_err().violations.len(), 100);
    assert_eq!(people("x=1&name=a&y=2").unwrap_err().known, ["name"], "others are not logged");
}

#[test]
fn no_member_of_a_group_stands_twice() {
    let mut model = model();
    model.resources[0].fields.push(field("count", Kind::Integer, json!({"type": "integer"})));
    let read = |query: &str| super::read(&model, 0, &pairs(query), &Settings::default());
    let refused = read("aggregate=count&groupBy=name,count").unwrap_err();
    assert_eq!(refused.violations[0].place, Place::Parameter("groupBy".to_owned()));
    assert!(refused.violations[0].detail.contains("count(id)"), "{refused:?}");
    assert!(read("aggregate=count(id),sum(count)&groupBy=count&sort=count").is_ok());
}

#[test]
fn a_moment_between_two_milliseconds_stands_between_them() {
    let compared = |query: &str| match people(query).unwrap().query.filter {
        Filter::All(mut all) => match all.pop() {
            Some(Filter::Compare { comparison, .. }) => comparison,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let (before, behind) = (text("2026-02-06T10:30:00.123Z"), text("2026-02-06T10:30:00.124Z"));
    let cut = "2026-02-06T10:30:00.1230004Z";
    for (query, comparison) in [
        (format!("createdAt[gt]={cut}"), Comparison::Greater(before.clone())),
        (format!("createdAt[lte]={cut}"), Comparison::LessOrEqual(before.clone())),
        (format!("createdAt[gte]={cut}"), Comparison::GreaterOrEqual(behind.clone())),
        (format!("updatedAt[lt]={cut}"), Comparison::Less(behind)),
        (
            "createdAt[gte]=2026-02-06T10:30:00.123000Z".to_owned(),
            Comparison::GreaterOrEqual(before),
        ),
    ] {
        assert_eq!(compared(&query), comparison, "{query}");
    }
    for operator in ["eq", "ne", "in"] {
        let refused = people(&format!("createdAt[{operator}]={cut}")).unwrap_err();
        assert!(refused.violations[0].detail.contains("millisecond"), "{refused:?}");
    }
}

#[test]
fn parameters_of_others_are_passed_over() {
    let read = people("utm_source=a&utm_source=b&_=1&name=x").unwrap();
    assert_eq!(read.known, ["name"]);
    assert!(people("utm=1").is_err());
}

#[test]
fn a_field_that_is_called_as_a_word_is_meant_with_its_operator() {
    let read = teams("page=2&page[eq]=x").unwrap();
    assert_eq!(read.query.paging, Paging::Page(2));
    assert_eq!(read.query.filter, Filter::All(vec![equal(Column::Field(0), text("x"))]));
    let model = model();
    let written = canonical(&model, 1, &read.query);
    assert_eq!(written, "page%5Beq%5D=x&page=2&limit=20");
    assert_eq!(teams(&written).unwrap().query, read.query);
    assert!(teams("id=red").is_ok());
    assert!(teams("id=a/b").is_err());
}

#[test]
fn the_same_vocabulary_as_json() {
    let read = content(&json!({
        "page": 2, "limit": 10, "sort": ["-createdAt", "name"], "fields": "name,id",
        "count": "exact", "name": {"eq": "alice"}, "age[eq]": 5, "active": true
    }))
    .unwrap();
    let same = people(
        "page=2&limit=10&sort=-createdAt,name&fields=name,id&count=exact\
         &name=alice&age=5&active=true",
    );
    assert_eq!(read.query, same.unwrap().query);
    for (document, pointer) in [
        (json!([]), ""),
        (json!({"page": "2"}), "/page"),
        (json!({"limit": 1.5}), "/limit"),
        (json!({"sort": [1]}), "/sort"),
        (json!({"sort": []}), "/sort"),
        (json!({"age": "5"}), "/age"),
        (json!({"name": 5}), "/name"),
        (json!({"active": "true"}), "/active"),
        (json!({"a/b": 1}), "/a~1b"),
        (json!({"age": {"gt": "x"}}), "/age/gt"),
        (json!({"age": {"foo": 5}}), "/age/foo"),
        (json!({"age": {"in": [1, "x"]}}), "/age/in"),
        (json!({"boss.age": {"lt": true}}), "/boss.age/lt"),
        (json!({"name": {"eq": 5}}), "/name/eq"),
        (json!({"name": "a", "name[eq]": "b"}), "/name[eq]"),
        (json!({"age": null, "age[null]": true}), "/age[null]"),
        (json!({"page": 1000}), "/page"),
    ] {
        let refused = content(&document).expect_err(&document.to_string());
        assert_eq!(refused.violations.len(), 1, "{document}");
        assert_eq!(refused.violations[0].place, Place::Pointer(pointer.to_owned()), "{document}");
    }
}

fn compare(path: Path, comparison: Comparison) -> Filter {
    Filter::Compare { path, comparison }
}

#[test]
fn every_operator_reads_its_operand() {
    let age = || Path::from(Column::Field(2));
    let number = Value::Integer;
    for (query, comparison) in [
        ("age[eq]=5", Comparison::Equal(number(5))),
        ("age[ne]=5", Comparison::NotEqual(number(5))),
        ("age[in]=5,6,5", Comparison::In(vec![number(5), number(6)])),
        ("age[gt]=5", Comparison::Greater(number(5))),
        ("age[gte]=-5", Comparison::GreaterOrEqual(number(-5))),
        ("age[lt]=5", Comparison::Less(number(5))),
        ("age[lte]=5", Comparison::LessOrEqual(number(5))),
        ("age[null]=true", Comparison::Null),
        ("age[null]=false", Comparison::NotNull),
    ] {
        let filter = Filter::All(vec![compare(age(), comparison)]);
        assert_eq!(people(query).expect(query).query.filter, filter, "{query}");
    }
    let name = || Path::from(Column::Field(0));
    let prefix = people("name[prefix]=a%25&name[in]=%22a,b%22,c").unwrap().query.filter;
    let texts = vec![text("a,b"), text("c")];
    assert_eq!(
        prefix,
        Filter::All(vec![
            compare(name(), Comparison::In(texts)),
            compare(name(), Comparison::Prefix("a%".to_owned())),
        ])
    );
    let nulls = content(&json!({"age": null, "name": {"ne": null}})).unwrap().query.filter;
    assert_eq!(
        nulls,
        Filter::All(vec![compare(name(), Comparison::NotNull), compare(age(), Comparison::Null),])
    );
    // Only what is compared to be the same has to be a value that an id can have.
    assert!(people("id[gt]=0").is_ok() && people("id[lt]=-1").is_ok());
}

#[test]
fn dots_lead_through_references() {
    let path = |through: &[usize], column| Path { through: through.to_vec(), column };
    let read = people("boss.name[prefix]=a&boss.boss.age[gt]=5&boss.id=3").unwrap();
    assert_eq!(
        read.query.filter,
        Filter::All(vec![
            compare(path(&[11], Column::Id), Comparison::Equal(Value::Integer(3))),
            compare(path(&[11], Column::Field(0)), Comparison::Prefix("a".to_owned())),
            compare(path(&[11, 11], Column::Field(2)), Comparison::Greater(Value::Integer(5))),
        ])
    );
    assert_eq!(read.query.tables(&model(), 0), [0]);
    assert_eq!(people("team.id=red").unwrap().query.tables(&model(), 0), [0, 1]);
}

#[test]
fn relations_are_included_by_name_and_show_what_is_asked_for() {
    let view =
        people("include=boss.team,team&fields=id,boss.name,boss.team.id").unwrap().query.view;
    assert_eq!(view.fields, Some(vec![Column::Id]));
    let [boss, team] = view.include.as_slice() else { panic!("{view:?}") };
    assert_eq!((boss.name.as_str(), boss.relation), ("boss", Relation::References(11)));
    assert_eq!(boss.view.fields, Some(vec![Column::Field(0)]));
    assert_eq!(boss.view.include[0].view.fields, Some(vec![Column::Id]));
    assert_eq!((team.name.as_str(), team.resource), ("team", 1));
    let back = teams("include=people").unwrap().query.view;
    assert_eq!(back.include[0].relation, Relation::ReferredBy(12));
    let named = teams("include=people(team)").unwrap().query.view;
    assert_eq!(named.include[0].relation, Relation::ReferredBy(12));
    let none = teams("include=boss").unwrap_err();
    assert!(none.violations[0].detail.contains("the relations are people"), "{none:?}");
    let item =
        super::read_item(&model(), 0, &pairs("include=boss&fields=id"), &Settings::default());
    assert_eq!(item.unwrap().query.include.len(), 1);
    let list = super::read_item(&model(), 0, &pairs("name=x"), &Settings::default()).unwrap_err();
    assert!(list.unknown && list.detail.contains("include, fields"), "{list:?}");
}

#[test]
fn one_meaning_has_one_text() {
    let model = model();
    let write = |query: &str| canonical(&model, 0, &people(query).unwrap().query);
    assert_eq!(write(""), "page=1&limit=20");
    assert_eq!(
        write("count=none&limit=5&sort=-name&age=5.0&fields=id&name=a+%26+b&page=3"),
        "name=a+%26+b&age=5&sort=-name&fields=id&count=none&page=3&limit=5"
    );
    assert_eq!(write("age=5&name=a"), write("name[eq]=a&age=5&utm_x=1&page=1"));
    assert_eq!(write("score=2"), "score=2&page=1&limit=20");
    for query in [
        "name%5Bin%5D=%22a%2Cb%22%2Cc&page=1&limit=20",
        "boss.age%5Bgte%5D=5&page=1&limit=20",
        "age%5Bnull%5D=true&cursor=abc&limit=20",
        "aggregate=count%2Csum%28age%29&groupBy=active&sort=-sum%28age%29&page=1&limit=20",
        "include=boss.team%2Cteam&fields=id%2Cboss.name&page=1&limit=20",
    ] {
        assert_eq!(write(query), query);
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        name in "[^\0]*", age in -9_007_199_254_740_991_i64..9_007_199_254_740_991,
        score in prop::num::f64::NORMAL, active: bool, page in 1_u32..100, limit in 1_u32..100,
    ) {
        let model = model();
        let mut parameters = form_urlencoded::Serializer::new(String::new());
        for (key, value) in [
            ("name", name), ("age", age.to_string()), ("score", json!(score).to_string()),
            ("active", active.to_string()), ("page", page.to_string()),
            ("limit", limit.to_string()),
        ] {
            parameters.append_pair(key, &value);
        }
        let query = people(&parameters.finish()).unwrap().query;
        let again = people(&canonical(&model, 0, &query)).unwrap().query;
        prop_assert_eq!(query, again);
    }

    #[test]
    fn no_query_makes_it_panic(query in "[a-z\\[\\]=&,%0-9-]{0,40}") {
        let _ = people(&query);
    }
}
