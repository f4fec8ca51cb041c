//! Faults of the store and of the program, in the words of HTTP. What is internal stays in the log.

use std::any::Any;

use contract::precondition::Tags;
use contract::problem::{Kind, Problem, Violation};
use contract::table::Operation;
use http::{HeaderValue, header};
use model::rows::{FAULTY_ROWS_MAX, Form};
use store::error::{Error, Refusal, RefusedRow};

use crate::batch;
use crate::call::{Call, Content};
use crate::op::{self, change, permission};
use crate::report::Report;
use crate::response;

/// 500 without a cause: the log has it, under the same id.
pub(super) fn internal() -> Problem {
    let detail = "Nothing was done. Whoever runs this server finds the cause in its log, under \
        the id in `requestId`.";
    Problem::new(Kind::Internal, detail)
}

/// 500 of a disk or a database that failed. A write that failed at its very last step can still
/// come to light after a crash, so nothing is promised about it.
fn broken(safe: bool) -> Problem {
    if safe {
        return internal();
    }
    let detail = "The write failed. Repeat it with the same Idempotency-Key; without one, look \
        first whether it is there. Whoever runs this server finds the cause in its log, under \
        the id in `requestId`.";
    Problem::new(Kind::Internal, detail)
}

/// What a panic said.
pub(super) fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

/// 428, with what to send.
pub(super) fn precondition_required(exists: bool) -> Problem {
    let detail = if exists {
        "This resource is changed under a condition only. GET the record, and send its ETag in \
            If-Match."
    } else {
        "This resource is changed under a condition only. To create the record, send \
            If-None-Match: *."
    };
    Problem::new(Kind::PreconditionRequired, detail)
}

/// An error of the store as a problem of a write, or of the operation of a batch that met it.
pub(super) fn of_write(error: Error, call: &Call, report: &mut Report) -> Problem {
    // The first step of a batch is none of its operations.
    let number = error.step().and_then(|step| step.checked_sub(1));
    let met = |number: usize| Some((number, call.batch()?.operations.get(number)?));
    match number.and_then(met) {
        Some((number, operation)) => {
            let problem = of_store(error, &operation.call, report);
            batch::blame(number, &call.model, &operation.call.routed, problem)
        }
        None => of_store(error, call, report),
    }
}

/// An error of the store as a problem.
pub(super) fn of_store(error: Error, call: &Call, report: &mut Report) -> Problem {
    let soon =
        |problem: Problem| problem.with_field(header::RETRY_AFTER, HeaderValue::from_static("1"));
    match error {
        Error::Taken { resource, fields, .. } => taken(call, resource, &fields),
        Error::Dangling { .. } => dangling(call),
        Error::TooDeep { .. } => op::delete::too_deep(call),
        Error::Rows { refused, .. } => rows(call, &refused),
        Error::Moved { .. } => soon(Problem::new(
            Kind::Unavailable,
            "The record was changed by somebody else at the same moment. Nothing was done; send \
                the request again.",
        )),
        Error::TooManyKeys => {
            let problem = Problem::new(
                Kind::TooManyKeys,
                "Too many Idempotency-Keys are remembered. Nothing was done.",
            );
            problem.with_field(header::RETRY_AFTER, HeaderValue::from_static("3600"))
        }
        Error::Full => {
            Problem::new(Kind::StorageFull, "The server's disk is full. Nothing was done.")
        }
        Error::Busy(why) => {
            report.cause = Some(why.to_owned());
            soon(Problem::new(Kind::Unavailable, "The database is busy. Nothing was done."))
        }
        Error::TooSlow { index } => soon(Problem::new(
            Kind::TooSlow,
            match index {
                Some(index) => format!(
                    "The query was stopped at its deadline: no index serves it. Declare {index}."
                ),
                None => "The query was stopped at its deadline: it passes over too many records, \
                    and no index can change that. Filter further, or leave the total out with \
                    count=none."
                    .to_owned(),
            },
        )),
        Error::Broken(cause) => {
            report.cause = Some(cause);
            broken(call.routed.row.reads())
        }
    }
}

fn taken(call: &Call, resource: usize, fields: &[usize]) -> Problem {
    let resource = &call.model.resources[resource];
    if fields.iter().any(|field| permission::is_hidden(&resource.fields[*field])) {
        let detail = format!("A value is taken by another record of {}.", resource.name);
        return Problem::new(Kind::Conflict, detail);
    }
    // Nobody may be here yet, and there is somebody whom the client does not see.
    if fields.is_empty() && call.conditions.if_none_match == Some(Tags::Any) {
        return response::precondition_failed("If-None-Match");
    }
    let names: Vec<_> = fields.iter().map(|field| resource.fields[*field].name.as_str()).collect();
    let (detail, names) = if names.is_empty() {
        (format!("A record of {} with this id is there already.", resource.name), vec!["id"])
    } else {
        (format!("Another record of {} has this {}.", resource.name, names.join(" and ")), names)
    };
    let at = |name: &&str| Violation::at(format!("/{name}"), is_taken(&names, name));
    let errors = names.iter().map(at).collect();
    Problem::new(Kind::Conflict, detail).with_errors(errors)
}

/// 403 where a row may not be, 422 where one refers to nothing, otherwise 409: the order in which
/// one record is judged.
fn rows(call: &Call, refused: &[RefusedRow]) -> Problem {
    let (index, resource) = call.resource();
    let has_lines = match &call.content {
        Content::Rows(Ok(rows)) => rows.form != Form::Array,
        _ => false,
    };
    let mut errors = Vec::new();
    for RefusedRow { row, line, why } in refused {
        let line = if has_lines { format!("line {line}: ") } else { String::new() };
        let mut tell = |name: &str, detail: &str| {
            let of = if name.is_empty() { String::new() } else { format!("/{name}") };
            errors.push(Violation::at(format!("/{row}{of}"), format!("{line}{detail}")));
        };
        match why {
            Refusal::Forbidden => tell("", "is none that you may create"),
            Refusal::Taken(fields)
                if fields.iter().any(|it| permission::is_hidden(&resource.fields[*it])) =>
            {
                tell("", "has a value that is taken");
            }
            Refusal::Taken(fields) => {
                let names = fields.iter().map(|field| resource.fields[*field].name.as_str());
                let names: Vec<&str> = names.collect();
                for name in if names.is_empty() { &["id"] } else { names.as_slice() } {
                    tell(name, &(is_taken(&names, name) + BY));
                }
            }
            Refusal::Dangling(fields) => {
                for field in fields.iter().map(|field| &resource.fields[*field]) {
                    let to = field.references.map_or(index, |to| to.resource);
                    let above = if to == index { ", and no row above has it" } else { "" };
                    tell(&field.name, &(change::no_record(&call.model, to) + above));
                }
            }
        }
    }
    let has = |is_one: fn(&Refusal) -> bool| refused.iter().any(|row| is_one(&row.why));
    let (kind, why) = if has(|why| matches!(why, Refusal::Forbidden)) {
        (Kind::Forbidden, "are none that you may create, or cannot be")
    } else if has(|why| matches!(why, Refusal::Dangling(_))) {
        (Kind::Invalid, "name records that are not there, or hold values that are taken")
    } else {
        (Kind::Conflict, "hold values that are taken")
    };
    let detail =
        format!("Rows {why}; `errors` names each by its number, from 0. Nothing was created.");
    let more = " More than these may be at fault.";
    let more = if refused.len() < FAULTY_ROWS_MAX { "" } else { more };
    Problem::new(kind, format!("{detail}{more}")).with_errors(errors)
}

/// What is said of one of the fields whose values are taken: alone, it may well be free.
fn is_taken(names: &[&str], name: &str) -> String {
    let others: Vec<&str> = names.iter().copied().filter(|other| *other != name).collect();
    match others[..] {
        [] => "is taken".to_owned(),
        _ => format!("is taken together with this {}", others.join(" and ")),
    }
}

const BY: &str = ", by a record that is there or by a row above";

fn dangling(call: &Call) -> Problem {
    if call.routed.row.operation == Operation::Delete {
        let detail = "Other records refer to this one, or to one that would go with it. Nothing \
            was deleted.";
        return Problem::new(Kind::StillReferenced, detail);
    }
    Problem::new(Kind::Conflict, "A record that this one refers to has gone. Nothing was done.")
}
