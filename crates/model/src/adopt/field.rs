//! A column as a field: what type its cells have, and which of its rules can be said of them.

use serde_json::{Value as Json, json};

use super::cell::Form;
use super::draft::{Draft, Presence, Source, value};
use super::foreign::{Column, Default_, Literal, Rule, Says};
use super::note::Class;
use contract::secret::{self, Declared};

/// Notes about a column, as they are found.
pub(super) type Notes<'a> = &'a mut dyn FnMut(Class, String);

/// The field of a column, or None where there is nothing that a record could hold.
pub(super) fn draft(
    name: &str,
    at: usize,
    column: &Column,
    rules: &[&Rule],
    in_key: bool,
    notes: Notes<'_>,
) -> Option<Draft> {
    let (form, types) = form(column, rules)?;
    let mut draft = Draft::new(name.to_owned(), Source::Column { column: at, form });
    draft.types = types;
    presence(&mut draft, column, rules, in_key);
    misfits(column, notes);
    kind(&mut draft, column, notes);
    let mut is_present = draft.presence == Presence::Required;
    for rule in rules {
        let Some((_, says)) = &rule.says else { continue };
        let before = draft.keywords.clone();
        let is_said = says_so(&mut draft, column, says);
        if !(is_said && draft.is_sound()) {
            draft.keywords = before;
            notes(Class::Unkept, format!("CHECK ({}): the field cannot say it", rule.text));
            is_present &= *says != Says::Present;
        }
    }
    if let Some(default) = &column.default {
        defaults(&mut draft, default, is_present, notes);
    }
    if is_secret(&column.name) {
        draft.secret = true;
        let why = "never shown in answers (`secret`), as its name asks for; take the word away to \
                   show it";
        notes(Class::Otherwise, why.to_owned());
    }
    Some(draft)
}

/// True of a column whose name says that nobody is to see it.
fn is_secret(name: &str) -> bool {
    let fold = secret::fold(name);
    let named = secret::find(&format!("{fold}=x"), &|_| Declared::Readable).is_some();
    named || ["password", "passwd", "secret"].iter().any(|word| fold.contains(word))
}

/// What the cells are. It is they that count; the declared type where there are none.
fn form(column: &Column, rules: &[&Rule]) -> Option<(Form, Vec<&'static str>)> {
    let facts = &column.facts;
    let (whole, real, text) = (facts.integers > 0, facts.reals > 0, facts.texts > 0);
    let declared = column.declared.to_ascii_uppercase();
    let is_json = declared.contains("JSON") || rules.iter().any(|rule| asks_json(rule));
    Some(match (whole, real, text) {
        (false, false, false) => return empty(column, &declared, is_json),
        (true, false, false) => {
            let truth = is_boolean(&declared) || rules.iter().any(|rule| asks_boolean(rule));
            if truth && facts.are_boolean() {
                (Form::Boolean, vec!["boolean"])
            } else if is_fractional(&declared) && facts.inexact == 0 {
                (Form::Number, vec!["number"])
            } else {
                (Form::Integer, vec!["integer"])
            }
        }
        (_, true, false) => (Form::Number, vec!["number"]),
        (false, false, true) if is_json && facts.are_json() => (Form::Json, Vec::new()),
        (false, false, true) => (Form::Text, vec!["string"]),
        (_, _, true) => (Form::Mixed, vec![if real { "number" } else { "integer" }, "string"]),
    })
}

/// What a column without values would hold.
fn empty(column: &Column, declared: &str, is_json: bool) -> Option<(Form, Vec<&'static str>)> {
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if column.facts.misfits() > 0 {
        return None;
    }
    Some(if is_json {
        (Form::Json, Vec::new())
    } else if is_boolean(declared) {
        (Form::Boolean, vec!["boolean"])
    } else if has(&["INT"]) {
        (Form::Integer, vec!["integer"])
    } else if has(&["CHAR", "CLOB", "TEXT", "DATE", "TIME"]) {
        (Form::Text, vec!["string"])
    } else if has(&["BLOB", "BINARY", "IMAGE"]) {
        return None;
    } else if declared.is_empty() {
        (Form::Mixed, Vec::new())
    } else {
        (Form::Number, vec!["number"])
    })
}

fn is_boolean(declared: &str) -> bool {
    declared.contains("BOOL") || matches!(declared, "BIT" | "BIT(1)" | "TINYINT(1)")
}

/// True of a type whose numbers have places behind the point, as far as it says.
fn is_fractional(declared: &str) -> bool {
    let words = ["REAL", "FLOA", "DOUB", "DEC", "NUMERIC", "NUMBER", "MONEY"];
    let scale = arguments(declared).get(1).copied();
    let is_whole = scale == Some(0) || (scale.is_none() && !arguments(declared).is_empty());
    let is_float = declared.contains("FLOA");
    (is_float || !is_whole) && words.iter().any(|word| declared.contains(word))
}

/// The numbers in the parentheses of a type.
fn arguments(declared: &str) -> Vec<u64> {
    let inner = declared.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let inner = inner.map_or("", |(inner, _)| inner);
    inner.split(',').filter_map(|part| part.trim().parse().ok()).collect()
}

fn asks_json(rule: &Rule) -> bool {
    matches!(rule.says, Some((_, Says::Json)))
}

fn asks_boolean(rule: &Rule) -> bool {
    let Some((_, Says::OneOf(values))) = &rule.says else { return false };
    let is = |number: i64| values.contains(&Literal::Integer(number));
    is(0) && is(1) && values.iter().all(|value| *value != Literal::Null) && values.len() == 2
}

fn presence(draft: &mut Draft, column: &Column, rules: &[&Rule], in_key: bool) {
    let facts = &column.facts;
    let asked = rules.iter().any(|rule| matches!(rule.says, Some((_, Says::Present))));
    let is_present = (column.not_null || in_key || asked) && facts.nulls == 0;
    // What no record can hold is left out of it.
    let is_whole =
        facts.misfits() == 0 && (draft.form() != Some(Form::Number) || facts.inexact == 0);
    if !(is_present && is_whole) {
        draft.presence = Presence::Optional;
    }
}

/// Cells that have no place in a record.
fn misfits(column: &Column, notes: Notes<'_>) {
    let facts = &column.facts;
    let mut tell = |count: u64, what: &str| {
        if count > 0 {
            let values = facts.values();
            let what = format!("{count} of {values} values: {what}; the field is absent there");
            notes(Class::LeftBehind, what);
        }
    };
    tell(facts.blobs, &format!("BLOBs, {} bytes in all", facts.blob_bytes));
    tell(facts.broken, "text that is not UTF-8 or contains U+0000");
    tell(facts.infinite, "infinite numbers, which JSON does not have");
    if facts.reals > 0 {
        tell(facts.inexact, "whole numbers beyond 2^53 among others");
    }
}

/// What follows from the type and the cells by themselves.
fn kind(draft: &mut Draft, column: &Column, notes: Notes<'_>) {
    let facts = &column.facts;
    let declared = column.declared.to_ascii_uppercase();
    match draft.form() {
        Some(Form::Integer) if facts.inexact > 0 => {
            draft.keywords.insert("format".to_owned(), json!("int64"));
        }
        Some(Form::Text) => text(draft, column, &declared, notes),
        Some(Form::Boolean) => {
            notes(Class::Otherwise, "0 and 1 are `false` and `true` here".to_owned());
        }
        Some(Form::Json) if facts.texts > 0 => {
            notes(Class::Otherwise, "its text is JSON, and shown as such".to_owned());
        }
        Some(Form::Mixed) if facts.values() > 0 => {
            let what = format!(
                "holds numbers ({}) and texts ({}) beside each other: such a field cannot be \
                 filtered or sorted by",
                facts.integers + facts.reals,
                facts.texts
            );
            notes(Class::Otherwise, what);
        }
        Some(Form::Integer | Form::Number | Form::Json | Form::Mixed) | None => {}
    }
}

fn text(draft: &mut Draft, column: &Column, declared: &str, notes: Notes<'_>) {
    let facts = &column.facts;
    draft.ignore_case = column.ignores_case;
    if let Some(other) = &column.collation {
        notes(Class::Unkept, format!("COLLATE {other}: text is compared character by character"));
    }
    let most = facts.length.map_or(0, |(_, most)| most);
    if declared.contains("CHAR")
        && let Some(limit) = arguments(declared).first().copied()
    {
        if most <= limit {
            draft.keywords.insert("maxLength".to_owned(), json!(limit));
        } else {
            let what = format!("{declared}: there is text of {most} characters");
            notes(Class::Unkept, what);
        }
    }
    if declared.contains("DATE") || declared.contains("TIME") {
        time(draft, column, declared, notes);
    }
}

/// Dates and times in text. What is no RFC 3339 is kept as it is, in the form that it has.
fn time(draft: &mut Draft, column: &Column, declared: &str, notes: Notes<'_>) {
    let facts = &column.facts;
    if facts.texts == 0 {
        if declared == "DATE" {
            draft.keywords.insert("format".to_owned(), json!("date"));
        }
    } else if facts.are_dates() {
        draft.keywords.insert("format".to_owned(), json!("date"));
    } else if facts.are_moments() {
        draft.keywords.insert("format".to_owned(), json!("date-time"));
    } else if let Some(pattern) = facts.pattern() {
        draft.keywords.insert("pattern".to_owned(), json!(pattern));
        let example = facts.example().unwrap_or_default();
        let what = format!(
            "times without a zone, such as \"{example}\", stay text of this form; in UTC with T \
             and Z they could be `format = \"date-time\"`"
        );
        notes(Class::Otherwise, what);
    } else {
        let what = format!("{declared}: its texts are of several forms, and stay as they are");
        notes(Class::Otherwise, what);
    }
}

/// Declares what a CHECK asks. False where the field cannot say it.
fn says_so(draft: &mut Draft, column: &Column, says: &Says) -> bool {
    let facts = &column.facts;
    let form = draft.form();
    let is_number = matches!(form, Some(Form::Integer | Form::Number));
    let is_text = form == Some(Form::Text);
    match says {
        Says::OneOf(values) => form.is_some_and(|form| one_of(draft, column, form, values)),
        Says::Minimum(to) => is_number && bound(draft, column, "minimum", to),
        Says::Maximum(to) => is_number && bound(draft, column, "maximum", to),
        Says::ExclusiveMinimum(to) => is_number && bound(draft, column, "exclusiveMinimum", to),
        Says::ExclusiveMaximum(to) => is_number && bound(draft, column, "exclusiveMaximum", to),
        Says::MinLength(to) => {
            let fits = facts.length.is_none_or(|(least, _)| least >= *to);
            is_text && fits && tighter(draft, "minLength", *to, |old| *to > old)
        }
        Says::MaxLength(to) => {
            let fits = facts.length.is_none_or(|(_, most)| most <= *to);
            is_text && fits && tighter(draft, "maxLength", *to, |old| *to < old)
        }
        Says::Pattern(pattern) => {
            let is_free = !draft.keywords.contains_key("pattern");
            let is_new = is_text && is_free;
            if is_new {
                draft.keywords.insert("pattern".to_owned(), json!(pattern));
            }
            is_new
        }
        Says::Json => form == Some(Form::Json),
        Says::Present => draft.presence == Presence::Required,
        Says::Type(name) => match name.as_str() {
            "text" => matches!(form, Some(Form::Text | Form::Json)),
            "integer" => matches!(form, Some(Form::Integer | Form::Boolean)),
            "real" => form == Some(Form::Number),
            _ => false,
        },
    }
}

/// Of two lengths that are asked for the stricter one counts.
fn tighter(draft: &mut Draft, key: &str, to: u64, is: impl Fn(u64) -> bool) -> bool {
    if draft.keywords.get(key).and_then(Json::as_u64).is_none_or(is) {
        draft.keywords.insert(key.to_owned(), json!(to));
    }
    true
}

fn one_of(draft: &mut Draft, column: &Column, form: Form, literals: &[Literal]) -> bool {
    if form == Form::Boolean {
        return literals.contains(&Literal::Integer(0)) && literals.contains(&Literal::Integer(1));
    }
    let values: Option<Vec<Json>> = literals
        .iter()
        .filter(|literal| **literal != Literal::Null)
        .map(|literal| value(form, literal))
        .collect();
    let Some(mut values) = values else { return false };
    values.dedup();
    let among = |text: &String| {
        values.iter().any(|value| match value {
            Json::String(known) => known == text,
            Json::Number(known) => {
                let (known, found) = (known.as_f64(), text.parse::<f64>().ok());
                known.is_some() && known == found
            }
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => false,
        })
    };
    let facts = &column.facts;
    let fits = match facts.distinct() {
        Some(distinct) => distinct.iter().all(among),
        None => facts.values() == 0,
    };
    let is_new = fits && !values.is_empty() && !draft.keywords.contains_key("enum");
    if is_new {
        // An enum says how long they are, too.
        draft.keywords.remove("maxLength");
        draft.keywords.insert("enum".to_owned(), values.into());
    }
    is_new
}

fn bound(draft: &mut Draft, column: &Column, key: &str, literal: &Literal) -> bool {
    let Some(to) = value(Form::Number, literal).filter(|_| !matches!(literal, Literal::Text(_)))
    else {
        return false;
    };
    let Some(number) = to.as_f64() else { return false };
    let fits = column.facts.range.is_none_or(|(least, most)| match key {
        "minimum" => least >= number,
        "maximum" => most <= number,
        "exclusiveMinimum" => least > number,
        _ => most < number,
    });
    if !fits {
        return false;
    }
    let old = draft.keywords.get(key).and_then(Json::as_f64);
    let is_upper = key.ends_with("aximum");
    if old.is_none_or(|old| if is_upper { number < old } else { number > old }) {
        draft.keywords.insert(key.to_owned(), to);
    }
    true
}

fn defaults(draft: &mut Draft, default: &Default_, is_present: bool, notes: Notes<'_>) {
    if draft.set_default(default) {
        return;
    }
    let mut what = match default {
        Default_::Expression(text) => format!("DEFAULT {text}: it is computed"),
        Default_::Literal(literal)
            if draft.presence == Presence::Optional && draft.keywords.contains_key("enum") =>
        {
            format!(
                "DEFAULT {}: beside an `enum` a field is optional or has a default, not both",
                shown(literal)
            )
        }
        Default_::Literal(literal) => {
            format!("DEFAULT {}: the field could not hold it", shown(literal))
        }
    };
    if is_present {
        // Whoever writes a row need not name it; nobody shall have to.
        draft.presence = Presence::Optional;
        what.push_str("; the field may be left out all the same, and is absent then");
    }
    notes(Class::Unkept, what);
}

/// A literal as SQL has it.
pub(super) fn shown(literal: &Literal) -> String {
    match literal {
        Literal::Null => "NULL".to_owned(),
        Literal::Integer(number) => number.to_string(),
        Literal::Real(number) => format!("{number:?}"),
        Literal::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Literal::Boolean(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
    }
}
