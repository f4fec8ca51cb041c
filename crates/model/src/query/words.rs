//! The words of the vocabulary: paging, order, totals, aggregates, and what is shown. They are read
//! once all names are known, in one order whatever the order of the request.

use super::read::{Reader, WORDS, comparable};
use super::term::{Term, whole};
use super::{Aggregate, Count, GroupSort, Measure, Paging, Sort};
use crate::model::Kind;
use crate::search::Terms;

/// Most keys of an order, and most measures of one answer.
const NAMES_MAX: usize = 64;

impl<'a> Reader<'a> {
    /// Reads the words, in the order of the vocabulary.
    pub(super) fn read_words(&mut self) {
        for word in WORDS {
            let Some(at) = self.words.iter().position(|(known, ..)| *known == word) else {
                continue;
            };
            let (_, term, place) = self.words[at].clone();
            if let Err(detail) = self.word(word, term) {
                self.fault(place, detail);
            }
        }
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|(known, ..)| *known == word)
    }

    fn word(&mut self, word: &str, term: Term<'a>) -> Result<(), String> {
        match word {
            "q" | "query" => return self.search(term),
            "highlight" => self.query.view.highlight = self.highlight(term)?,
            "page" => {
                let page = whole(term, u32::MAX, "must be a whole number from 1")?;
                self.query.paging = Paging::Page(page);
            }
            "limit" => {
                let most = self.settings.page_rows_max;
                let expected = format!("must be a whole number from 1 to {most}");
                self.query.limit = whole(term, most, &expected)?;
            }
            "cursor" => self.query.paging = Paging::Cursor(self.cursor(term)?),
            "count" => {
                self.query.count = match term.text() {
                    Some("exact") => Count::Exact,
                    Some("none") => Count::None,
                    _ => return Err("must be exact or none".to_owned()),
                }
            }
            "aggregate" => {
                // The order that is declared is one of records.
                self.query.sort.clear();
                self.query.aggregate = Some(self.aggregate(term)?);
            }
            "groupBy" => return self.group_by(term),
            "sort" if self.query.aggregate.is_some() => return self.group_sort(term),
            "sort" => self.query.sort = self.sort(term)?,
            "include" => {
                self.refuse_with_aggregate()?;
                let names = term.names().ok_or("must be names of relations, with commas")?;
                self.query.view.read_include(self.model, self.index, &names)?;
            }
            _ => {
                self.refuse_with_aggregate()?;
                let expected = "must be names of fields, separated by commas";
                let names = term.names().filter(|names| !names.is_empty()).ok_or(expected)?;
                self.query.view.read_fields(self.model, self.index, &names)?;
            }
        }
        Ok(())
    }

    fn refuse_with_aggregate(&self) -> Result<(), String> {
        if self.has("aggregate") {
            return Err("says what is shown of records, and an aggregate shows none".to_owned());
        }
        Ok(())
    }

    /// Reads what is searched for. Nothing is what an empty control of a form sends.
    fn search(&mut self, term: Term<'_>) -> Result<(), String> {
        if self.has("q") && self.has("query") {
            return Err("means the same as the other one: leave out q or query".to_owned());
        }
        let text = term.text().ok_or("must be a string")?;
        if self.resource.searched().next().is_none() {
            let name = &self.resource.name;
            return Err(format!(
                "cannot be asked of {name}: its declaration names no fields to `search`"
            ));
        }
        let terms = Terms::read(text)?;
        if !text.trim().is_empty() {
            self.search = Some(terms);
            // What matches best stands first, unless another order is asked for.
            self.query.sort.clear();
        }
        Ok(())
    }

    fn highlight(&self, term: Term<'_>) -> Result<bool, String> {
        self.refuse_with_aggregate()?;
        let highlight = term.boolean().ok_or("must be true or false")?;
        if highlight && !self.has("q") && !self.has("query") {
            return Err("shows what was searched for: add q".to_owned());
        }
        Ok(highlight)
    }

    fn cursor(&self, term: Term<'_>) -> Result<String, String> {
        if self.has("page") {
            return Err("cannot stand beside page: it is the place itself".to_owned());
        }
        if self.has("aggregate") {
            return Err("is a place among records; groups are paged by page".to_owned());
        }
        if self.search.is_some() && self.query.sort.is_empty() {
            let detail = "is a place in an order that stays; how well a record matches does \
                          not: add sort";
            return Err(detail.to_owned());
        }
        let text = term.text().ok_or("must be a string")?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if !text.bytes().all(fits) {
            return Err("is not a cursor: take it from `next` or `cursor` of an answer".to_owned());
        }
        Ok(text.to_owned())
    }

    /// The names of a list, with their signs: `-` puts the largest first.
    fn keys<'t>(term: Term<'t>) -> Result<Vec<(bool, &'t str)>, String> {
        let expected = "must be names of fields, separated by commas; - before a name puts the \
                        largest first";
        let names = term.names().filter(|names| !names.is_empty()).ok_or(expected)?;
        if names.len() > NAMES_MAX {
            return Err(format!("takes at most {NAMES_MAX} names"));
        }
        let sign = |name: &'t str| match name.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, name),
        };
        Ok(names.into_iter().map(sign).collect())
    }

    fn sort(&self, term: Term<'_>) -> Result<Vec<Sort>, String> {
        let mut keys: Vec<Sort> = Vec::new();
        for (descending, name) in Self::keys(term)? {
            let column = comparable(self.resource, name)?;
            if column.kind(self.resource) == Kind::Json {
                return Err(format!("{name} holds any JSON, which has no order"));
            }
            if keys.iter().any(|key| key.column == column) {
                return Err(format!("has {name} more than once"));
            }
            keys.push(Sort { column, descending });
        }
        Ok(keys)
    }

    fn aggregate(&self, term: Term<'_>) -> Result<Aggregate, String> {
        let expected = "must be aggregates separated by commas, such as count,sum(FIELD)";
        let names = term.names().filter(|names| !names.is_empty()).ok_or(expected)?;
        if names.len() > NAMES_MAX {
            return Err(format!("takes at most {NAMES_MAX} aggregates"));
        }
        let mut measures: Vec<Measure> = Vec::with_capacity(names.len());
        for name in names {
            let measure = Measure::read(self.resource, name)?;
            if measures.contains(&measure) {
                return Err(format!("has {name} more than once"));
            }
            measures.push(measure);
        }
        Ok(Aggregate { measures, group_by: Vec::new(), sort: Vec::new() })
    }

    fn group_by(&mut self, term: Term<'_>) -> Result<(), String> {
        let Some(aggregate) = &mut self.query.aggregate else {
            if self.has("aggregate") {
                return Ok(());
            }
            return Err("needs what to tell of each group: add aggregate=count".to_owned());
        };
        let expected = "must be names of fields, separated by commas";
        let names = term.names().filter(|names| !names.is_empty()).ok_or(expected)?;
        for name in names {
            let column = comparable(self.resource, name)?;
            if column.kind(self.resource) == Kind::Json {
                return Err(format!("{name} holds any JSON, which does not group"));
            }
            if aggregate.group_by.contains(&column) {
                return Err(format!("has {name} more than once"));
            }
            // One member of a group cannot be two things.
            let is_measure = |it: &Measure| it.name(self.resource) == name;
            if aggregate.measures.iter().any(is_measure) {
                return Err(format!(
                    "has the field {name} beside the aggregate of that name: ask for {name}(id), \
                     which counts the same, in place of {name}"
                ));
            }
            aggregate.group_by.push(column);
        }
        Ok(())
    }

    fn group_sort(&mut self, term: Term<'_>) -> Result<(), String> {
        let Some(aggregate) = &mut self.query.aggregate else { return Ok(()) };
        for (descending, name) in Self::keys(term)? {
            let key = aggregate.key(self.resource, name)?;
            if aggregate.sort.iter().any(|known| known.key == key) {
                return Err(format!("has {name} more than once"));
            }
            aggregate.sort.push(GroupSort { key, descending });
        }
        Ok(())
    }
}
