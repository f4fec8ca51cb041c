//! Values drawn by chance, with a liking for those at which something ends, folds or overflows.

use serde_json::{Number, Value, json};

use super::schema::{IdKind, Kind};
use crate::property::chance::Chance;

/// Texts that fold specially, sort at the edges of the planes, or mean something to SQL, to a URL
/// or to the syntax of lists.
const TEXTS: [&str; 54] = [
    "",
    "a",
    "A",
    "ab",
    "aB",
    "AB",
    "abc",
    "b",
    "B",
    "z",
    "Z",
    "straße",
    "STRASSE",
    "Strasse",
    "İ",
    "i\u{307}",
    "I",
    "i",
    "ı",
    "é",
    "e\u{301}",
    "É",
    "E\u{301}",
    "e",
    "ΟΔΟΣ",
    "οδος",
    "οδοσ",
    "Σ",
    "ς",
    "😀",
    "😀a",
    "\u{10ffff}",
    "a\u{10ffff}",
    "a\u{10ffff}b",
    "漢字",
    "漢",
    "ﬁ",
    "FI",
    "\u{d7ff}",
    "\u{e000}",
    "\u{ffff}",
    "%",
    "_",
    "a%",
    "a,b",
    "\"q\"",
    "a\"b",
    " ",
    "null",
    "0",
    "-1",
    "+&=#",
    "a.b'c\\d",
    "a\tb\nc",
];
const DATES: [&str; 6] =
    ["2024-02-29", "1999-12-31", "2000-01-01", "0001-01-01", "9999-12-31", "2024-03-01"];
const INTEGERS: [i64; 12] = [
    0,
    1,
    -1,
    2,
    3,
    5,
    10,
    -10,
    1000,
    9_007_199_254_740_991,
    -9_007_199_254_740_991,
    9_007_199_254_740_990,
];
const LARGE: [i64; 6] =
    [i64::MIN, i64::MAX, i64::MAX - 1, i64::MIN + 1, 9_007_199_254_740_993, 1 << 32];
const NUMBERS: [f64; 16] = [
    0.0,
    1.0,
    2.0,
    1.5,
    -1.5,
    -2.0,
    0.1,
    0.2,
    0.300_000_000_000_000_04,
    1e308,
    -1e308,
    5e-324,
    -5e-324,
    2.225_073_858_507_201_4e-308,
    9_007_199_254_740_991.0,
    123.456,
];

/// A value of this kind; not of references, ids and moments.
pub(super) fn plain(chance: &mut Chance, kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::Folded => text(chance).into(),
        Kind::Date => (*chance.pick(&DATES)).into(),
        Kind::Integer => integer(chance).into(),
        Kind::Int64 if chance.once_in(2) => (*chance.pick(&LARGE)).into(),
        Kind::Int64 => integer(chance).into(),
        Kind::Number => number(chance),
        Kind::Boolean => chance.once_in(2).into(),
        Kind::Json => any(chance),
        Kind::Reference(_) | Kind::Id(_) | Kind::Moment => panic!("drawn elsewhere"),
    }
}

/// A text.
pub(super) fn text(chance: &mut Chance) -> String {
    let mut out = (*chance.pick(&TEXTS)).to_owned();
    while chance.once_in(4) {
        let more: &&str = chance.pick(&TEXTS);
        out.push_str(more);
    }
    out
}

fn integer(chance: &mut Chance) -> i64 {
    if chance.once_in(3) {
        i64::try_from(chance.below(20)).expect("a small number") - 5
    } else {
        *chance.pick(&INTEGERS)
    }
}

/// A number as the server writes it: without a fraction where it has none and is exact.
fn number(chance: &mut Chance) -> Value {
    let number = if chance.once_in(3) {
        f64::from(u32::try_from(chance.below(40)).expect("a small number")) / 4.0 - 2.0
    } else {
        *chance.pick(&NUMBERS)
    };
    whole(number).map_or_else(|| Number::from_f64(number).expect("finite").into(), Value::from)
}

fn whole(number: f64) -> Option<i64> {
    let is_exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0;
    is_exact.then(|| format!("{number:.0}").parse().expect("a whole number"))
}

fn any(chance: &mut Chance) -> Value {
    let text = text(chance);
    chance
        .pick(&[
            Value::Null,
            json!("null"),
            json!(false),
            json!(1),
            json!([]),
            json!({}),
            json!([null, {"a": text}]),
            json!({"b": [1.5, null], "a": text}),
        ])
        .clone()
}

/// An id that a client chooses.
pub(super) fn id(chance: &mut Chance, kind: IdKind) -> Value {
    match kind {
        IdKind::Integer => (1 + chance.below(200)).into(),
        IdKind::Uuid => {
            let (high, low) = (chance.next(), chance.next());
            let text = format!("{high:016x}{low:016x}");
            let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &text[part]);
            parts.join("-").into()
        }
        IdKind::Text => {
            let letters = b"aAbBzZ09._~-";
            let length = 1 + chance.below(6);
            let letter = |chance: &mut Chance| char::from(*chance.pick(letters));
            let text: String = (0..length).map(|_| letter(chance)).collect();
            if text.chars().all(|letter| letter == '.') { "dot".into() } else { text.into() }
        }
    }
}

/// A moment as it is sent, with the same as it is kept.
pub(super) fn moment(chance: &mut Chance) -> (String, String) {
    let moments = [
        ("2026-02-06T11:30:00+01:00", "2026-02-06T10:30:00.000Z"),
        ("2026-02-06T10:30:00Z", "2026-02-06T10:30:00.000Z"),
        ("2020-01-01T00:00:00.001Z", "2020-01-01T00:00:00.001Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
    ];
    let (sent, kept) = *chance.pick(&moments);
    (sent.to_owned(), kept.to_owned())
}
