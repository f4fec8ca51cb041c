//! Groups of records and what they come to.

use model::model::{Kind, Resource, ResourceIndex};
use model::query::{Count, Measure};
use model::value::Value;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::bind::bind_terms;
use super::failure::{Failure, broken};
use super::find::counted;
use super::session::Session;
use crate::lookup::{Group, Groups, Measured, Total};
use crate::sql::aggregate::is_exact_sum;
use crate::sql::select::{Ask, Shape};
use crate::sql::term::terms;

/// A page of groups, and how many there are.
pub(super) fn find(
    session: &Session,
    resource: ResourceIndex,
    asked: &Groups,
) -> Result<(Vec<Group>, Option<Total>), Failure> {
    let terms = terms(&asked.filter);
    let shape = Shape::new(resource, Ask::Groups(asked.aggregate.clone()), &terms, &[]);
    let mut statement = session.shaped(shape)?;
    let at = bind_terms(session, resource, &mut statement, &terms)?;
    statement.raw_bind_parameter(at, i64::from(asked.limit))?;
    statement.raw_bind_parameter(at + 1, i64::try_from(asked.offset).unwrap_or(i64::MAX))?;
    let declared = session.catalog.resource(resource);
    let mut rows = statement.raw_query();
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        groups.push(group(declared, asked, row)?);
    }
    Ok((groups, total(session, resource, asked)?))
}

fn total(
    session: &Session,
    resource: ResourceIndex,
    asked: &Groups,
) -> Result<Option<Total>, Failure> {
    let by = &asked.aggregate.group_by;
    let ask = match asked.count {
        Count::None => return Ok(None),
        // All records are one group, even where there is none.
        _ if by.is_empty() => return Ok(Some(Total { records: 1, is_lower_bound: false })),
        Count::Bounded => Ask::GroupsTo(by.clone()),
        Count::Exact => Ask::AllGroups(by.clone()),
    };
    counted(session, resource, ask, &terms(&asked.filter)).map(Some)
}

fn group(resource: &Resource, asked: &Groups, row: &Row<'_>) -> Result<Group, Failure> {
    let mut at = 0;
    let mut next = || {
        at += 1;
        row.get_ref(at - 1)
    };
    let mut keys = Vec::with_capacity(asked.aggregate.group_by.len());
    for by in &asked.aggregate.group_by {
        keys.push(value(by.kind(resource), next()?)?.unwrap_or(Value::Null));
    }
    let mut measures = Vec::with_capacity(asked.aggregate.measures.len());
    for measure in &asked.aggregate.measures {
        let first = next()?;
        let second = if is_exact_sum(resource, *measure) { Some(next()?) } else { None };
        measures.push(measured(resource, *measure, first, second)?);
    }
    Ok(Group { keys, measures })
}

fn measured(
    resource: &Resource,
    measure: Measure,
    first: ValueRef<'_>,
    second: Option<ValueRef<'_>>,
) -> Result<Measured, Failure> {
    match (measure.column, first, second) {
        (_, ValueRef::Null, _) => Ok(Measured::Nothing),
        (None, ValueRef::Integer(number), _) => Ok(Measured::Whole(number.into())),
        (_, ValueRef::Integer(upper), Some(ValueRef::Integer(lower))) => {
            Ok(Measured::Whole((i128::from(upper) << 32) + i128::from(lower)))
        }
        (_, ValueRef::Real(number), _) if !number.is_finite() => Ok(Measured::Nothing),
        (Some(by), first, None) => {
            let kind =
                if measure.is_of_the_columns_kind() { by.kind(resource) } else { Kind::Number };
            Ok(value(kind, first)?.map_or(Measured::Nothing, Measured::Value))
        }
        _ => Err(broken("a measure is not of its kind")),
    }
}

/// A value that stands in no record any more.
fn value(kind: Kind, found: ValueRef<'_>) -> Result<Option<Value>, Failure> {
    Ok(Some(match found {
        ValueRef::Null => return Ok(None),
        ValueRef::Integer(number) if kind == Kind::Boolean => Value::Boolean(number != 0),
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Number(number),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(broken("a text is not UTF-8")),
        },
        ValueRef::Blob(_) => return Err(broken("a column holds bytes")),
    }))
}
