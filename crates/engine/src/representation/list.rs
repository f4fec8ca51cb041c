//! A page of records: in the article's shape (the records under the resource's name, total, page,
//! limit, and where the next page is; groups of records under `groups`), or a record a line.

use contract::link::Links;
use http::header;
use model::model::Resource;
use model::query::{self, Count, Paging, Position, Query};
use model::record;
use store::lookup::{Found, Total};

use super::lines::{self, Format};
use super::{field, groups, row};
use crate::answer::Answer;
use crate::call::Call;
use crate::cursor::Place;
use crate::outcome::Seen;
use crate::response::tag;
use crate::sight;

/// What of a list the links may point at.
struct Pages<'a> {
    call: &'a Call,
    resource: &'a Resource,
    query: &'a Query,
}

impl Pages<'_> {
    fn url(&self, paging: Paging) -> String {
        let (index, _) = self.call.resource();
        let terms = query::canonical(&self.call.model, index, &self.query.at(paging));
        let base = format!("{}/{}", self.call.model.prefix, self.resource.name);
        format!("{base}?{terms}")
    }

    fn page(&self, page: u32) -> String {
        self.url(Paging::Page(page))
    }

    /// The cursor of the place of a record.
    fn cursor(&self, record: &record::Record, backwards: bool) -> String {
        let (index, _) = self.call.resource();
        let place =
            Place { model: &self.call.model, index, salt: &self.call.salt, query: self.query };
        let position = Position { backwards, ..Position::of(record, &self.query.sort) };
        self.call.cursors.seal(place, &position)
    }

    /// True where the content of QUERY holds what must not be in a URL (RFC 10008 §4): GET would
    /// refuse that URL, and it must not be written into fields.
    fn secret(&self) -> bool {
        let by_content = !self.call.routed.row.accepts.is_empty();
        let (index, _) = self.call.resource();
        let terms = || query::canonical(&self.call.model, index, self.query);
        by_content && crate::route::secret_in(&terms(), Some(self.resource)).is_some()
    }

    /// True where GET would answer this page.
    fn reaches(&self, page: u32) -> bool {
        self.query.at(Paging::Page(page)).offset() <= self.call.settings.offset_rows_max
    }
}

/// What of the records found is shown, and what is known to be around it.
struct Window {
    /// From which of those found to which.
    shown: std::ops::Range<usize>,
    has_next: bool,
    has_previous: bool,
}

impl Window {
    fn of(call: &Call, query: &Query, found: &Found) -> Self {
        let limit = query.limit as usize;
        let count = found.rows.len().max(found.groups.len());
        let is_more = count > limit;
        if call.position.as_ref().is_some_and(|position| position.backwards) {
            // It ends before a record that was shown, and the one too many stands first.
            let shown = count.saturating_sub(limit)..count;
            return Self { shown, has_next: true, has_previous: is_more };
        }
        let shown = 0..count.min(limit);
        let has_previous = match query.page() {
            Some(page) => page > 1,
            None => call.position.is_some(),
        };
        let is_whole = sight::is_whole(call, call.resource().0, &query.filter);
        let has_next = match (found.total, query.page()) {
            (Some(total), Some(_)) if is_whole && query.aggregate.is_none() => {
                query.offset() + (shown.len() as u64) < total.records
            }
            _ => is_more,
        };
        Self { shown, has_next, has_previous }
    }
}

/// Where the pages around this one are.
#[derive(Default)]
struct Around {
    next: Option<String>,
    previous: Option<String>,
    /// The cursor of the next page, for clients that send it as content.
    cursor: Option<String>,
}

pub(super) fn render(call: &Call, Seen { found, states }: &Seen<Found>) -> Answer {
    let (_, resource) = call.resource();
    let query = call.query.as_ref().expect("lists are asked for with a query");
    let pages = Pages { call, resource, query };
    let window = Window::of(call, query, found);
    let mut around = around(&pages, found, &window);
    let is_secret = pages.secret();
    if is_secret {
        around.next = None;
    }
    let content = match Format::of(call.media) {
        Format::Json => json(&pages, found, &window, &around),
        Format::Ndjson | Format::Csv => lines::page(call, found, window.shown),
    };
    let version = tag::list(call, states, &content);
    let mut answer = Answer { version, ..Answer::new(200, call.media, content) };
    let location = pages.url(query.paging.clone());
    if location.len() <= URL_BYTES_MAX && !is_secret {
        if let Some(links) = links(&pages, found.total, &around).value() {
            answer.fields.push((header::LINK, links));
        }
        // RFC 10008 §2.4: where the same query can be had by GET.
        if call.routed.nature.safe && !call.routed.row.accepts.is_empty() {
            answer.fields.push((header::LOCATION, field(&location)));
        }
    }
    answer
}

/// The records in the article's shape.
fn json(pages: &Pages<'_>, found: &Found, window: &Window, around: &Around) -> Vec<u8> {
    let Pages { call, resource, query } = pages;
    let mut content = Vec::with_capacity(64 + window.shown.len() * 200);
    content.push(b'{');
    write_items(&mut content, call, resource, found, window);
    if let Some(total) = found.total {
        let bound = if total.is_lower_bound { ",\"totalIsLowerBound\":true" } else { "" };
        content.extend_from_slice(format!(",\"total\":{}{bound}", total.records).as_bytes());
    }
    if let Some(page) = query.page() {
        content.extend_from_slice(format!(",\"page\":{page}").as_bytes());
    }
    content.extend_from_slice(format!(",\"limit\":{}", query.limit).as_bytes());
    for (name, value) in [("next", &around.next), ("cursor", &around.cursor)] {
        if let Some(value) = value {
            content.extend_from_slice(format!(",\"{name}\":").as_bytes());
            record::write_text(&mut content, value);
        }
    }
    content.push(b'}');
    content
}

fn write_items(
    content: &mut Vec<u8>,
    call: &Call,
    resource: &Resource,
    found: &Found,
    window: &Window,
) {
    let query = call.query.as_ref().expect("lists are asked for with a query");
    let (index, _) = call.resource();
    let name = if query.aggregate.is_some() { "groups" } else { resource.name.as_str() };
    record::write_text(content, name);
    content.extend_from_slice(b":[");
    for at in window.shown.clone() {
        if at > window.shown.start {
            content.push(b',');
        }
        match &query.aggregate {
            Some(aggregate) => groups::write(content, resource, aggregate, &found.groups[at]),
            None => row::write_found(content, call, index, &found.rows[at], query),
        }
    }
    content.push(b']');
}

/// URLs longer than this are cut by some browsers and proxies, and four of them in Link make a
/// header section that clients refuse: some take no more than 16 KiB.
const URL_BYTES_MAX: usize = 2048;

fn around(pages: &Pages<'_>, found: &Found, window: &Window) -> Around {
    let mut around = Around::default();
    let last = window.shown.end.checked_sub(1).and_then(|last| found.rows.get(last));
    let cursor = |row: &store::lookup::Row| pages.cursor(&row.record, false);
    match &pages.query.paging {
        Paging::Page(page) => {
            around.next = match page.checked_add(1).filter(|next| pages.reaches(*next)) {
                _ if !window.has_next => None,
                Some(next) => Some(pages.page(next)),
                // Where numbers end, a place in the list goes on; in ranks there are none.
                None if pages.query.is_ranked() => None,
                None => last.map(|row| pages.url(Paging::Cursor(cursor(row)))),
            };
            around.previous = window.has_previous.then(|| pages.page(page - 1));
        }
        Paging::Cursor(_) => {
            around.cursor = match last {
                Some(row) if window.has_next => Some(cursor(row)),
                // Nothing stands before: what comes next is the beginning of the list.
                None if window.has_next => Some(String::new()),
                Some(_) | None => None,
            };
            around.next = around.cursor.clone().map(|cursor| pages.url(Paging::Cursor(cursor)));
            let first = found.rows.get(window.shown.start).filter(|_| window.has_previous);
            around.previous =
                first.map(|row| pages.url(Paging::Cursor(pages.cursor(&row.record, true))));
        }
    }
    // A URL that GET would refuse is none: the cursor goes on, as the content of QUERY.
    let most = pages.call.settings.target_bytes_max;
    if around.next.as_ref().is_some_and(|next| next.len() > most) {
        around.next = None;
        around.cursor = around.cursor.or_else(|| last.map(cursor));
    }
    around
}

fn links(pages: &Pages<'_>, total: Option<Total>, around: &Around) -> Links {
    let query = pages.query;
    let mut links = Links::new();
    let first = match query.paging {
        Paging::Page(_) => Paging::Page(1),
        Paging::Cursor(_) => Paging::Cursor(String::new()),
    };
    links.add(&pages.url(first), "first");
    if let Some(previous) = &around.previous {
        links.add(previous, "prev");
    }
    if let Some(next) = around.next.as_ref().filter(|next| next.len() <= URL_BYTES_MAX) {
        links.add(next, "next");
    }
    let is_known = query.page().is_some() && query.count != Count::None;
    if let Some(total) = total.filter(|total| is_known && !total.is_lower_bound) {
        let last = total.records.div_ceil(u64::from(query.limit)).max(1);
        if let Some(last) = u32::try_from(last).ok().filter(|last| pages.reaches(*last)) {
            links.add(&pages.page(last), "last");
        }
    }
    links
}
