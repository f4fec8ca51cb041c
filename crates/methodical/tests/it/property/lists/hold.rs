//! Holds whole answers against the naive evaluation: records and what is included in them, totals,
//! and where the pages around them are.

use std::collections::HashMap;

use serde_json::Value;

use super::ask::{Ask, Include, Place, Relation, View};
use super::naive::present;
use super::world::{Doc, World};
use crate::support::answer::Answer;

/// What holds, or in which sentence it does not.
pub(super) type Held = Result<(), String>;

/// Fails with a sentence where something is not as it must be.
pub(super) fn equal<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, must: &T) -> Held {
    if is == must { Ok(()) } else { Err(format!("{what} is\n  {is:?}\nand must be\n  {must:?}")) }
}

/// One member of a record that is shown.
enum Member<'a> {
    Plain(&'a Value),
    One(&'a Doc, &'a Include),
    Many(Vec<&'a Doc>, &'a Include),
}

/// The links of an answer, by relation.
pub(super) fn links(answer: &Answer) -> HashMap<String, String> {
    let field = answer.field("link").unwrap_or_default();
    let link = |text: &str| {
        let (url, rest) = text.trim().strip_prefix('<')?.split_once('>')?;
        let relation = rest.split_once("rel=\"")?.1.trim_end_matches('"');
        Some((relation.to_owned(), url.to_owned()))
    };
    field
        .split(", <")
        .filter_map(|text| link(&format!("<{}", text.trim_start_matches('<'))))
        .collect()
}

impl World {
    /// A page of records: those from `start` on, of all that match in order.
    pub(super) fn hold_page(&self, ask: &Ask, start: usize, answer: &Answer) -> Held {
        equal("the status", &answer.status, &200)?;
        let list = answer.json();
        let name = &self.resource(ask.resource).name;
        let docs = self.list(ask);
        let limit = ask.limit(self);
        let end = (start + limit).min(docs.len());
        let page = docs.get(start..end).unwrap_or_default();
        let shown = list[name].as_array().ok_or("no records")?;
        if ask.view.fields.is_none() {
            let ids = |doc: &Doc| doc["id"].clone();
            let is: Vec<Value> = shown.iter().map(|record| record["id"].clone()).collect();
            equal("the ids", &is, &page.iter().map(|doc| ids(doc)).collect())?;
        }
        equal("the number of records", &shown.len(), &page.len())?;
        let is_whole = self.is_within(page, &ask.view, true);
        for (doc, record) in page.iter().zip(shown) {
            self.hold_record(ask.resource, doc, &ask.view, is_whole, record)?;
        }
        self.hold_total(ask, docs.len(), &list)?;
        self.hold_frame(ask, name, &list)?;
        equal("next", &list.get("next").is_some(), &(end < docs.len() && start < docs.len()))?;
        self.hold_links(ask, start, docs.len(), answer)
    }

    /// The total: exact, or where counting stopped.
    pub(super) fn hold_total(&self, ask: &Ask, number: usize, list: &Value) -> Held {
        let total = list.get("total").map(|total| total.as_u64().unwrap_or(u64::MAX));
        let is_bound = list.get("totalIsLowerBound").is_some();
        if ask.count == Some("none") {
            return equal("total and bound", &(total, is_bound), &(None, false));
        }
        let most = self.schema.limits.count;
        let is_plain = ask.filters.is_empty() && ask.aggregate.is_none();
        let exact = (Some(number as u64), false);
        if ask.count == Some("exact") || is_plain || number <= most {
            return equal("total and bound", &(total, is_bound), &exact);
        }
        // A page that is not full tells the total by itself.
        if (total, is_bound) == exact && ask.aggregate.is_none() {
            return Ok(());
        }
        equal("total and bound", &(total, is_bound), &(Some(most as u64), true))
    }

    /// The other members of a list, and their order.
    pub(super) fn hold_frame(&self, ask: &Ask, items: &str, list: &Value) -> Held {
        let page = match ask.place {
            Place::Cursor(_) => None,
            Place::Unsaid | Place::Page(_) => Some(ask.page() as u64),
        };
        equal("page", &list.get("page").and_then(Value::as_u64), &page)?;
        equal("limit", &list["limit"].as_u64(), &Some(ask.limit(self) as u64))?;
        let order = [items, "total", "totalIsLowerBound", "page", "limit", "next", "cursor"];
        let names: Vec<&str> =
            list.as_object().ok_or("no object")?.keys().map(String::as_str).collect();
        let mut must = order.to_vec();
        must.retain(|name| names.contains(name));
        equal("the members of the list", &names, &must)?;
        let by_cursor = matches!(ask.place, Place::Cursor(_));
        let has_cursor = by_cursor && list.get("next").is_some();
        equal("cursor", &list.get("cursor").is_some(), &has_cursor)
    }

    fn hold_links(&self, ask: &Ask, start: usize, number: usize, answer: &Answer) -> Held {
        let links = links(answer);
        // A URL that is too long for a field is in none.
        if links.is_empty() {
            return Ok(());
        }
        let limit = ask.limit(self);
        let mut must = vec!["first"];
        let by_cursor = matches!(ask.place, Place::Cursor(_));
        if start > 0 || ask.page() > 1 {
            must.push("prev");
        }
        if start + limit < number {
            must.push("next");
        }
        let last = number.div_ceil(limit).max(1);
        let is_reached = (last - 1) * limit <= self.schema.limits.offset;
        let is_counted = answer.json().get("totalIsLowerBound").is_none();
        if !by_cursor && ask.count != Some("none") && is_reached && is_counted {
            must.push("last");
            let named = links.get("last").is_some_and(|url| url.contains(&format!("page={last}&")));
            equal("last is the last page", &named, &true)?;
        }
        let mut is: Vec<&str> = links.keys().map(String::as_str).collect();
        is.sort_unstable();
        must.sort_unstable();
        equal("the links", &is, &must)
    }

    /// One record as it is shown. `is_whole`: no relation is cut but at `limits.include`.
    pub(super) fn hold_record(
        &self,
        at: usize,
        doc: &Doc,
        view: &View,
        is_whole: bool,
        shown: &Value,
    ) -> Held {
        let shown = shown.as_object().ok_or("a record is no object")?;
        let members = self.members(at, doc, view);
        let mut must: Vec<String> = Vec::new();
        for (name, member) in &members {
            must.push(name.clone());
            let found = shown.get(name).ok_or_else(|| format!("{name} is missing"))?;
            match member {
                Member::Plain(value) => {
                    equal(name, &found.to_string(), &value.to_string())?;
                }
                Member::One(child, include) => {
                    self.hold_record(include.resource, child, &include.view, is_whole, found)
                        .map_err(|fault| format!("in {name}: {fault}"))?;
                }
                Member::Many(children, include) => {
                    let next = format!("{name}.next");
                    let is_cut = shown.contains_key(&next);
                    self.hold_many(children, include, is_whole, is_cut, found)
                        .map_err(|fault| format!("in {name}: {fault}"))?;
                    if is_cut {
                        must.push(next);
                    }
                }
            }
        }
        let is: Vec<String> = shown.keys().cloned().collect();
        equal("the members of a record", &is, &must)
    }

    fn hold_many(
        &self,
        children: &[&Doc],
        include: &Include,
        is_whole: bool,
        is_cut: bool,
        found: &Value,
    ) -> Held {
        let found = found.as_array().ok_or("not an array")?;
        let most = children.len().min(self.schema.limits.include);
        if is_whole {
            equal("the number of records", &found.len(), &most)?;
        }
        equal("at most so many", &(found.len() <= most), &true)?;
        equal("it is cut", &is_cut, &(found.len() < children.len()))?;
        for (child, record) in children.iter().zip(found) {
            self.hold_record(include.resource, child, &include.view, is_whole, record)?;
        }
        Ok(())
    }

    /// The members that are shown of a record, in their order.
    fn members<'a>(&'a self, at: usize, doc: &'a Doc, view: &'a View) -> Vec<(String, Member<'a>)> {
        let columns = self.resource(at).columns().into_iter().map(|column| column.name);
        let names = view.fields.clone().unwrap_or_else(|| columns.collect());
        let mut members: Vec<(String, Member<'a>)> = Vec::new();
        let one = |include: &'a Include| {
            let Relation::To(field) = &include.relation else { return None };
            let id = present(doc, field)?;
            Some(Member::One(self.named(include.resource, id).expect("a record"), include))
        };
        for name in names {
            let by_name = |include: &&Include| include.relation == Relation::To(name.clone());
            let included = view.include.iter().find(by_name).and_then(one);
            match (included, doc.get(&name)) {
                (Some(member), _) => members.push((name, member)),
                (None, Some(value)) => members.push((name, Member::Plain(value))),
                (None, None) => {}
            }
        }
        for include in &view.include {
            match &include.relation {
                Relation::To(field) => {
                    let is_there = members.iter().any(|(name, _)| name == field);
                    if let (false, Some(member)) = (is_there, one(include)) {
                        members.push((include.name.clone(), member));
                    }
                }
                Relation::From(field) => {
                    let children = self.referrers(include.resource, field, doc);
                    members.push((include.name.clone(), Member::Many(children, include)));
                }
            }
        }
        members
    }

    /// True where no relation of these records reaches `limits.included`. One record more than is
    /// shown may have been looked at.
    pub(super) fn is_within(&self, parents: &[&Doc], view: &View, is_peeked: bool) -> bool {
        let limits = self.schema.limits;
        view.include.iter().all(|include| {
            let mut children: Vec<&Doc> = Vec::new();
            for parent in parents {
                match &include.relation {
                    Relation::To(field) => {
                        let id = present(parent, field);
                        let child = id.and_then(|id| self.named(include.resource, id));
                        let is_new =
                            |child: &&Doc| !children.iter().any(|it| it["id"] == child["id"]);
                        let child = child.filter(is_new);
                        children.extend(child);
                    }
                    Relation::From(field) => {
                        let all = self.referrers(include.resource, field, parent);
                        children.extend(all.into_iter().take(limits.include));
                    }
                }
            }
            let peeked = if is_peeked { limits.include } else { 0 };
            let is_reverse = matches!(include.relation, Relation::From(_));
            let is_here = !is_reverse || children.len() + peeked <= limits.included;
            is_here && self.is_within(&children, &include.view, is_peeked)
        })
    }
}
