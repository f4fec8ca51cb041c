//! What is unique or indexed together.

use super::draft::{Draft, Source};
use super::foreign::Group;
use super::note::Class;
use super::plan::{IdSource, Planner};

/// What a column of a group is in the resource.
enum Part {
    /// The id.
    Id,
    /// A field.
    Field(usize),
    /// Nothing that can be compared.
    Gone,
}

/// Declares the groups of a table, or notes why not.
pub(super) fn declare(planner: &mut Planner<'_>, at: usize) {
    let table = planner.resources[at].table;
    let groups = &planner.foreign.tables[table].groups;
    // What is unique brings an index: that comes first.
    for group in groups.iter().filter(|group| group.unique) {
        if let Err(why) = unique(planner, at, group) {
            refuse(planner, table, group, &why);
        }
    }
    for group in groups.iter().filter(|group| !group.unique) {
        if let Err(why) = index(planner, at, group) {
            refuse(planner, table, group, &why);
        }
    }
}

fn refuse(planner: &mut Planner<'_>, table: usize, group: &Group, why: &str) {
    let columns = &planner.foreign.tables[table].columns;
    let names: Vec<&str> = group.columns.iter().map(|at| &*columns[*at].name).collect();
    let word = match group.name.as_str() {
        "PRIMARY KEY" => "PRIMARY KEY",
        _ if group.unique => "UNIQUE",
        _ => "INDEX",
    };
    let what = if names.is_empty() {
        format!("{word} {}: {why}", group.name)
    } else {
        format!("{word} ({}): {why}", names.join(", "))
    };
    planner.note(Class::Unkept, table, None, what);
}

fn part(planner: &Planner<'_>, at: usize, column: usize) -> Part {
    let resource = &planner.resources[at];
    let references = &planner.foreign.tables[resource.table].references;
    let is_of = |draft: &Draft| match draft.source {
        Source::Column { column: other, .. } => other == column,
        Source::Reference(reference) => references[reference].columns == [column],
    };
    match resource.fields.iter().position(is_of) {
        Some(field) if resource.fields[field].is_comparable() => Part::Field(field),
        Some(_) => Part::Gone,
        None if resource.id == IdSource::Column(column) => Part::Id,
        None => Part::Gone,
    }
}

fn unique(planner: &mut Planner<'_>, at: usize, group: &Group) -> Result<(), String> {
    if let Some(fault) = &group.fault {
        return Err(fault.clone());
    }
    let mut fields = Vec::new();
    for column in &group.columns {
        match part(planner, at, *column) {
            Part::Field(field) => fields.push(field),
            // No two records have the same id, whatever stands beside it.
            Part::Id => return Ok(()),
            Part::Gone => return Err("a column of it cannot be compared here".to_owned()),
        }
    }
    let resource = &mut planner.resources[at];
    let is_text = |draft: &Draft| draft.types == ["string"];
    if let ([field], [true]) = (fields.as_slice(), group.folds.as_slice()) {
        let draft = &mut resource.fields[*field];
        draft.ignore_case |= is_text(draft);
    }
    let differs = |(field, folds): (&usize, &bool)| {
        let draft = &resource.fields[*field];
        is_text(draft) && draft.ignore_case != *folds
    };
    if fields.iter().zip(&group.folds).any(differs) {
        return Err("it is not by the same case as its columns".to_owned());
    }
    if group.fold_rivals > 0 {
        let count = group.fold_rivals;
        return Err(format!("{count} rows are the same as others but for the case of letters"));
    }
    if let [field] = fields.as_slice() {
        resource.fields[*field].unique = true;
    } else if !resource.unique.contains(&fields)
        && !fields.iter().any(|field| resource.fields[*field].unique)
    {
        resource.unique.push(fields);
    }
    Ok(())
}

fn index(planner: &mut Planner<'_>, at: usize, group: &Group) -> Result<(), String> {
    if let Some(fault) = &group.fault {
        return Err(fault.clone());
    }
    let mut fields = Vec::new();
    for column in &group.columns {
        match part(planner, at, *column) {
            Part::Field(field) => fields.push(field),
            // The id ends every index.
            Part::Id => break,
            Part::Gone => return Err("a column of it cannot be compared here".to_owned()),
        }
    }
    let resource = &mut planner.resources[at];
    match fields.as_slice() {
        [] => {}
        [field] => {
            let draft = &mut resource.fields[*field];
            draft.index = !draft.unique && draft.references.is_none();
        }
        _ if resource.unique.contains(&fields) || resource.index.contains(&fields) => {}
        // Behind what no two records share nothing is left to be told apart.
        [first, ..] if resource.fields[*first].unique => {}
        _ => resource.index.push(fields),
    }
    Ok(())
}
