//! The records of a fresh database, from NDJSON files: one JSON object a line.

use std::collections::{HashMap, HashSet};

use model::fold;
use model::json;
use model::model::{FieldIndex, Model, Resource, ResourceIndex};
use model::record::{self, Purpose, Record};
use model::value::{Id, Timestamp, Value};

use store::transfer::Row;

use crate::transfer;

/// A file of records of one resource.
pub struct File {
    /// The resource.
    pub resource: ResourceIndex,
    /// Its text.
    pub text: String,
    /// What people call it in complaints.
    pub name: String,
}

/// Faults that are told at once; whoever has more begins with these.
const FAULTS_MAX: usize = 20;

/// Reads every file; each line is checked as a POST would be, and may name its id. Values that are
/// to be unique and references are checked among the files, before any database is there.
///
/// # Errors
/// The faulty lines, each by file and line, one below the other.
pub fn read(
    model: &Model,
    files: &[File],
    now: Timestamp,
) -> Result<Vec<(ResourceIndex, Record)>, String> {
    let mut records = Vec::new();
    let mut places = Vec::new();
    let mut faults = Vec::new();
    let mut last: HashMap<ResourceIndex, i64> = HashMap::new();
    for file in files {
        let resource = &model.resources[file.resource];
        let lines = file.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (number, line) in lines {
            let place = format!("{}:{}", file.name, number + 1);
            let last = last.entry(file.resource).or_default();
            match read_line(model, resource, line, now, last) {
                Ok(record) => {
                    records.push((file.resource, record));
                    places.push(place);
                }
                Err(fault) => faults.push(format!("{place}: {fault}")),
            }
        }
    }
    // A line that is missing would be missed by those that refer to it.
    if faults.is_empty() {
        rivals(model, &records, &places, &mut faults);
        dangling(model, &records, &places, &mut faults);
    }
    if faults.is_empty() {
        return Ok(records);
    }
    let more = faults.len().saturating_sub(FAULTS_MAX);
    faults.truncate(FAULTS_MAX);
    if more > 0 {
        faults.push(format!("and {more} more"));
    }
    Err(faults.join("\n"))
}

/// Finds records with the same id, or the same value where it is to be unique.
fn rivals(
    model: &Model,
    records: &[(ResourceIndex, Record)],
    places: &[String],
    faults: &mut Vec<String>,
) {
    let mut taken: HashMap<(ResourceIndex, Vec<FieldIndex>, String), usize> = HashMap::new();
    for (at, (index, record)) in records.iter().enumerate() {
        let resource = &model.resources[*index];
        let alone = resource.fields.iter().enumerate().filter(|(_, field)| field.unique);
        let groups = alone.map(|(field, _)| vec![field]).chain(resource.unique.iter().cloned());
        for group in std::iter::once(Vec::new()).chain(groups) {
            let Some(key) = key(resource, record, &group) else { continue };
            let first = *taken.entry((*index, group.clone(), key)).or_insert(at);
            if first != at {
                let names = group.iter().map(|field| resource.fields[*field].name.as_str());
                let names = names.collect::<Vec<_>>().join(" and ");
                let what = if group.is_empty() { "id" } else { &names };
                let (here, there) = (&places[at], &places[first]);
                faults.push(format!("{here}: {there} has the same {what} already"));
            }
        }
    }
}

/// What must differ; without fields the id. None where a value is absent: that is no rival.
fn key(resource: &Resource, record: &Record, group: &[FieldIndex]) -> Option<String> {
    if group.is_empty() {
        return Some(record.id.to_string());
    }
    let mut key = String::new();
    for field in group {
        let value = match record.values[*field].as_ref()? {
            Value::Null => return None,
            Value::Text(text) if resource.fields[*field].ignore_case => {
                Value::Text(fold::fold(text))
            }
            value => value.clone(),
        };
        key.push_str(&format!("{value:?} "));
    }
    Some(key)
}

/// Finds references that name no record of the seed.
fn dangling(
    model: &Model,
    records: &[(ResourceIndex, Record)],
    places: &[String],
    faults: &mut Vec<String>,
) {
    let known: HashSet<(ResourceIndex, String)> =
        records.iter().map(|(index, record)| (*index, record.id.to_string())).collect();
    for ((index, record), place) in records.iter().zip(places) {
        for (field, value) in model.resources[*index].fields.iter().zip(&record.values) {
            let Some(reference) = field.references else { continue };
            let named = match value {
                Some(Value::Integer(id)) => id.to_string(),
                Some(Value::Text(id)) => id.clone(),
                _ => continue,
            };
            let to = &model.resources[reference.resource].name;
            if !known.contains(&(reference.resource, named.clone())) {
                let name = &field.name;
                faults.push(format!("{place}: /{name}: names {to} {named}, which is not there"));
            }
        }
    }
}

fn read_line(
    model: &Model,
    resource: &Resource,
    line: &str,
    now: Timestamp,
    last: &mut i64,
) -> Result<Record, String> {
    let document = json::parse(line.as_bytes())
        .map_err(|fault| format!("column {}: {}", fault.column, fault.detail))?;
    let draft = record::read(model, resource, &document, Purpose::Seed).map_err(|rejection| {
        let faults: Vec<_> = rejection
            .violations
            .iter()
            .map(|violation| match &violation.place {
                contract::problem::Place::Pointer(pointer) if !pointer.is_empty() => {
                    format!("{pointer}: {}", violation.detail)
                }
                contract::problem::Place::Pointer(_)
                | contract::problem::Place::Parameter(_)
                | contract::problem::Place::Field(_) => violation.detail.clone(),
            })
            .collect();
        faults.join("; ")
    })?;
    let next = Id::Integer(*last + 1);
    let Row { record, has_id, .. } = transfer::row(resource, 0, draft, now);
    let id = if has_id { record.id } else { next };
    if let Id::Integer(id) = id {
        *last = id.max(*last);
    }
    Ok(Record { id, ..record })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{File, read};
    use model::value::Timestamp;

    const DECLARATION: &str = "[resources.teams]\n\
        fields.name = { type = \"string\", unique = true, ignoreCase = true, optional = true }\n\
        [resources.players]\nunique = [[\"team\", \"number\"]]\n\
        fields.team = { references = \"teams\", optional = true }\n\
        fields.number = { type = \"integer\" }\n";

    fn told(teams: &str, players: &str) -> Result<usize, String> {
        let model = model::declaration::read(DECLARATION).model.unwrap();
        let file = |resource, name: &str, text: &str| File {
            resource,
            text: text.to_owned(),
            name: name.to_owned(),
        };
        let files = [file(0, "teams.ndjson", teams), file(1, "players.ndjson", players)];
        read(&model, &files, Timestamp(0)).map(|records| records.len())
    }

    #[test]
    fn every_faulty_line_is_named() {
        let fault = told("{\"name\":1}\n[]\n\n{\"nmae\":\"A\"\n", "{}\n").unwrap_err();
        let lines: Vec<&str> = fault.lines().collect();
        assert_eq!(lines.len(), 4, "{fault}");
        assert!(lines[0].starts_with("teams.ndjson:1: /name: "), "{fault}");
        assert!(lines[1].starts_with("teams.ndjson:2: must be an object"), "{fault}");
        assert!(lines[2].starts_with("teams.ndjson:4: column "), "{fault}");
        assert!(lines[3].starts_with("players.ndjson:1: /number: "), "{fault}");
        let fault = told(&"{\"name\":1}\n".repeat(30), "").unwrap_err();
        assert!(fault.ends_with("\nand 10 more"), "{fault}");
    }

    #[test]
    fn rivals_and_missing_records_are_found_by_line() {
        let fault = |teams, players| told(teams, players).unwrap_err();
        let teams = "{\"id\":1,\"name\":\"\u{c4}\"}\n{\"id\":2,\"name\":\"\u{e4}\"}\n";
        let said = "teams.ndjson:2: teams.ndjson:1 has the same name already";
        assert_eq!(fault(teams, ""), said);
        let said = "teams.ndjson:2: teams.ndjson:1 has the same id already";
        assert_eq!(fault("{\"id\":7}\n{\"id\":7}\n", ""), said);
        let player = "{\"team\":1,\"number\":9}\n";
        let said = "players.ndjson:2: players.ndjson:1 has the same team and number already";
        let twice = player.repeat(2);
        assert_eq!(fault("{}\n", &twice), said);
        let said = "players.ndjson:1: /team: names teams 1, which is not there";
        assert_eq!(fault("", player), said);
        // What is absent is no rival, and a reference may point forwards.
        assert_eq!(told("{}\n{}\n", "{\"number\":9}\n{\"number\":9}\n"), Ok(4));
    }
}
