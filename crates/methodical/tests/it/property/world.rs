//! The model: what there is, and what each request does to it and gets.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::patch::{self, Refusal};
use super::rules::{compared, fields, kept, references};
use super::wish::{Id, Query, Wish};
use crate::support::answer::Answer;

/// A record.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// Its declared members.
    pub(super) values: Map<String, Value>,
    /// `createdAt`, once it was seen.
    pub(super) created: Option<String>,
    /// `updatedAt`, once it was seen.
    pub(super) updated: Option<String>,
    /// What `updatedAt` is greater than.
    pub(super) floor: String,
    /// The tags of its present version that were seen, by the members that are shown.
    pub(super) faces: BTreeMap<String, String>,
}

/// A collection.
#[derive(Default)]
pub(super) struct Table {
    /// Its records.
    pub(super) rows: BTreeMap<Id, Row>,
    last_id: i64,
    /// One more with every change.
    pub(super) stamp: u64,
    /// The tag of each list that was seen, and the stamp that it was seen at.
    pub(super) lists: HashMap<String, (u64, String)>,
}

/// What a request with a key was, and got.
pub(super) struct Remembered {
    pub(super) meaning: String,
    pub(super) answer: Answer,
}

/// Everything.
#[derive(Default)]
pub(super) struct World {
    /// Its collections.
    pub(super) tables: BTreeMap<&'static str, Table>,
    /// By method, path and key.
    pub(super) keys: HashMap<(&'static str, String, String), Remembered>,
    /// Tags of versions that are no more, and where they were seen.
    pub(super) spent: HashMap<String, String>,
}

/// What a request has to get.
#[derive(Clone, Debug)]
pub(super) enum Expect {
    /// A problem.
    Refused(u16),
    /// 304.
    NotModified,
    /// A record.
    Shown(u16, Id),
    /// Success without content, of this record if it is still there.
    Quiet(u16, Option<Id>),
    /// `{"status":"deleted"}`
    Deleted,
    /// A page.
    Listed(Page),
    /// The answer that this key got before.
    Replayed,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// Its records.
    pub(super) ids: Vec<Id>,
    /// How many there are altogether.
    pub(super) total: usize,
    /// Another page follows.
    pub(super) has_next: bool,
}

/// Stands for the id that the server draws, until it is known.
pub(super) fn unknown() -> Id {
    Id::Text(String::new())
}

impl World {
    /// An empty one.
    pub(super) fn new() -> Self {
        let tables = super::rules::RESOURCES.into_iter().map(|name| (name, Table::default()));
        Self { tables: tables.collect(), ..Self::default() }
    }

    /// A collection.
    pub(super) fn table(&mut self, name: &str) -> &mut Table {
        self.tables.get_mut(name).expect("a resource")
    }

    /// A record that is there.
    pub(super) fn row(&self, wish: &Wish) -> Option<&Row> {
        self.tables[wish.resource].rows.get(wish.id.as_ref()?)
    }

    /// Does what is wished, and says what the answer has to be.
    pub(super) fn judge(&mut self, wish: &Wish) -> Expect {
        if wish.is_broken {
            return Expect::Refused(400);
        }
        let judged = match wish.method {
            "GET" | "HEAD" => self.read(wish),
            _ => self.write(wish),
        };
        judged.unwrap_or_else(Expect::Refused)
    }

    fn read(&self, wish: &Wish) -> Result<Expect, u16> {
        let table = &self.tables[wish.resource];
        let Some(id) = &wish.id else {
            let query = wish.query.as_ref().expect("lists have a query");
            if query.fault.is_some() {
                return Err(400);
            }
            let known = table.lists.get(&wish.target());
            let current = known.filter(|(stamp, _)| *stamp == table.stamp).map(|(_, tag)| tag);
            if wish.if_none_match.is_some() && wish.if_none_match.as_ref() == current {
                return Ok(Expect::NotModified);
            }
            return Ok(Expect::Listed(table.page(query)));
        };
        let row = table.rows.get(id).ok_or(404_u16)?;
        if wish.if_match.as_ref().is_some_and(|tags| !row.matches(tags, true)) {
            return Err(412);
        }
        let face = row.faces.get(&format!("{:?}", wish.fields));
        let is_same = |tags: &String| {
            tags == "*" || face.is_some_and(|face| tags.split(", ").any(|tag| strong(tag) == face))
        };
        if wish.if_none_match.as_ref().is_some_and(is_same) {
            return Ok(Expect::NotModified);
        }
        Ok(Expect::Shown(200, id.clone()))
    }

    fn write(&mut self, wish: &Wish) -> Result<Expect, u16> {
        let is_note = wish.resource == "notes";
        if is_note && wish.method == "POST" && wish.key.is_none() {
            return Err(400);
        }
        if let Some(key) = &wish.key {
            match self.keys.get(&(wish.method, wish.path(), key.clone())) {
                Some(known) if known.meaning == wish.meaning() => return Ok(Expect::Replayed),
                Some(_) => return Err(422),
                None => {}
            }
        }
        let row = self.row(wish);
        let creates = wish.id.is_none() || wish.method == "PUT" && !is_note;
        if row.is_none() && !creates {
            return Err(404);
        }
        let is_new = wish.if_none_match.as_deref() == Some("*");
        if is_note && wish.id.is_some() && wish.if_match.is_none() && !is_new {
            return Err(428);
        }
        if let Some(tags) = &wish.if_match
            && !row.is_some_and(|row| row.matches(tags, true))
        {
            return Err(412);
        }
        if let (Some(tags), Some(row)) = (&wish.if_none_match, row)
            && row.matches(tags, false)
        {
            return Err(412);
        }
        match (wish.method, row.is_some()) {
            ("POST", _) => self.create(wish, None),
            ("PUT", false) => self.create(wish, wish.id.clone()),
            ("DELETE", _) => self.delete(wish),
            _ => self.change(wish),
        }
    }

    fn create(&mut self, wish: &Wish, at: Option<Id>) -> Result<Expect, u16> {
        let (_, document) = wish.content.as_ref().expect("content");
        let values = kept(wish.resource, document).ok_or(422_u16)?;
        if document.get("createdAt").is_some() || document.get("updatedAt").is_some() {
            return Err(422);
        }
        let named = document.get("id");
        let id = match (at, named) {
            (Some(at), Some(named)) if at.to_value() != *named => return Err(409),
            (Some(at), _) => at,
            (None, Some(Value::String(id))) if wish.resource == "things" && id != "a b" => {
                Id::Text(id.clone())
            }
            (None, Some(_)) => return Err(422),
            (None, None) if wish.resource == "things" => unknown(),
            (None, None) => Id::Number(self.table(wish.resource).last_id + 1),
        };
        self.check(wish.resource, &id, &values, None)?;
        if self.tables[wish.resource].rows.contains_key(&id) {
            return Err(409);
        }
        let table = self.table(wish.resource);
        if let Id::Number(number) = id {
            table.last_id = table.last_id.max(number);
        }
        table.rows.insert(id.clone(), Row { values, ..Row::default() });
        table.stamp += 1;
        Ok(shown(wish, 201, id))
    }

    /// References and unique values.
    fn check(
        &self,
        resource: &str,
        id: &Id,
        values: &Map<String, Value>,
        before: Option<&Row>,
    ) -> Result<(), u16> {
        let things = &self.tables["things"].rows;
        for (name, thing) in references(values) {
            let is_kept = before.is_some_and(|row| row.values.get(name) == values.get(name));
            if !is_kept && !things.contains_key(&Id::Text(thing.to_owned())) {
                return Err(422);
            }
        }
        let taken =
            |(other, row): (&Id, &Row)| other != id && row.values.get("code") == values.get("code");
        let has_code = values.contains_key("code");
        if has_code && self.tables[resource].rows.iter().any(taken) {
            return Err(409);
        }
        Ok(())
    }

    fn change(&mut self, wish: &Wish) -> Result<Expect, u16> {
        let id = wish.id.clone().expect("a record");
        let row = self.row(wish).expect("a record").clone();
        let (media_type, content) = wish.content.as_ref().expect("content");
        let present = row.document(&id);
        let is_patch = wish.method == "PATCH";
        let mut document = match *media_type {
            "application/json-patch+json" => match patch::json(&present, content) {
                Ok(document) => document,
                Err(Refusal::Nowhere) => return Err(422),
                Err(Refusal::Untrue) => return Err(409),
            },
            _ if is_patch => patch::merge(&present, content),
            _ => content.clone(),
        };
        // What a patch removes from a nullable field is null (decision 0016).
        let emptied = is_patch && wish.resource == "things" && document.get("mood").is_none();
        if let (true, Some(members)) = (emptied, document.as_object_mut()) {
            members.insert("mood".to_owned(), Value::Null);
        }
        let values = kept(wish.resource, &document).ok_or(422_u16)?;
        for name in ["id", "createdAt", "updatedAt"] {
            let is_kept = match document.get(name) {
                Some(value) => present[name] == *value,
                None => !is_patch,
            };
            if !is_kept {
                return Err(if is_patch { 422 } else { 409 });
            }
        }
        self.check(wish.resource, &id, &values, Some(&row))?;
        if values != row.values {
            self.replace(wish.resource, &id, values);
        }
        Ok(shown(wish, 200, id))
    }

    fn replace(&mut self, resource: &'static str, id: &Id, values: Map<String, Value>) {
        let table = self.tables.get_mut(resource).expect("a resource");
        table.stamp += 1;
        let row = table.rows.get_mut(id).expect("a record");
        row.values = values;
        row.floor = row.updated.take().unwrap_or(std::mem::take(&mut row.floor));
        let path = format!("/api/{resource}/{id}");
        let faces = std::mem::take(&mut row.faces);
        self.spent.extend(faces.into_values().map(|tag| (tag, path.clone())));
    }

    fn delete(&mut self, wish: &Wish) -> Result<Expect, u16> {
        let id = wish.id.clone().expect("a record");
        if wish.resource == "things" {
            let refer = |name: &str, world: &Self| -> Vec<Id> {
                let parts = world.tables["parts"].rows.iter();
                let named = parts.filter(|(_, row)| row.values.get(name) == Some(&id.to_value()));
                named.map(|(part, _)| part.clone()).collect()
            };
            if !refer("on", self).is_empty() {
                return Err(409);
            }
            for part in refer("of", self) {
                self.remove("parts", &part);
            }
            for part in refer("by", self) {
                let mut values = self.table("parts").rows[&part].values.clone();
                values.shift_remove("by");
                self.replace("parts", &part, values);
            }
        }
        self.remove(wish.resource, &id);
        Ok(if wish.is_minimal { Expect::Quiet(204, None) } else { Expect::Deleted })
    }

    fn remove(&mut self, resource: &'static str, id: &Id) {
        let table = self.tables.get_mut(resource).expect("a resource");
        table.stamp += 1;
        let row = table.rows.remove(id).expect("a record");
        let path = format!("/api/{resource}/{id}");
        self.spent.extend(row.faces.into_values().map(|tag| (tag, path.clone())));
    }

    /// Tags that were seen, of versions of this path that are no more.
    pub(super) fn spent_at(&self, path: &str) -> Vec<&String> {
        let mut tags: Vec<_> =
            self.spent.iter().filter(|(_, at)| *at == path).map(|(tag, _)| tag).collect();
        tags.sort();
        tags
    }
}

fn shown(wish: &Wish, status: u16, id: Id) -> Expect {
    if !wish.is_minimal {
        return Expect::Shown(status, id);
    }
    Expect::Quiet(if status == 200 { 204 } else { status }, Some(id))
}

/// A tag without its mark of weakness.
fn strong(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

impl Row {
    /// True where one of the tags is of its present version. A weak one is so for If-None-Match.
    fn matches(&self, tags: &str, is_strong: bool) -> bool {
        tags == "*"
            || tags.split(", ").any(|tag| {
                let tag = if is_strong { tag } else { strong(tag) };
                self.faces.values().any(|face| face == tag)
            })
    }

    /// As it is shown.
    pub(super) fn document(&self, id: &Id) -> Value {
        let mut members = Map::new();
        members.insert("id".to_owned(), id.to_value());
        members.extend(self.values.clone());
        let moment = |moment: &Option<String>| moment.clone().unwrap_or("unseen".to_owned());
        members.insert("createdAt".to_owned(), moment(&self.created).into());
        members.insert("updatedAt".to_owned(), moment(&self.updated).into());
        Value::Object(members)
    }
}

impl Table {
    fn page(&self, query: &Query) -> Page {
        let chosen = |(_, row): &(&Id, &Row)| match &query.filter {
            Some((name, value)) => {
                let own = row.values.get(*name);
                own.is_some_and(|own| !own.is_null())
                    && compared(name, own) == compared(name, Some(value))
            }
            None => true,
        };
        let mut found: Vec<(&Id, &Row)> = self.rows.iter().filter(chosen).collect();
        found.sort_by(|(one, a), (other, b)| {
            let mut order = std::cmp::Ordering::Equal;
            for (name, descends) in &query.sort {
                let next = match *name {
                    "id" => one.cmp(other),
                    name => {
                        compared(name, a.values.get(name)).cmp(&compared(name, b.values.get(name)))
                    }
                };
                order = order.then(if *descends { next.reverse() } else { next });
            }
            // The id decides, in the direction of the last field.
            let descends = query.sort.last().is_some_and(|(_, descends)| *descends);
            let last = one.cmp(other);
            order.then(if descends { last.reverse() } else { last })
        });
        let from = (query.page - 1) * query.limit;
        let ids = found.iter().skip(from).take(query.limit).map(|(id, _)| (*id).clone()).collect();
        Page { ids, total: found.len(), has_next: from + query.limit < found.len() }
    }
}

/// The members of a record that are shown, in the order in which they are.
pub(super) fn view(
    resource: &str,
    document: &Value,
    only: Option<&[&'static str]>,
) -> Vec<(String, Value)> {
    let mut names = vec!["id"];
    names.extend(fields(resource));
    names.extend(["createdAt", "updatedAt"]);
    let names = only.map_or(names, <[_]>::to_vec);
    let members =
        names.into_iter().filter_map(|name| Some((name.to_owned(), document.get(name)?.clone())));
    members.collect()
}
