//! Filters as terms: what has to hold, each term with its form, which is a part of the statement's
//! text, and its values, which are bound. What a rule denies is denied at its leaves, so that the
//! terms of a WHERE stay as plain as they can be and indexes serve them.

use model::model::FieldIndex;
use model::query::{Column, Comparison, Filter, Path, Relate};
use model::search::Terms;
use model::value::Value;

/// One condition of a statement, with its values.
pub(crate) struct Term<'a> {
    /// What has to hold, without the values.
    pub(crate) form: Form,
    /// The comparisons in it that have values, in the order of the text.
    pub(crate) leaves: Vec<Leaf<'a>>,
}

/// A comparison with its values to be bound.
pub(crate) struct Leaf<'a> {
    /// What is compared.
    pub(crate) path: Path,
    /// How.
    pub(crate) test: Test,
    /// With which parameters, in their order.
    pub(crate) operands: Operands<'a>,
}

/// The values of a comparison.
pub(crate) enum Operands<'a> {
    /// None.
    None,
    /// One.
    One(&'a Value),
    /// As many as the list is long once it is filled up.
    Many(&'a [Value]),
    /// The texts from this one on, up to the first that no longer begins so, if there is one.
    Beginning(&'a str),
    /// What the index of searched text is asked, and for which of its fields.
    Search(&'a Terms, Option<&'a [FieldIndex]>),
}

/// How a value is compared, without what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    Equal,
    NotEqual,
    /// Is among so many.
    In(usize),
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    /// Is at least one parameter and less than the next.
    Within,
    Null,
    NotNull,
    /// The record's searched text matches.
    Matches,
}

impl Test {
    /// The test of which a value fulfils exactly one of both, where there is one.
    fn opposite(self) -> Option<Self> {
        match self {
            Self::Equal => Some(Self::NotEqual),
            Self::NotEqual => Some(Self::Equal),
            Self::Null => Some(Self::NotNull),
            Self::NotNull => Some(Self::Null),
            Self::In(_)
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Within
            | Self::Matches => None,
        }
    }
}

/// A condition without its values: a part of the key of the cache of texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// A value compares so.
    Compare(Path, Test),
    /// A value does not compare so, because it is absent too.
    Unless(Path, Test),
    /// Two values compare so.
    Relate(Path, Relate, Path),
    /// Two values do not compare so, because one is absent too.
    Unrelate(Path, Relate, Path),
    /// All of them hold.
    All(Vec<Form>),
    /// One of them holds.
    Any(Vec<Form>),
    /// One of them holds, and each is a list of its own.
    Apart(Vec<Form>),
}

impl Form {
    /// True of what the index of searched text finds by itself.
    pub(crate) fn is_search(&self) -> bool {
        matches!(self, Self::Compare(_, Test::Matches))
    }

    /// Adds the columns of its own that a record is asked for.
    pub(crate) fn columns(&self, out: &mut Vec<Column>) {
        let mut add = |path: &Path| {
            let own = path.through.first().map_or(path.column, |field| Column::Field(*field));
            if !out.contains(&own) {
                out.push(own);
            }
        };
        match self {
            Self::Compare(path, _) | Self::Unless(path, _) => add(path),
            Self::Relate(left, _, right) | Self::Unrelate(left, _, right) => {
                add(left);
                add(right);
            }
            Self::All(forms) | Self::Any(forms) | Self::Apart(forms) => {
                forms.iter().for_each(|form| form.columns(out));
            }
        }
    }

    /// True of what always holds.
    fn is_all(&self) -> bool {
        matches!(self, Self::All(forms) if forms.is_empty())
    }

    /// True of what never holds.
    fn is_nothing(&self) -> bool {
        matches!(self, Self::Any(forms) if forms.is_empty())
    }
}

/// Whether a filter has to be true or false.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    True,
    False,
}

impl Sense {
    fn turned(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
        }
    }
}

impl<'a> Term<'a> {
    /// The term of a comparison.
    pub(crate) fn new(path: Path, comparison: &'a Comparison) -> Self {
        let mut leaves = Vec::with_capacity(1);
        let form = compare(path, comparison, Sense::True, &mut leaves);
        Self { form, leaves }
    }
}

/// The terms of a filter, in the order in which their values are bound; a search comes first.
pub(crate) fn terms(filter: &Filter) -> Vec<Term<'_>> {
    let mut terms = Vec::new();
    gather(filter, Sense::True, &mut terms);
    if let Some(at) = terms.iter().position(|term| term.form.is_search()) {
        terms[..=at].rotate_right(1);
    }
    terms
}

/// Adds the terms all of which have to hold.
pub(super) fn gather<'a>(filter: &'a Filter, sense: Sense, terms: &mut Vec<Term<'a>>) {
    match (filter, sense) {
        (Filter::All(filters), Sense::True) | (Filter::Any(filters), Sense::False)
            if !filters.is_empty() =>
        {
            filters.iter().for_each(|filter| gather(filter, sense, terms));
        }
        (Filter::Not(filter), sense) => gather(filter, sense.turned(), terms),
        _ => {
            let mut leaves = Vec::new();
            let form = form(filter, sense, &mut leaves);
            if !form.is_all() {
                terms.push(Term { form, leaves });
            }
        }
    }
}

fn form<'a>(filter: &'a Filter, sense: Sense, leaves: &mut Vec<Leaf<'a>>) -> Form {
    match (filter, sense) {
        (Filter::All(filters), Sense::True) | (Filter::Any(filters), Sense::False) => {
            all(filters, sense, leaves)
        }
        (Filter::Any(filters), Sense::True) | (Filter::All(filters), Sense::False) => {
            any(filters, sense, leaves)
        }
        (Filter::Not(filter), sense) => form(filter, sense.turned(), leaves),
        (Filter::Compare { path, comparison }, sense) => {
            compare(path.clone(), comparison, sense, leaves)
        }
        (Filter::Relate { left, relation, right }, Sense::True) => {
            Form::Relate(left.clone(), *relation, right.clone())
        }
        (Filter::Relate { left, relation, right }, Sense::False) => {
            Form::Unrelate(left.clone(), *relation, right.clone())
        }
        (Filter::Search { terms, within }, sense) => {
            let operands = Operands::Search(terms, within.as_deref());
            leaf(Column::Id.into(), (Test::Matches, operands), sense, leaves)
        }
    }
}

fn all<'a>(filters: &'a [Filter], sense: Sense, leaves: &mut Vec<Leaf<'a>>) -> Form {
    let begun = leaves.len();
    let mut forms = Vec::with_capacity(filters.len());
    for filter in filters {
        match form(filter, sense, leaves) {
            nothing if nothing.is_nothing() => {
                leaves.truncate(begun);
                return nothing;
            }
            Form::All(inner) => forms.extend(inner),
            other => forms.push(other),
        }
    }
    if forms.len() == 1 { forms.remove(0) } else { Form::All(forms) }
}

fn any<'a>(filters: &'a [Filter], sense: Sense, leaves: &mut Vec<Leaf<'a>>) -> Form {
    let begun = leaves.len();
    let mut forms = Vec::with_capacity(filters.len());
    for filter in filters {
        match form(filter, sense, leaves) {
            all if all.is_all() => {
                leaves.truncate(begun);
                return all;
            }
            Form::Any(inner) => forms.extend(inner),
            other => forms.push(other),
        }
    }
    if forms.len() == 1 { forms.remove(0) } else { Form::Any(forms) }
}

fn compare<'a>(
    path: Path,
    comparison: &'a Comparison,
    sense: Sense,
    leaves: &mut Vec<Leaf<'a>>,
) -> Form {
    let tested = match comparison {
        Comparison::Equal(Value::Null) | Comparison::Null => (Test::Null, Operands::None),
        Comparison::NotEqual(Value::Null) | Comparison::NotNull => (Test::NotNull, Operands::None),
        Comparison::Equal(value) => (Test::Equal, Operands::One(value)),
        Comparison::NotEqual(value) => (Test::NotEqual, Operands::One(value)),
        // None of them: nothing is.
        Comparison::In(values) if values.is_empty() => {
            return if sense == Sense::True { Form::Any(vec![]) } else { Form::All(vec![]) };
        }
        // Lists of a few lengths only, so that few statements are prepared.
        Comparison::In(values) => {
            (Test::In(values.len().next_power_of_two()), Operands::Many(values))
        }
        Comparison::Greater(value) => (Test::Greater, Operands::One(value)),
        Comparison::GreaterOrEqual(value) => (Test::GreaterOrEqual, Operands::One(value)),
        Comparison::Less(value) => (Test::Less, Operands::One(value)),
        Comparison::LessOrEqual(value) => (Test::LessOrEqual, Operands::One(value)),
        Comparison::Prefix(text) => (Test::Within, Operands::Beginning(text)),
    };
    leaf(path, tested, sense, leaves)
}

fn leaf<'a>(
    path: Path,
    (test, operands): (Test, Operands<'a>),
    sense: Sense,
    leaves: &mut Vec<Leaf<'a>>,
) -> Form {
    let (test, form) = match (sense, test.opposite()) {
        (Sense::True, _) => (test, Form::Compare(path.clone(), test)),
        (Sense::False, Some(opposite)) => (opposite, Form::Compare(path.clone(), opposite)),
        (Sense::False, None) => (test, Form::Unless(path.clone(), test)),
    };
    leaves.push(Leaf { path, test, operands });
    form
}

/// The first text that is greater than every text with this beginning, in the order of code
/// points. None where there is none: after U+10FFFF nothing comes.
pub(crate) fn behind(beginning: &str) -> Option<String> {
    let mut characters: Vec<char> = beginning.chars().collect();
    while let Some(last) = characters.pop() {
        // Between U+D7FF and U+E000 lie the surrogates, which are no characters.
        let next =
            if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(last as u32 + 1) };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn behind_a_beginning_comes_the_next_character() {
        assert_eq!(behind("ab").as_deref(), Some("ac"));
        assert_eq!(behind("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(behind("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(behind("\u{10ffff}"), None);
        assert_eq!(behind(""), None);
    }
}
