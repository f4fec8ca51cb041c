//! What rules are told, and what they mean: against an evaluator that knows nothing of filters.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::{Rule, watched_columns};
use crate::access::Caller;
use crate::declaration;
use crate::fold::fold;
use crate::model::Model;
use crate::query::{Column, Filter, Seen};
use crate::record::{Record, Version};
use crate::value::{Id, Timestamp, Value};

const TEXT: &str = r#"
roles = ["robot"]
[resources.users]
login = ["nick"]
fields.nick = { type = "string", unique = true, optional = true }
fields.password = { type = "string", format = "password", optional = true }
fields.role = { enum = ["reader", "editor", "admin"], optional = true, write = "admin" }
fields.name = { type = "string", ignoreCase = true, optional = true }
fields.level = { type = "integer", format = "int64", optional = true }
fields.score = { type = "number", optional = true }
fields.active = { type = ["boolean", "null"] }
fields.since = { type = "string", format = "date-time", optional = true }

[resources.notes]
fields.title = { type = "string", optional = true }
fields.folded = { type = "string", ignoreCase = true, optional = true }
fields.count = { type = ["integer", "null"], format = "int64" }
fields.price = { type = "number", optional = true }
fields.done = { type = "boolean", optional = true }
fields.at = { type = "string", format = "date-time", optional = true }
fields.author = { references = "users", optional = true, owner = true }
fields.team = { references = "teams", optional = true }
fields.audience = { type = "string", optional = true }
fields.secret = { type = "string", secret = true, optional = true }
fields.any = { optional = true }
fields.size = { enum = ["small", "large"], default = "small" }
fields.day = { type = "string", format = "date", optional = true }
fields.always = { type = "string" }

[resources.teams]
id = "text"
fields.title = { type = "string", optional = true }
fields.size = { type = "integer", format = "int64", optional = true }
fields.open = { type = "boolean", optional = true }
fields.lead = { references = "users", optional = true }
"#;

const NOTES: usize = 1;
const NOW: Timestamp = Timestamp(1_770_373_800_000);

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| {
    let reading = declaration::read(TEXT);
    Arc::new(reading.model.unwrap_or_else(|| panic!("{:?}", reading.complaints)))
});

fn rule(text: &str) -> Rule {
    let reading = Rule::read(&MODEL, NOTES, text);
    reading.rule.unwrap_or_else(|| panic!("{text}: {:?}", reading.errors))
}

/// The first fault: its place in the text, what is said, and the help.
fn fault(text: &str) -> (String, String, String) {
    let fault = Rule::read(&MODEL, NOTES, text).errors.into_iter().next();
    let fault = fault.unwrap_or_else(|| panic!("{text} is a rule"));
    (text[fault.span].to_owned(), fault.message, fault.help)
}

/// Texts that are no rules: the place that is marked, and a part of what is said and of the help.
const FAULTY: &[(&str, &str, &str, &str)] = &[
    ("", "", "missing before the end", "record.status == 'draft'"),
    ("record.done &&", "", "missing before the end", ""),
    ("record.title = 'a'", "=", "no `=`", "`==`"),
    ("record.done & record.done", "&", "no `&`", "`&&`"),
    ("record.done and record.done", "and", "`and` cannot stand here", "`&&`"),
    ("record.done or record.done", "or", "`or` cannot stand here", "`||`"),
    ("not record.done", "not", "`not` cannot stand here", "`!(…)`"),
    ("has(record.title)", "(", "`(` cannot stand here", "no functions"),
    ("record.title.startsWith('a')", "(", "`(` cannot", "no functions"),
    ("record['title'] == 'a'", "[", "`[` cannot", "with a dot"),
    ("record.count + 1 == 2", "+", "no `+`", "computes none"),
    ("record.count - 1 == 2", "-", "`-` cannot", "computes none"),
    ("-record.count == 2", "-", "before a number only", ""),
    ("1 < record.count < 3", "<", "`<` cannot", "a < b && b < c"),
    ("!record.title == 'a'", "!record.title", "only what stands right behind", "!(a == b)"),
    ("(record.done", "(", "not closed", "add `)`"),
    ("record.size in ['small'", "[", "not closed", "add `]`"),
    ("record.title == 'a", "'a", "does not end", "quotes"),
    ("record.title == 'a\\q'", "\\", "escape does not exist", ""),
    ("record.count == 1x", "1", "not a number", ""),
    ("record.count == 99999999999999999999", "99999999999999999999", "too large", ""),
    ("record. == 'a'", "==", "`==` is no name", "a field"),
    ("title == 'a'", "title", "nothing is called `title`", "record.title"),
    ("recrod.title == 'a'", "recrod", "nothing is called", "`record`"),
    ("draft == record.title", "draft", "nothing is called", "quotes"),
    ("record.titel == 'a'", "titel", "`notes` has no field `titel`", "`title`"),
    ("record.team.titel == 'a'", "titel", "`teams` has no field", "`title`"),
    ("record == 'a'", "record", "a field of the record is missing", ""),
    ("record.title.x == 'a'", "x", "`title` refers to no other", ""),
    ("record.team.lead.nick == 'a'", "nick", "no farther", ""),
    ("record.secret == 'a'", "secret", "never shown", ""),
    ("caller.password == 'a'", "password", "never shown", ""),
    ("record.any == null", "any", "any JSON", ""),
    ("record.any == null", "any", "asks whether it is there", ""),
    ("caller == 1", "caller", "a value of the caller is missing", "caller.id"),
    ("caller != null", "caller", "a value of the caller is missing", "caller.id != null"),
    ("record.title <> 'a'", "<>", "no `<>`", "`!=`"),
    ("record.title === 'a'", "===", "no `===`", "`==`"),
    ("record.title =~ 'a'", "=~", "no `=~`", "`==`"),
    ("record.price > .5", ".5", "not a number", "0.5"),
    ("record.price > 5.", "5.", "not a number", "0.5"),
    ("record.title == '''a'''", "'''", "triple quotes", "single or double"),
    ("record.title == r'a'", "r'", "no texts of the kind r", "single or double"),
    ("caller.email == 'a'", "email", "`users` has no field", ""),
    ("caller.id.x == 1", "x", "its own values only", ""),
    ("now.year == 1", "year", "no parts", ""),
    ("record.title == 1", "1", "`record.title` must be a string", ""),
    ("record.count == 'a'", "'a'", "`record.count` must be a whole number", ""),
    ("record.count == 1.5", "1.5", "must be a whole number", ""),
    ("record.done == 1", "1", "must be true or false", ""),
    ("record.done < true", "true", "a boolean has no order", "=="),
    ("record.size == 'smal'", "'smal'", "never this", "'small'"),
    ("record.size in ['large', 'huge']", "'huge'", "never this", ""),
    ("record.size in []", "[]", "empty list", ""),
    ("record.title in [null]", "null", "in no list", ""),
    ("record.title in [record.size]", "record.size", "no names", ""),
    ("record.title in record.size", "record.size", "a list of values", ""),
    ("'a' in ['a']", "'a' in ['a']", "a list stands behind", ""),
    ("record.title == ['a']", "record.title == ['a']", "a list stands behind", ""),
    ("record.title < null", "null", "neither greater nor less", ""),
    ("1 == 1", "1 == 1", "says nothing", ""),
    ("'a'", "'a'", "no condition", ""),
    ("record.title", "record.title", "is a string, no condition", "!= null"),
    ("caller.role == 'editr'", "'editr'", "no caller has this role", "'editor'"),
    ("caller.role < 'editor'", "'editor'", "a role has no order", ""),
    ("'editor' <= caller.role", "'editor'", "a role has no order", ""),
    ("record.title < caller.role", "record.title < caller.role", "a role has no order", ""),
    ("caller.role >= record.title", "caller.role >= record.title", "a role has no order", ""),
    ("record.zzzzz == 1", "zzzzz", "no field", "size, day, always"),
    ("caller.role == record.folded", "caller.role == record.folded", "is a role", ""),
    ("record.count == record.price", "record.count == record.price", "is an integer", ""),
    ("record.title == record.folded", "record.title == record.folded", "case", "ignoreCase"),
    ("record.team == caller.id", "record.team == caller.id", "one of `teams`", ""),
    ("record.count == caller.id", "record.count == caller.id", "one of `users`", "references"),
    ("record.day < now", "record.day < now", "is a date", ""),
    ("record.title < now", "record.title < now", "is a string", ""),
    ("record.title == record.title", "record.title == record.title", "with itself", ""),
    ("now < 'soon'", "'soon'", "must be a date and time", ""),
    ("(record.done && record.done) == true", "(record.done && record.done)", "compared", ""),
    ("record.author == 0", "0", "never this", ""),
    ("record.team == 'a/b'", "'a/b'", "never this", ""),
    ("record.title == \u{fc}", "\u{fc}", "no `\u{fc}`", ""),
];

#[test]
fn what_is_no_rule_is_told_where_and_what_to_write() {
    for (text, place, message, help) in FAULTY {
        let found = fault(text);
        assert_eq!(found.0, *place, "{text}: {found:?}");
        assert!(found.1.contains(message), "{text}: {found:?}");
        assert!(found.2.contains(help), "{text}: {found:?}");
    }
}

#[test]
fn a_rule_has_limits_and_tells_every_fault() {
    let reading = Rule::read(&MODEL, NOTES, "record.x == 1 || record.y == 2 && record.z");
    assert_eq!(reading.errors.len(), 3, "{:?}", reading.errors);
    let deep = format!("{}record.done{}", "(".repeat(31), ")".repeat(31));
    assert!(Rule::read(&MODEL, NOTES, &deep).rule.is_some());
    for far in [
        format!("{}record.done{}", "(".repeat(40), ")".repeat(40)),
        format!("{}record.done", "!".repeat(4_000)),
        vec!["record.done"; 300].join("||"),
        format!("record.title == '{}'", "a".repeat(5_000)),
        "[".repeat(2_000),
    ] {
        assert_eq!(Rule::read(&MODEL, NOTES, &far).errors.len(), 1);
    }
}

#[test]
fn what_is_hardly_meant_is_doubted() {
    for (text, message) in [
        ("true", "holds for every record"),
        ("false && record.done", "never holds"),
        ("record.always != null", "always there"),
        ("record.at <= now", "compared as text"),
    ] {
        let reading = Rule::read(&MODEL, NOTES, text);
        assert!(reading.rule.is_some(), "{text}: {reading:?}");
        assert!(reading.doubts.iter().any(|it| it.message.contains(message)), "{reading:?}");
    }
    for text in ["record.createdAt <= now", "record.title != null", "record.team.open"] {
        assert_eq!(Rule::read(&MODEL, NOTES, text).doubts, []);
    }
}

#[test]
fn a_rule_is_written_on_one_line_and_says_what_it_looks_at() {
    let rule = rule(" record.team.open\n  && record.title=='a  b'\t|| now > record.createdAt ");
    let shown = rule.to_string();
    assert_eq!(shown, "record.team.open && record.title=='a  b' || now > record.createdAt");
    assert!(rule.is_timed());
    let field = |name| Column::Field(MODEL.resources[NOTES].field(name).unwrap().0);
    assert_eq!(rule.columns(), [field("title"), field("team"), Column::CreatedAt]);
    assert!(!super::tests::rule("caller.role == 'robot'").is_timed());
}

#[test]
fn what_decides_who_reads_is_watched() {
    let read = |access: &str| {
        let text = TEXT.replace("[resources.notes]", &format!("[resources.notes]\n{access}"));
        let reading = declaration::read(&text);
        let model = reading.model.unwrap_or_else(|| panic!("{:?}", reading.complaints));
        let names = watched_columns(&model, NOTES).into_iter();
        names.map(|it| it.name(&model.resources[NOTES]).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(read(""), [""; 0]);
    assert_eq!(read("access.read = \"anyone\""), [""; 0]);
    assert_eq!(read("access.read = \"owner\""), ["author"]);
    let rule = "access.read = { who = \"owner\", when = \"record.team.open && record.id > 3\" }";
    assert_eq!(read(rule), ["author", "team"]);
    assert_eq!(read("access.update = { who = \"owner\", when = \"record.done\" }"), [""; 0]);
}

// What follows is the language a second time, written from docs/RULES.md.

#[derive(Clone, Debug)]
enum Said {
    And(Vec<Said>),
    Or(Vec<Said>),
    Not(Box<Said>),
    Bare(&'static str),
    Compare(&'static str, &'static str, Literal),
    In(&'static str, Vec<Literal>),
    Null(&'static str, bool),
    Relate(&'static str, &'static str, &'static str),
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Text(String),
    Whole(i64),
    Number(f64),
    Truth(bool),
}

impl Literal {
    fn of(value: &Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.clone()),
            Value::Integer(number) => Self::Whole(*number),
            Value::Number(number) => Self::Number(*number),
            Value::Boolean(truth) => Self::Truth(*truth),
            Value::Null | Value::Json(_) => panic!("no rule looks at {value:?}"),
        }
    }

    fn written(&self) -> String {
        match self {
            Self::Text(text) => {
                let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
                format!("'{}'", escaped.replace('\n', "\\n"))
            }
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => format!("{number:?}"),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

impl Said {
    fn written(&self) -> String {
        let each = |parts: &[Said], sign: &str| {
            let parts: Vec<String> = parts.iter().map(|it| format!("({})", it.written())).collect();
            parts.join(sign)
        };
        match self {
            Self::And(parts) => each(parts, " && "),
            Self::Or(parts) => each(parts, "||"),
            Self::Not(inner) => format!("!({})", inner.written()),
            Self::Bare(name) => (*name).to_owned(),
            Self::Compare(name, sign, literal) => format!("{name} {sign} {}", literal.written()),
            Self::In(name, list) => {
                let list: Vec<String> = list.iter().map(Literal::written).collect();
                format!("{name} in [{}]", list.join(", "))
            }
            Self::Null(name, is) => format!("{name} {} null", if *is { "==" } else { "!=" }),
            Self::Relate(one, sign, other) => format!("{one} {sign} {other}"),
        }
    }

    fn is_true(&self, world: &World) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|it| it.is_true(world)),
            Self::Or(parts) => parts.iter().any(|it| it.is_true(world)),
            Self::Not(inner) => !inner.is_true(world),
            Self::Bare(name) => world.value(name) == Some(Literal::Truth(true)),
            Self::Compare("caller.role", sign, Literal::Text(role)) => {
                let has = world.roles().contains(role);
                if *sign == "==" { has } else { !has }
            }
            Self::Compare(name, sign, literal) => {
                compares(folded(name, world.value(name)), sign, folded(name, Some(literal.clone())))
            }
            Self::In(name, list) => {
                let value = folded(name, world.value(name));
                let roles = world.roles();
                list.iter().any(|item| match (*name, item) {
                    ("caller.role", Literal::Text(role)) => roles.contains(role),
                    _ => value.is_some() && value == folded(name, Some(item.clone())),
                })
            }
            Self::Null("caller.role", is) => world.roles().is_empty() == *is,
            Self::Null(name, is) => world.value(name).is_none() == *is,
            Self::Relate(one, sign, "caller.role") => {
                let value = world.value(one);
                let has = world.roles().into_iter().any(|it| value == Some(Literal::Text(it)));
                if *sign == "==" { has } else { !has }
            }
            Self::Relate(one, sign, other) => {
                compares(folded(one, world.value(one)), sign, folded(other, world.value(other)))
            }
        }
    }
}

fn folded(name: &str, value: Option<Literal>) -> Option<Literal> {
    match value {
        Some(Literal::Text(text)) if matches!(name, "record.folded" | "caller.name") => {
            Some(Literal::Text(fold(&text)))
        }
        value => value,
    }
}

fn compares(one: Option<Literal>, sign: &str, other: Option<Literal>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return sign == "!=" };
    let order = match (&one, &other) {
        (Literal::Text(one), Literal::Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Literal::Whole(one), Literal::Whole(other)) => one.cmp(other),
        (Literal::Number(one), Literal::Number(other)) => one.partial_cmp(other).unwrap(),
        (Literal::Truth(one), Literal::Truth(other)) => one.cmp(other),
        _ => panic!("{one:?} {sign} {other:?}"),
    };
    match sign {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }
}

#[derive(Clone, Debug)]
struct World {
    note: Record,
    team: Option<Record>,
    caller: Caller,
}

impl World {
    fn roles(&self) -> Vec<String> {
        match &self.caller {
            Caller::User { role, .. } => role.iter().cloned().collect(),
            Caller::Key { roles, .. } => roles.clone(),
            Caller::Operator | Caller::Nobody => Vec::new(),
        }
    }

    fn value(&self, name: &str) -> Option<Literal> {
        let of = |resource: usize, record: &Record, name: &str| {
            let value = match name {
                "id" => Some(record.id.to_value()),
                "createdAt" => Some(Value::Text(record.created_at.text())),
                _ => record.values[MODEL.resources[resource].field(name).unwrap().0].clone(),
            };
            value.filter(|value| *value != Value::Null).map(|value| Literal::of(&value))
        };
        let parts: Vec<&str> = name.split('.').collect();
        match (parts.as_slice(), &self.caller) {
            (["now"], _) => Some(Literal::Text(NOW.text())),
            (["record", name], _) => of(1, &self.note, name),
            (["record", _, name], _) => of(2, self.team.as_ref()?, name),
            (["caller", name], Caller::User { record, .. }) => of(0, record, name),
            _ => None,
        }
    }
}

const TEXTS: [&str; 3] = ["record.title", "record.team.title", "caller.nick"];
const FOLDED: [&str; 2] = ["record.folded", "caller.name"];
const WHOLES: [&str; 3] = ["record.count", "record.team.size", "caller.level"];
const NUMBERS: [&str; 2] = ["record.price", "caller.score"];
const TRUTHS: [&str; 3] = ["record.done", "record.team.open", "caller.active"];
const MOMENTS: [&str; 4] = ["record.at", "record.createdAt", "caller.since", "now"];
const IDS: [&str; 3] = ["record.author", "record.team.lead", "caller.id"];
const SIGNS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

fn text() -> impl Strategy<Value = String> {
    let few = ["", "a", "A", "b", "ß", "SS", "é", "e\u{301}", "ı", "\u{10ffff}", "it's\n\\"];
    prop_oneof![
        prop::sample::select(few.to_vec()).prop_map(str::to_owned),
        "[^\u{0}\r\t]{0,3}".prop_map(|it| it),
    ]
}

fn whole() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![i64::MIN, i64::MAX, 0, 1, -1, 2, (1 << 53) + 1, 1 << 53])
}

fn number() -> impl Strategy<Value = f64> {
    let far = 9_007_199_254_740_992.0;
    prop::sample::select(vec![0.0, -0.0, 1.0, -1.5, f64::MAX, f64::MIN, 5e-324, far, 0.1])
}

fn moment() -> impl Strategy<Value = String> {
    let texts = ["2026-02-06T10:30:00.000Z", "2026-02-06T10:30:00.001Z", "2025-01-01T00:00:00Z"];
    prop::sample::select(texts.to_vec()).prop_map(str::to_owned)
}

fn role() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["reader", "editor", "robot"]).prop_map(str::to_owned)
}

fn names(names: &[&'static str]) -> impl Strategy<Value = &'static str> + use<> {
    prop::sample::select(names.to_vec())
}

fn same(name: &'static [&'static str]) -> impl Strategy<Value = Said> {
    (names(name), names(&SIGNS), names(name))
        .prop_filter("a value is not compared with itself", |(one, _, other)| one != other)
        .prop_map(|(one, sign, other)| Said::Relate(one, sign, other))
}

fn against(
    name: &'static [&'static str],
    literal: impl Strategy<Value = Literal> + Clone + 'static,
) -> impl Strategy<Value = Said> {
    let list = prop::collection::vec(literal.clone(), 1..4);
    prop_oneof![
        4 => (names(name), names(&SIGNS), literal).prop_map(|(a, b, c)| Said::Compare(a, b, c)),
        1 => (names(name), list).prop_map(|(name, list)| Said::In(name, list)),
        1 => (names(name), any::<bool>()).prop_map(|(name, is)| Said::Null(name, is)),
    ]
}

fn leaf() -> impl Strategy<Value = Said> {
    let equality = || names(&["==", "!="]);
    let roles = prop::collection::vec(role().prop_map(Literal::Text), 1..3);
    let kept = moment().prop_filter("a record has whole milliseconds", |it| it.len() == 24);
    prop_oneof![
        against(&TEXTS, text().prop_map(Literal::Text).boxed()),
        against(&FOLDED, text().prop_map(Literal::Text).boxed()),
        against(&WHOLES, whole().prop_map(Literal::Whole).boxed()),
        against(&NUMBERS, number().prop_map(Literal::Number).boxed()),
        against(&MOMENTS, kept.prop_map(Literal::Text).boxed()),
        against(&IDS, (1_i64..4).prop_map(Literal::Whole).boxed()),
        same(&TEXTS),
        same(&FOLDED),
        same(&WHOLES),
        same(&NUMBERS),
        same(&MOMENTS),
        same(&IDS),
        names(&TRUTHS).prop_map(Said::Bare),
        (names(&TRUTHS), equality(), any::<bool>().prop_map(Literal::Truth))
            .prop_map(|(name, sign, truth)| Said::Compare(name, sign, truth)),
        (equality(), role().prop_map(Literal::Text)).prop_map(|(sign, role)| Said::Compare(
            "caller.role",
            sign,
            role
        )),
        roles.prop_map(|roles| Said::In("caller.role", roles)),
        any::<bool>().prop_map(|is| Said::Null("caller.role", is)),
        equality().prop_map(|sign| Said::Relate("record.audience", sign, "caller.role")),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several.clone().prop_map(Said::And),
            several.prop_map(Said::Or),
            inner.prop_map(|it| Said::Not(Box::new(it))),
        ]
    })
}

fn maybe(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop_oneof![1 => Just(None), 1 => Just(Some(Value::Null)), 4 => value.prop_map(Some)].boxed()
}

fn record(id: Id, values: Vec<Option<Value>>) -> Record {
    let version = Version { birth: 1, counter: 1 };
    Record { id, version, created_at: NOW, updated_at: NOW, values }
}

fn world() -> impl Strategy<Value = World> {
    let words = || maybe(text().prop_map(Value::Text));
    let wholes = || maybe(whole().prop_map(Value::Integer));
    let numbers = || maybe(number().prop_map(Value::Number));
    let truths = || maybe(any::<bool>().prop_map(Value::Boolean));
    let moments = || maybe(moment().prop_map(Value::Text));
    let ids = || maybe((1_i64..4).prop_map(Value::Integer));
    let roles = || maybe(role().prop_map(Value::Text));
    let user = (1_i64..4, words(), roles(), words(), wholes(), numbers(), truths(), moments());
    let user = user.prop_map(|(id, nick, role, name, level, score, active, since)| {
        let values = vec![nick, None, role, name, level, score, active, since];
        Caller::user(&MODEL, Arc::new(record(Id::Integer(id), values)))
    });
    let key = prop::collection::vec(role(), 0..3).prop_map(|roles| Caller::Key { id: 1, roles });
    let caller = prop_oneof![4 => user, 1 => Just(Caller::Nobody), 1 => key];
    let team = (words(), wholes(), truths(), ids())
        .prop_map(|(title, size, open, lead)| vec![title, size, open, lead])
        .prop_map(|values| record(Id::Text("t".to_owned()), values));
    let note = (words(), words(), wholes(), numbers(), truths(), moments(), ids(), roles());
    (note, prop::option::of(team), caller).prop_map(|(note, team, caller)| {
        let (title, folded, count, price, done, at, author, audience) = note;
        let named = team.as_ref().map(|_| Value::Text("t".to_owned()));
        let values = vec![title, folded, count, price, done, at, author, named, audience];
        let rest = std::iter::repeat_n(None, 5);
        let note = record(Id::Integer(1), values.into_iter().chain(rest).collect());
        World { note, team, caller }
    })
}

/// Pieces of rules, and whatever else can be written.
const ANY: &str =
    "([a-z.]{1,8}| |record[.]title|caller[.]id|==|<|in|&&|[|][|]|!|[(]|[)]|[\\[]|'|\\PC){0,20}";

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_of_a_rule_says_what_the_rule_says(said in said(), world in world()) {
        let text = said.written();
        let rule = rule(&text);
        let filter = rule.residual(&MODEL, NOTES, &world.caller, NOW);
        let team = MODEL.resources[NOTES].field("team").unwrap().0;
        let referred: Vec<_> = world.team.iter().map(|record| (team, record)).collect();
        let seen = Seen { record: &world.note, referred: &referred };
        prop_assert_eq!(filter.holds(&MODEL, NOTES, seen), said.is_true(&world), "{}", text);
        // What is left looks at nothing but the record.
        let own = rule.columns();
        filter.each_path(&mut |path| {
            let column = path.through.first().map_or(path.column, |it| Column::Field(*it));
            assert!(own.contains(&column), "{text}");
        });
        // It is written on one line, and means the same there.
        prop_assert_eq!(super::tests::rule(&rule.to_string()), rule);
    }

    #[test]
    fn an_admin_is_asked_for_nothing(said in said()) {
        let rule = rule(&said.written());
        let admin = Caller::Key { id: 1, roles: vec!["admin".to_owned()] };
        prop_assert_eq!(rule.residual(&MODEL, NOTES, &admin, NOW), Filter::all());
    }

    #[test]
    fn any_text_is_a_rule_or_told_why_not(text in ANY) {
        let reading = Rule::read(&MODEL, NOTES, &text);
        prop_assert_eq!(reading.rule.is_none(), !reading.errors.is_empty());
        for fault in reading.errors.iter().chain(&reading.doubts) {
            prop_assert!(text.get(fault.span.clone()).is_some(), "{:?} in {}", fault, text);
            prop_assert!(!fault.message.is_empty());
        }
    }
}
