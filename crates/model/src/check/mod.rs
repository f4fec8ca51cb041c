//! From the declaration as written to the Model: every complaint at once, each with its place
//! and what to write instead. Nothing stops at the first fault, so each reader gives back
//! something to go on with, and an error among the complaints means that it is thrown away.

mod access;
mod cache;
mod field;
mod group;
mod index;
mod issuer;
mod keyword;
mod kind;
mod open;
mod origin;
mod path;
mod place;
mod reach;
mod relation;
mod resource;
mod role;
mod signin;
mod top;

use crate::access::Narrowed;
use crate::complaint::{Complaint, Level, Span};
use crate::model::Model;
use crate::source::{Entry, Node, Table, Written};
use crate::suggest;

pub(crate) use keyword::ANNOTATIONS;
pub(crate) use place::{is_field_name as is_field, is_resource_name as is_resource};
pub(crate) use top::PARAMETERS;
#[cfg(test)]
pub(crate) use {keyword::known as field_keys, resource::RESOURCE_KEYS, top::TOP_KEYS};

/// A setting as written: key, value, place.
pub(crate) type Setting = (String, String, Span);

/// Checks a whole declaration.
pub(crate) fn declaration(
    root: &Table,
    complaints: &mut Vec<Complaint>,
) -> (Option<Model>, Vec<Setting>) {
    let mut check = Check { complaints: std::mem::take(complaints) };
    let settings = top::settings(&mut check, root);
    let top = top::read(&mut check, root);
    let places = place::all(&mut check, root);
    let resources = places.iter().map(|at| resource::read(&mut check, at, &places)).collect();
    let mut model = Model {
        title: top.title,
        description: top.description,
        prefix: top.prefix.text.clone(),
        alias: top.alias.iter().map(|alias| alias.text.clone()).collect(),
        seed: top.seed,
        origins: top.origins,
        origins_credentials: top.origins_credentials,
        ignore_parameters: top.ignore_parameters,
        roles: Vec::new(),
        issuers: Vec::new(),
        resources,
        narrowed: Narrowed::default(),
    };
    model.roles = role::read(&mut check, root, &model, &places);
    model.issuers = issuer::read(&mut check, root, &model);
    path::check(&mut check, &top.prefix, &top.alias, &places);
    relation::check(&mut check, &model, &places);
    index::check(&mut check, &model, &places);
    signin::check(&mut check, &model, &places);
    access::check(&mut check, &mut model, &places);
    cache::check(&mut check, &model, &places);
    open::check(&mut check, &model, &places);
    reach::check(&mut check, &model, &places);
    for at in 0..model.resources.len() {
        model.resources[at].watched = crate::access::watched_columns(&model, at);
    }
    for resource in &mut model.resources {
        resource.digest = crate::digest::resource(resource);
    }
    *complaints = check.complaints;
    (Some(model), settings)
}

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) span: Span,
}

/// The complaints so far, and the readers of plain values that add to them.
pub(super) struct Check {
    complaints: Vec<Complaint>,
}

impl Check {
    fn add(&mut self, level: Level, span: &Span, message: impl Into<String>, help: Option<String>) {
        let complaint = Complaint { level, message: message.into(), span: span.clone(), help };
        self.complaints.push(complaint);
    }

    /// Nothing starts with it.
    pub(super) fn error(&mut self, span: &Span, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.add(Level::Error, span, message, help);
    }

    /// It works, but hardly as meant.
    pub(super) fn warn(&mut self, span: &Span, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.add(Level::Warning, span, message, help);
    }

    /// Something to know.
    pub(super) fn note(&mut self, span: &Span, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.add(Level::Note, span, message, help);
    }

    /// A value of the wrong TOML type.
    fn mismatch(&mut self, key: &str, node: &Node, wanted: &str, help: &str) {
        self.error(&node.span, format!("`{key}` must be {wanted}, not {}", node.what()), help);
    }

    /// The text under this key.
    pub(super) fn text(&mut self, table: &Table, key: &str) -> Option<Word> {
        let node = table.get(key)?;
        match &node.written {
            Written::Text(text) => Some(Word { text: text.clone(), span: node.span.clone() }),
            _ => {
                self.mismatch(key, node, "a string", "");
                None
            }
        }
    }

    /// Text that people read: not empty.
    pub(super) fn prose(&mut self, table: &Table, key: &str) -> Option<String> {
        let word = self.text(table, key)?;
        if word.text.trim().is_empty() {
            let help = format!("write something, or leave `{key}` out");
            self.error(&word.span, format!("`{key}` is empty"), &help);
        }
        Some(word.text)
    }

    /// The truth under this key; absent is false.
    pub(super) fn boolean(&mut self, table: &Table, key: &str) -> bool {
        let Some(node) = table.get(key) else { return false };
        match &node.written {
            Written::Boolean(truth) => *truth,
            _ => {
                self.mismatch(key, node, "true or false", &format!("write `{key} = true`"));
                false
            }
        }
    }

    /// One of these words.
    pub(super) fn choice(&mut self, table: &Table, key: &str, words: &[&str]) -> Option<String> {
        let word = self.text(table, key)?;
        if words.contains(&word.text.as_str()) {
            return Some(word.text);
        }
        let known = quoted(words);
        let help = did_you_mean(&word.text, words.iter().copied()).unwrap_or_default();
        self.error(&word.span, format!("`{key}` is {known}, not \"{}\"", word.text), &help);
        None
    }

    /// The texts under this key, each once.
    pub(super) fn texts(&mut self, table: &Table, key: &str) -> Vec<Word> {
        let Some(node) = table.get(key) else { return Vec::new() };
        let help = || match &node.written {
            Written::Text(text) => format!("write `{key} = [\"{text}\"]`"),
            _ => format!("write `{key} = [\"…\"]`"),
        };
        match &node.written {
            Written::List(items) => self.words(key, items),
            _ => {
                self.mismatch(key, node, "an array of strings", &help());
                Vec::new()
            }
        }
    }

    /// The texts in an array, each once.
    pub(super) fn words(&mut self, key: &str, items: &[Node]) -> Vec<Word> {
        let mut words: Vec<Word> = Vec::new();
        for item in items {
            match &item.written {
                Written::Text(text) if words.iter().any(|word| word.text == *text) => {
                    self.error(&item.span, format!("\"{text}\" is in `{key}` twice"), "");
                }
                Written::Text(text) => {
                    words.push(Word { text: text.clone(), span: item.span.clone() });
                }
                _ => self.mismatch(&format!("{key}[]"), item, "a string", ""),
            }
        }
        words
    }

    /// The table under this entry.
    pub(super) fn table<'a>(&mut self, entry: &'a Entry, help: &str) -> Option<&'a Table> {
        match &entry.node.written {
            Written::Table(table) => Some(table),
            _ => {
                self.mismatch(&entry.key, &entry.node, "a table", help);
                None
            }
        }
    }

    /// A key that nobody reads.
    pub(super) fn unknown(&mut self, entry: &Entry, place: &str, known: &[&str], hint: &str) {
        let help = if hint.is_empty() {
            did_you_mean(&entry.key, known.iter().copied())
                .unwrap_or_else(|| format!("{place} takes: {}", known.join(", ")))
        } else {
            hint.to_owned()
        };
        self.error(&entry.key_span, format!("{place} has no key `{}`", entry.key), &help);
    }
}

/// `"a", "b" or "c"`.
pub(super) fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// "did you mean `x`?", where something is near enough.
pub(super) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    suggest::nearest(word, known).map(|name| format!("did you mean `{name}`?"))
}
