//! `routes`: the contract's table, narrowed by the declaration.

use std::fmt::Write;

use clap::ArgMatches;
use serde_json::json;

use contract::table::{self, Conditions, Key, ROWS, Row, Target};
use model::complaint::Level;
use model::model::{Model, Resource};

use crate::command::{complain, count, place, read};
use crate::failure::{Failure, Outcome};

/// Prints the routes on standard output.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let declaration = read(&place(matches))?;
    let errors = complain(&declaration, &declaration.reading.complaints, Level::Error);
    let Some(model) = &declaration.reading.model else {
        let message = format!("{} in the declaration", count(errors.max(1), "error"));
        return Err(Failure::refused(message));
    };
    let routes = routes(model);
    print!("{}", if matches.get_flag("json") { lines(&routes) } else { columns(&routes) });
    Ok(())
}

/// A row of the contract at a path of this API.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    method: &'static str,
    path: String,
    operation: String,
    conditions: &'static str,
    key: &'static str,
    accepts: &'static [&'static str],
    statuses: Vec<u16>,
}

/// Every route of a declaration, in the order of its resources and of the table.
fn routes(model: &Model) -> Vec<Route> {
    let mut routes = Vec::new();
    for resource in &model.resources {
        for target in [Target::Collection, Target::Item] {
            let path = path(model, target, &resource.name);
            let of = std::slice::from_ref(resource);
            routes.extend(table::rows(target).map(|row| route(row, &path, of)));
        }
    }
    let of_resource = |row: &&Row| matches!(row.target, Target::Collection | Target::Item);
    for row in ROWS.iter().filter(|row| !of_resource(row)) {
        // A batch can be about any of them.
        let of = if row.target == Target::Batch { model.resources.as_slice() } else { &[] };
        routes.push(route(row, &path(model, row.target, ""), of));
    }
    routes
}

/// Where a target stands.
fn path(model: &Model, target: Target, resource: &str) -> String {
    let prefix = &model.prefix;
    match target {
        Target::Collection => format!("{prefix}/{resource}"),
        Target::Item => format!("{prefix}/{resource}/{{id}}"),
        Target::Batch => format!("{prefix}/batch"),
        Target::Search => format!("{prefix}/search"),
        Target::Changes => format!("{prefix}/changes"),
        Target::Login => format!("{prefix}/login"),
        Target::Reset => format!("{prefix}/login/reset"),
        Target::Confirm => format!("{prefix}/login/confirm"),
        Target::Address => format!("{prefix}/me/email"),
        Target::Logout => format!("{prefix}/logout"),
        Target::Me => format!("{prefix}/me"),
        Target::Sessions => format!("{prefix}/me/sessions"),
        Target::Session => format!("{prefix}/me/sessions/{{id}}"),
        Target::Password => format!("{prefix}/me/password"),
        Target::Audit => format!("{prefix}/audit"),
        Target::Home if prefix.is_empty() => "/".to_owned(),
        Target::Home => prefix.clone(),
        Target::Health => "/healthz".to_owned(),
        Target::Ready => "/readyz".to_owned(),
        Target::Problems => "/problems/{kind}".to_owned(),
        Target::Robots => "/robots.txt".to_owned(),
        Target::Server => "*".to_owned(),
    }
}

/// A row as these resources have it: a declaration can only narrow.
fn route(row: &'static Row, path: &str, of: &[Resource]) -> Route {
    let may_be_required = of.iter().any(|resource| resource.preconditions_required);
    let is_one = of.len() == 1 && row.target != Target::Batch;
    let conditions_required = is_one && may_be_required;
    let key_required = is_one && of.iter().any(|resource| resource.key_required);
    let creates = of.iter().any(Resource::creates_by_put);
    let is_put_like = row.target == Target::Item;
    let statuses = row.statuses.iter().copied().filter(|status| match status {
        428 => may_be_required,
        201 => creates || !is_put_like,
        _ => true,
    });
    Route {
        method: table::nature(row.method).name,
        path: path.to_owned(),
        operation: format!("{:?}", row.operation).to_lowercase(),
        conditions: match row.conditions {
            Conditions::Ignored => "-",
            Conditions::Demandable if conditions_required => "required",
            Conditions::Honoured | Conditions::Demandable => "honoured",
        },
        key: match row.key {
            Key::Ignored | Key::Withheld => "-",
            Key::Demandable if key_required => "required",
            Key::Honoured | Key::Demandable => "honoured",
        },
        accepts: row.accepts,
        statuses: statuses.collect(),
    }
}

/// Routes as columns, for people.
fn columns(routes: &[Route]) -> String {
    let heads = ["METHOD", "PATH", "DOES", "CONDITIONS", "KEY", "STATUSES"];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(routes.iter().map(|route| {
        let statuses: Vec<_> = route.statuses.iter().map(u16::to_string).collect();
        [
            route.method.to_owned(),
            route.path.clone(),
            route.operation.clone(),
            route.conditions.to_owned(),
            route.key.to_owned(),
            statuses.join(" "),
        ]
    }));
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut out = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    let common: Vec<_> = table::COMMON_STATUSES.iter().map(u16::to_string).collect();
    // Writing into memory does not fail.
    let _ = writeln!(out, "\nEvery request can also be answered with {}.", common.join(" "));
    out
}

/// Routes as one JSON object a line, for scripts.
fn lines(routes: &[Route]) -> String {
    let lines = routes.iter().map(|route| {
        let line = json!({
            "method": route.method,
            "path": route.path,
            "operation": route.operation,
            "conditions": route.conditions,
            "key": route.key,
            "accepts": route.accepts,
            "statuses": route.statuses,
        });
        format!("{line}\n")
    });
    lines.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Route, columns, lines, routes};
    use contract::table::ROWS;

    const TEXT: &str = "title = \"T\"\nprefix = \"/v1\"\n\
        [resources.a]\npreconditions = \"required\"\nidempotency = \"required\"\n\
        fields.b = { type = \"string\" }\n\
        [resources.c]\nid = \"uuid\"\nfields.d = { type = \"string\" }\n";

    fn of<'a>(routes: &'a [Route], method: &str, path: &str) -> &'a Route {
        routes.iter().find(|route| route.method == method && route.path == path).unwrap()
    }

    #[test]
    fn a_declaration_narrows_the_table() {
        let routes = routes(&model::declaration::read(TEXT).model.unwrap());
        let demanding = of(&routes, "PUT", "/v1/a/{id}");
        assert_eq!(demanding.conditions, "required");
        assert!(demanding.statuses.contains(&428) && !demanding.statuses.contains(&201));
        let plain = of(&routes, "PUT", "/v1/c/{id}");
        assert_eq!(plain.conditions, "honoured");
        assert!(!plain.statuses.contains(&428) && plain.statuses.contains(&201));
        assert_eq!(of(&routes, "POST", "/v1/a").key, "required");
        assert_eq!(of(&routes, "POST", "/v1/c").key, "honoured");
        assert!(of(&routes, "POST", "/v1/c").statuses.contains(&201));
        assert_eq!(of(&routes, "GET", "/v1").operation, "home");
        assert_eq!(of(&routes, "OPTIONS", "*").statuses, [204]);
    }

    #[test]
    fn every_row_of_the_table_is_somewhere() {
        let routes = routes(&model::declaration::read(TEXT).model.unwrap());
        for row in ROWS {
            let operation = format!("{:?}", row.operation).to_lowercase();
            let method = contract::table::nature(row.method).name;
            let found = routes.iter().any(|r| r.method == method && r.operation == operation);
            assert!(found, "{method} {operation}");
        }
        let columns = columns(&routes);
        assert!(columns.starts_with("METHOD   PATH"), "{columns}");
        assert_eq!(lines(&routes).lines().count(), routes.len());
        for line in lines(&routes).lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(value["statuses"].is_array());
        }
    }
}
