//! What is wrong with a row, in words, and which resource it is of.

use contract::problem::Violation;
use model::model::{Model, ResourceIndex};
use model::record::whole;
use serde_json::Value as Json;
use store::transfer::{Fate, Row};

use super::content::Part;
use super::faults::Fault;
use super::waiting::{Name, Origin};

/// What was said of a row that was not taken.
pub(super) struct Refusal {
    /// The row.
    pub(super) number: u64,
    /// True where it was remembered as one that waits.
    pub(super) has_waited: bool,
    /// What is written of it.
    pub(super) fault: Fault,
}

/// A row that can be written.
pub(super) struct Taken {
    pub(super) origin: Origin,
    pub(super) has_waited: bool,
    pub(super) document: Json,
    pub(super) row: Row,
}

impl Taken {
    /// Its name, where it brings one.
    pub(super) fn name(&self) -> Option<Name> {
        self.row.has_id.then(|| (self.row.resource, self.row.record.id.clone()))
    }
}

/// Knows what is declared and where rows come from.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) model: &'a Model,
    pub(super) parts: &'a [Part],
}

const TAKEN: &str = "is taken, by a record that is there or by a row above";

impl Judge<'_> {
    /// The resource of a row: that of its file, or the one that it names.
    pub(super) fn resource(
        self,
        part: usize,
        document: &Json,
    ) -> Result<ResourceIndex, Vec<Violation>> {
        let of_part = self.parts[part].resource;
        let fault = |detail: String| vec![Violation::at(format!("/{}", whole::RESOURCE), detail)];
        let Some(named) = document.get(whole::RESOURCE) else {
            return of_part.ok_or_else(|| {
                fault("is missing: name the resource before the file, or in each row".to_owned())
            });
        };
        let resources = &self.model.resources;
        let found = resources.iter().position(|resource| *named == resource.name.as_str());
        match (found, of_part) {
            (None, _) => Err(fault("is no resource".to_owned())),
            (Some(found), Some(part)) if found != part => {
                Err(fault(format!("is not {}", resources[part].name)))
            }
            (Some(found), _) => Ok(found),
        }
    }

    /// A row that is refused for these faults.
    pub(super) fn refusal(
        self,
        origin: Origin,
        has_waited: bool,
        (resource, document): (Option<ResourceIndex>, Option<Json>),
        errors: Vec<Violation>,
    ) -> Refusal {
        let part = &self.parts[origin.part];
        // A row that names another resource than its file goes on naming it.
        let named = document.as_ref().and_then(|document| document.get(whole::RESOURCE));
        let resource = resource.or(part.resource.filter(|_| named.is_none()));
        let fault = Fault {
            file: part.name.clone(),
            line: origin.line,
            resource: resource.map(|index| self.model.resources[index].name.clone()),
            document,
            errors,
        };
        Refusal { number: origin.number, has_waited, fault }
    }

    /// A row that the tables do not take; `None` where they do, or may yet.
    pub(super) fn by_fate(self, taken: &Taken, fate: &Fate) -> Option<Refusal> {
        match fate {
            Fate::Created | Fate::Missing(_) => None,
            Fate::Taken(_) | Fate::Unfit(_) => {
                let resource = taken.origin.resource;
                let errors = self.errors(resource, fate);
                let about = (Some(resource), Some(taken.document.clone()));
                Some(self.refusal(taken.origin, taken.has_waited, about, errors))
            }
        }
    }

    /// What a fate says, with pointers.
    pub(super) fn errors(self, resource: ResourceIndex, fate: &Fate) -> Vec<Violation> {
        let fields = &self.model.resources[resource].fields;
        match fate {
            Fate::Created => Vec::new(),
            Fate::Taken(taken) if taken.is_empty() => vec![Violation::at("/id", TAKEN)],
            Fate::Taken(taken) => {
                let at = |index: &usize| Violation::at(format!("/{}", fields[*index].name), TAKEN);
                taken.iter().map(at).collect()
            }
            Fate::Missing(missing) => {
                let told = missing.iter().map(|(field, to, id)| {
                    let to = &self.model.resources[*to].name;
                    let pointer = format!("/{}", fields[*field].name);
                    Violation::at(pointer, format!("names {to} {id}, which is not there"))
                });
                told.collect()
            }
            Fate::Unfit(why) => vec![Violation::at("", why.clone())],
        }
    }
}
