//! The operations of a batch, each read as a request of its own before the store is met. All that
//! cannot be right is told at once.

use contract::media_type::MediaType;
use contract::negotiate::Coding;
use contract::problem::{Kind, Problem, Violation};
use contract::table::{self, Row};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use model::batch::{self, Reference, each, fill, pointer};
use model::model::Resource;
use serde_json::Value;

use super::{
    Sent, accept_content, bind, body, demands_key, name_content, parameters, passwords,
    read_conditions, understood,
};
use crate::Inner;
use crate::admit;
use crate::batch::{Batch, Open, Operation, accuse, blame, invalid, together};
use crate::call::Call;
use crate::password::Hashes;
use crate::report::Report;
use crate::route::{self, Asked, Routed};

/// The media type of a body that names none.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What the server keeps of each record.
const KEPT: [&str; 3] = ["id", "createdAt", "updatedAt"];

/// What is known of an operation while those after it are read: none of one that is wrong itself.
type Known<'a> = Option<(&'static Row, &'a Resource)>;

/// Reads a batch.
///
/// # Errors
/// Everything that no record could make right, with the status of the first operation that has
/// such a fault; 429 while too many passwords wait or are set.
pub(super) async fn read(inner: &Inner, outer: &Call, document: Value) -> Result<Batch, Problem> {
    let reading = batch::read(document, inner.settings.batch_operations_max);
    let mut failures = Vec::new();
    if !reading.faults.is_empty() {
        let detail = "The batch is not a list of operations; `errors` says what is missing.";
        failures.push(Problem::new(Kind::Invalid, detail).with_errors(reading.faults));
    }
    let mut operations = Vec::with_capacity(reading.operations.len());
    let mut known: Vec<Known<'_>> = Vec::with_capacity(reading.operations.len());
    for (number, read) in reading.operations.into_iter().enumerate() {
        let read = read.map_err(|faults| accuse(number, "", invalid(faults)));
        match read.and_then(|read| operation(inner, outer, number, read, &known)) {
            Ok(operation) => {
                let resource = &outer.model.resources[operation.call.resource().0];
                known.push(Some((operation.call.routed.row, resource)));
                operations.push(operation);
            }
            Err(problem) => {
                known.push(None);
                failures.push(problem);
            }
        }
    }
    if let Some(problem) = together(failures) {
        return Err(problem);
    }
    for operation in &mut operations {
        let unescaped = operation.open.is_some().then(|| bind::unescaped(&operation.call));
        let passwords = passwords::passwords(unescaped.as_ref().unwrap_or(&operation.call));
        operation.call.hashes = Hashes::make(inner, &outer.admitted, passwords).await?;
    }
    Ok(Batch { operations })
}

/// 400 where an operation creates what has to be created once, and the batch has no key.
pub(super) fn require_key(call: &Call) -> Result<(), Problem> {
    let Some(batch) = call.batch().filter(|_| call.key.is_none()) else { return Ok(()) };
    let demands = |operation: &Operation| demands_key(&call.model, &operation.call.routed);
    match batch.operations.iter().position(demands) {
        None => Ok(()),
        Some(number) => {
            let detail = "Its resource is created exactly once: send Idempotency-Key with the \
                          batch, a fresh UUID, and the same one with every retry.";
            let problem = Problem::new(Kind::KeyRequired, detail);
            Err(blame(number, &call.model, &batch.operations[number].call.routed, problem))
        }
    }
}

/// Why a reference leads nowhere, as far as that can be known before anything is done.
fn unfounded(reference: Reference<'_>, known: &[Known<'_>]) -> Option<String> {
    let Reference { number, .. } = reference;
    let before = known.len();
    if number > before {
        return Some(match before {
            0 => "refers to another operation, and none is before the first".to_owned(),
            _ => format!("refers to operation {number}, and only $1 to ${before} are before this"),
        });
    }
    let (row, resource) = known.get(number - 1).copied().flatten()?;
    if row.operation == table::Operation::Delete {
        return Some(format!("operation {number} leaves no record that could be referred to"));
    }
    let member = reference.member();
    let visible = resource.fields.iter().filter(|field| field.visible());
    let names = || visible.clone().map(|field| field.name.as_str()).chain(KEPT);
    if names().any(|name| name == member) {
        return None;
    }
    let near = model::suggest::nearest(member, names());
    let hint =
        near.map_or_else(String::new, |near| format!("; did you mean \"${number}.{near}\"?"));
    let text = format!("operation {number} shows no such member of {}{hint}", resource.name);
    Some(text)
}

/// An operation as a request, as far as that goes before the others are done.
fn operation(
    inner: &Inner,
    outer: &Call,
    number: usize,
    read: batch::Operation,
    known: &[Known<'_>],
) -> Result<Operation, Problem> {
    let (routed, path) = to_records(inner, number, &read, known)?;
    let named = routed.clone();
    let (body, headers) = (read.body, fields(&routed, read.headers));
    let read = admit::permit(&outer.admitted, routed.row.operation, routed.resource)
        .and_then(|()| shell(inner, outer, routed, &headers))
        .and_then(|(call, essence)| with_content(call, Open { path, essence }, body, known));
    read.map_err(|problem| blame(number, &inner.model, &named, problem))
}

/// Where an operation goes, and its path where a reference stands in it: any id stands in then.
fn to_records(
    inner: &Inner,
    number: usize,
    read: &batch::Operation,
    known: &[Known<'_>],
) -> Result<(Routed, Option<String>), Problem> {
    let place = format!("{}/path", pointer(number));
    let (path, query) = bind::split(&read.path);
    let segment = path.rsplit_once('/').map_or(path, |(_, segment)| segment);
    let reference = Reference::read(segment);
    let any = reference.and_then(|_| route::with_any_id(&inner.model, path));
    let method = table::nature(read.method).name;
    let asked = Asked { method, path: any.as_deref().unwrap_or(path), query };
    let refused = |mut problem: Problem| {
        problem.errors = vec![Violation::at(place.clone(), problem.detail.clone())];
        accuse(number, "", problem)
    };
    if read.path.len() > inner.settings.target_bytes_max {
        let detail = format!("A path has at most {} bytes.", inner.settings.target_bytes_max);
        return Err(refused(Problem::new(Kind::TargetTooLong, detail)));
    }
    let routed = route::route(&inner.model, &asked, &mut Report::default()).map_err(&refused)?;
    if !routed.row.target.holds_records() {
        let detail = "A batch changes records: send this as a request of its own.";
        return Err(refused(Problem::new(Kind::Invalid, detail)));
    }
    if let Some(fault) = reference.and_then(|reference| unfounded(reference, known)) {
        return Err(accuse(number, "", invalid(vec![Violation::at(place.clone(), fault)])));
    }
    Ok((routed, any.map(|_| read.path.clone())))
}

/// The header fields of an operation. JSON is what a body is where nothing is said.
fn fields(routed: &Routed, read: Vec<(&'static str, String)>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(read.len() + 1);
    for (name, value) in read {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    if routed.nature.content == table::Content::Required {
        headers.entry(header::CONTENT_TYPE).or_insert(JSON);
    }
    headers
}

/// An operation without its content, and the media type of that.
fn shell(
    inner: &Inner,
    outer: &Call,
    routed: Routed,
    headers: &HeaderMap,
) -> Result<(Call, String), Problem> {
    refuse_other_than_json(&routed, headers)?;
    let media_type =
        accept_content(&routed, headers, name_content(&routed, headers), Sent::Something)?;
    let essence = media_type.map_or_else(String::new, |media_type| media_type.essence);
    let conditions = read_conditions(&routed, headers)?;
    let parameters = parameters::read(inner, &outer.admitted, &routed, &mut Report::default())?;
    let offered = (routed.row.offers.first().copied().unwrap_or_default(), Coding::Identity);
    let who = (routed, outer.admitted.clone());
    let call = understood(inner, who, headers, offered, conditions, parameters, outer.now);
    Ok((call, essence))
}

/// 415 for what the row takes otherwise, such as a form: inside JSON there is JSON.
fn refuse_other_than_json(routed: &Routed, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(media_type) = MediaType::read(headers)? else { return Ok(()) };
    let is_json = |essence: &str| essence == "application/json" || essence.ends_with("+json");
    let accepts = routed.row.accepts.iter().copied().filter(|essence| is_json(essence));
    let accepts = accepts.collect::<Vec<_>>();
    let are_all = accepts.len() == routed.row.accepts.len();
    if are_all || accepts.contains(&media_type.essence.as_str()) {
        return Ok(());
    }
    let accepts = accepts.join(", ");
    let detail = format!(
        "{} cannot stand in a batch, where every body is JSON. It takes {accepts}.",
        media_type.essence
    );
    let problem = Problem::new(Kind::UnsupportedMediaType, detail);
    // Media types of the table are field values.
    let accept = HeaderValue::try_from(accepts).unwrap_or(JSON);
    Err(problem.with_field(header::ACCEPT, accept))
}

/// Reads the content of an operation, unless it has to wait for what others come to.
fn with_content(
    mut call: Call,
    open: Open,
    body: Option<Value>,
    known: &[Known<'_>],
) -> Result<Operation, Problem> {
    let Some(mut document) = body else {
        return Ok(Operation { call, open: open.path.is_some().then_some(open) });
    };
    let mut faults = Vec::new();
    let mut refers = false;
    each(&document, &mut String::new(), &mut |at, reference| {
        refers = true;
        if at.is_empty() {
            faults.push(Violation::at(at, "is one reference: write it out, member by member"));
        } else if faults.len() < batch::VIOLATIONS_MAX
            && let Some(fault) = unfounded(reference, known)
        {
            faults.push(Violation::at(at, fault));
        }
    });
    let is_list = document.is_array();
    if is_list && open.essence != "application/json-patch+json" {
        let detail = "must be one record: give each its own operation";
        faults.push(Violation::at("", detail));
    }
    if !faults.is_empty() {
        let detail = "The body is not what an operation can have; `errors` says where.";
        return Err(Problem::new(Kind::Invalid, detail).with_errors(faults));
    }
    if refers || open.path.is_some() {
        call.content = body::as_sent(&call, &open.essence, document);
        if passwords::passwords(&call).into_iter().any(|text| Reference::read(text).is_some()) {
            let detail = "A password is not taken from another operation: send it as it is.";
            return Err(Problem::new(Kind::Invalid, detail));
        }
        return Ok(Operation { call, open: Some(open) });
    }
    fill(&mut document, &mut String::new(), &mut |_, _| None);
    call.content = body::content(&call, &open.essence, document);
    Ok(Operation { call, open: None })
}
