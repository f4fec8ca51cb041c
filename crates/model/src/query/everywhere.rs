//! A search over every resource that has something to search: what, and which page of it.

use contract::problem::{Place, Violation};
use form_urlencoded::Serializer;
use serde_json::Value as Json;

use super::read::{Read, Rejection, is_ignored};
use super::term::{Term, whole};
use crate::model::Model;
use crate::search::Terms;
use crate::setting::Settings;
use crate::{json, suggest};

/// The parameters that there are; with `resource`, all those of its list besides.
const WORDS: [&str; 6] = ["q", "query", "page", "limit", "highlight", "resource"];

/// A search over every resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Everywhere {
    /// What is searched for.
    pub terms: Terms,
    /// Which page of what is found, from 1.
    pub page: u32,
    /// How many results a page.
    pub limit: u32,
    /// Where in the searched fields is what was searched for.
    pub highlight: bool,
}

impl Everywhere {
    /// The same search, on another page, as the content of a URL after `?`.
    #[must_use]
    pub fn canonical(&self, page: u32) -> String {
        let mut out = Serializer::new(String::new());
        out.append_pair("q", &self.terms.text());
        if self.highlight {
            out.append_pair("highlight", "true");
        }
        out.append_pair("page", &page.to_string());
        out.append_pair("limit", &self.limit.to_string());
        out.finish()
    }

    /// How many results reach to the end of a page.
    #[must_use]
    pub fn reach(&self, page: u32) -> u64 {
        u64::from(page) * u64::from(self.limit)
    }
}

/// Reads the parameters of a URL, or the pairs of a form.
///
/// # Errors
/// All faults at once, with a listing of the parameters where one was unknown.
pub fn read_everywhere(
    model: &Model,
    pairs: &[(String, String)],
    settings: &Settings,
) -> Result<Read<Everywhere>, Rejection> {
    let mut reader = Reader::new(settings);
    for (name, text) in pairs {
        if WORDS.contains(&name.as_str()) || !is_ignored(model, name) {
            reader.parameter(name, Term::Text(text), Place::Parameter(suggest::shown(name)));
        }
    }
    reader.finish(Place::Parameter("q".to_owned()), Place::Parameter("page".to_owned()))
}

/// Reads the content of a QUERY or a POST as JSON: an object with the same names.
///
/// # Errors
/// As `read_everywhere`, with JSON Pointers.
pub fn read_everywhere_json(
    content: &Json,
    settings: &Settings,
) -> Result<Read<Everywhere>, Rejection> {
    let mut reader = Reader::new(settings);
    match content {
        Json::Object(members) => {
            for (name, value) in members {
                let place = Place::Pointer(format!("/{}", json::escape(name)));
                reader.parameter(name, Term::Json(value), place);
            }
        }
        _ => {
            let detail = "must be an object with parameters as members".to_owned();
            reader.faults.push(Violation { place: Place::Pointer(String::new()), detail });
        }
    }
    reader.finish(Place::Pointer("/q".to_owned()), Place::Pointer("/page".to_owned()))
}

struct Reader<'s> {
    settings: &'s Settings,
    terms: Option<Terms>,
    search: Everywhere,
    known: Vec<String>,
    unknown: bool,
    faults: Vec<Violation>,
}

impl<'s> Reader<'s> {
    fn new(settings: &'s Settings) -> Self {
        let limit = settings.page_rows_default.min(settings.page_rows_max);
        let search = Everywhere { terms: Terms::default(), page: 1, limit, highlight: false };
        Self {
            settings,
            terms: None,
            search,
            known: Vec::new(),
            unknown: false,
            faults: Vec::new(),
        }
    }

    fn parameter(&mut self, name: &str, term: Term<'_>, place: Place) {
        if self.faults.len() >= crate::schema::VIOLATIONS_MAX {
            return;
        }
        if !WORDS.contains(&name) {
            self.unknown = true;
            let hint = suggest::hint(name, WORDS);
            let detail = format!(
                "is not a parameter of a search over all resources{hint}; with `resource` it may \
                 be one of that resource's list"
            );
            self.faults.push(Violation { place, detail });
            return;
        }
        if self.known.iter().any(|known| known == name) {
            self.unknown = true;
            self.faults.push(Violation { place, detail: "is there more than once".to_owned() });
            return;
        }
        self.known.push(name.to_owned());
        if let Err(detail) = self.word(name, term) {
            self.faults.push(Violation { place, detail });
        }
    }

    fn word(&mut self, word: &str, term: Term<'_>) -> Result<(), String> {
        match word {
            "q" | "query" => {
                if self.terms.is_some() {
                    return Err("means the same as the other one: leave out q or query".to_owned());
                }
                let text = term.text().ok_or("must be a string")?;
                self.terms = Some(Terms::read(text)?);
            }
            "page" => {
                self.search.page = whole(term, u32::MAX, "must be a whole number from 1")?;
            }
            "limit" => {
                let most = self.settings.page_rows_max;
                let expected = format!("must be a whole number from 1 to {most}");
                self.search.limit = whole(term, most, &expected)?;
            }
            "highlight" => {
                self.search.highlight = term.boolean().ok_or("must be true or false")?;
            }
            _ => return Err("must be the name of a resource".to_owned()),
        }
        Ok(())
    }

    fn finish(mut self, q: Place, page: Place) -> Result<Read<Everywhere>, Rejection> {
        let most = self.settings.search_rows_max;
        match self.terms.take() {
            Some(terms) => self.search.terms = terms,
            None if self.faults.is_empty() => {
                let detail = "is missing: it says what to search for".to_owned();
                self.faults.push(Violation { place: q, detail });
            }
            None => {}
        }
        if self.search.reach(self.search.page) > most.max(u64::from(self.search.limit)) {
            let detail = format!(
                "reaches beyond {most} results; search for more words, or in one resource: add \
                 resource"
            );
            self.faults.push(Violation { place: page, detail });
        }
        if !self.faults.is_empty() {
            let detail = if self.unknown {
                format!("Known parameters: {}.", WORDS.join(", "))
            } else {
                "A parameter has a value that does not fit.".to_owned()
            };
            let (unknown, violations, known) = (self.unknown, self.faults, self.known);
            return Err(Rejection { unknown, detail, violations, known });
        }
        Ok(Read { query: self.search, known: self.known })
    }
}
