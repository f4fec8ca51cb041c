//! `application/problem+json` (RFC 9457).

use contract::problem::{Place, Problem, Violation};
use serde_json::{Map, Value, json};

use crate::report::RequestId;

/// The media type of problems.
pub(crate) const MEDIA: &str = "application/problem+json";

/// The content of a problem. Faults of the server carry the id that the log has too.
pub(crate) fn render(problem: &Problem, id: Option<&RequestId>) -> Vec<u8> {
    let entry = problem.kind.entry();
    let mut members = Map::new();
    members.insert("type".to_owned(), format!("/problems/{}", entry.slug).into());
    members.insert("title".to_owned(), entry.title.into());
    members.insert("status".to_owned(), entry.status.into());
    members.insert("detail".to_owned(), problem.detail.clone().into());
    members.insert("remedy".to_owned(), entry.remedy.into());
    if !problem.errors.is_empty() {
        members.insert("errors".to_owned(), problem.errors.iter().map(violation).collect());
    }
    if let Some(id) = id.filter(|_| entry.status >= 500) {
        members.insert("requestId".to_owned(), id.0.clone().into());
    }
    Value::Object(members).to_string().into_bytes()
}

fn violation(violation: &Violation) -> Value {
    let (name, place) = match &violation.place {
        Place::Pointer(pointer) => ("pointer", pointer.as_str()),
        Place::Parameter(parameter) => ("parameter", parameter.as_str()),
        Place::Field(field) => ("field", *field),
    };
    json!({ name: place, "detail": violation.detail })
}
