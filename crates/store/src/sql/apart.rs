//! Lists of what fulfils one of several conditions that have an index each: `status = 'published'
//! OR author = 5`. SQLite would gather everything that fulfils any of them, and sort it, for each
//! page. Taken apart, they are as many lists, each in its order by its own index, and merged as
//! far as the page reaches.

use model::model::{Model, Resource, ResourceIndex};
use model::query::{Column, Comparison, Filter, Path, target};

use super::condition::leads;
use super::term::{Form, Sense, Term, gather, terms};

/// Most lists that one is taken apart into.
const WAYS_MAX: usize = 8;

/// What lists are taken apart for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// A page, for which they are merged: what is in two of them shows when it comes twice.
    Page,
    /// Their number, for which none may have what another has: that they say.
    Number,
}

/// The terms of a list: of its filter, and some of a place in its order beside.
pub(crate) fn apart<'a>(
    model: &Model,
    resource: ResourceIndex,
    filter: &'a Filter,
    (what, place): (For, &[(Column, &'a Comparison)]),
) -> Vec<Term<'a>> {
    let behind = || place.iter().map(|(column, it)| Term::new((*column).into(), it));
    let Some((common, ways)) = split(model, resource, filter) else {
        let mut terms = terms(filter);
        terms.extend(behind());
        return terms;
    };
    let (mut forms, mut leaves) = (Vec::with_capacity(ways.len()), Vec::new());
    for (at, way) in ways.iter().enumerate() {
        let mut terms = Vec::new();
        gather(way, Sense::True, &mut terms);
        common.iter().for_each(|filter| gather(filter, Sense::True, &mut terms));
        terms.extend(behind());
        let before = if what == For::Number { &ways[..at] } else { &[] };
        before.iter().for_each(|before| gather(before, Sense::False, &mut terms));
        forms.push(Form::All(terms.iter().map(|term| term.form.clone()).collect()));
        leaves.extend(terms.into_iter().flat_map(|term| term.leaves));
    }
    vec![Term { form: Form::Apart(forms), leaves }]
}

/// What has to hold in any case, and the conditions one of which has to; where it helps to take
/// these apart.
fn split<'a>(
    model: &Model,
    resource: ResourceIndex,
    filter: &'a Filter,
) -> Option<(Vec<&'a Filter>, Vec<&'a Filter>)> {
    let mut common = Vec::new();
    conjuncts(filter, &mut common);
    let at = common.iter().position(|part| matches!(part, Filter::Any(_)))?;
    let Filter::Any(ways) = common.remove(at) else { return None };
    let is_led = |way: &Filter| {
        let mut parts = Vec::new();
        conjuncts(way, &mut parts);
        parts.iter().any(|part| is_led(model, resource, part))
    };
    // Where something else leads to few records, they are looked at one by one.
    let is_few =
        |part: &&Filter| matches!(part, Filter::Search { .. }) || is_one(part) && is_led(part);
    let helps = (2..=WAYS_MAX).contains(&ways.len()) && ways.iter().all(is_led);
    if !helps || common.iter().any(is_few) {
        return None;
    }
    // All but the first may say which records they leave out, and have to look at each for that:
    // what belongs to one record is less than what has one value.
    let mut ways: Vec<&Filter> = ways.iter().collect();
    ways.sort_by_key(|way| refers(&model.resources[resource], way));
    Some((common, ways))
}

/// True where one of the values that have to be right is a reference.
fn refers(resource: &Resource, way: &Filter) -> bool {
    let mut parts = Vec::new();
    conjuncts(way, &mut parts);
    parts.iter().any(|part| match part {
        Filter::Compare { path, .. } => {
            let own = path.column.field(resource);
            !path.through.is_empty() || own.is_some_and(|field| field.references.is_some())
        }
        _ => false,
    })
}

/// The filters all of which have to hold.
fn conjuncts<'a>(filter: &'a Filter, out: &mut Vec<&'a Filter>) {
    match filter {
        Filter::All(filters) => filters.iter().for_each(|filter| conjuncts(filter, out)),
        other => out.push(other),
    }
}

/// True where a value is compared with one or with some.
fn is_one(filter: &Filter) -> bool {
    let Filter::Compare { comparison, .. } = filter else { return false };
    matches!(comparison, Comparison::Equal(_) | Comparison::In(_) | Comparison::Null)
}

/// True where an index leads to the records that a comparison leaves.
fn is_led(model: &Model, resource: ResourceIndex, filter: &Filter) -> bool {
    let Filter::Compare { path: Path { through, column }, comparison } = filter else {
        return false;
    };
    let end = target(model, resource, through).map(|end| &model.resources[end]);
    end.is_some_and(|end| leads(end, *column))
        && match comparison {
            Comparison::NotEqual(_) | Comparison::NotNull => false,
            // Through a reference nothing is found by what is not there.
            Comparison::Null => through.is_empty(),
            Comparison::Equal(_)
            | Comparison::In(_)
            | Comparison::Greater(_)
            | Comparison::GreaterOrEqual(_)
            | Comparison::Less(_)
            | Comparison::LessOrEqual(_)
            | Comparison::Prefix(_) => true,
        }
}
