//! A page of records: in the article's shape (the records under the resource's name, total, page,
//! limit, and where the next page is), or the records alone.

use contract::link::Links;
use http::header;
use model::model::Resource;
use model::query::{self, Count, Query};
use model::record;
use store::lookup::{Found, Row, Total};

use super::field;
use super::rows::{self, Format};
use crate::answer::Answer;
use crate::call::Call;
use crate::response::tag;

/// What of the offset limit the links may point at.
struct Pages<'a> {
    call: &'a Call,
    resource: &'a Resource,
    query: &'a Query,
}

impl Pages<'_> {
    fn url(&self, page: u32) -> String {
        let terms = query::canonical(self.resource, &self.query.with_page(page));
        let base = format!("{}/{}", self.call.model.prefix, self.resource.name);
        format!("{base}?{terms}")
    }

    /// True where the content of QUERY holds what must not be in a URL (RFC 10008 §4): GET would
    /// refuse that URL, and it must not be written into fields.
    fn secret(&self) -> bool {
        let by_content = !self.call.routed.row.accepts.is_empty();
        let terms = || query::canonical(self.resource, self.query);
        by_content && crate::route::secret_in(&terms(), Some(self.resource)).is_some()
    }

    /// True where GET would answer this page.
    fn reaches(&self, page: u32) -> bool {
        self.query.with_page(page).offset() <= self.call.offset_max
    }
}

pub(super) fn render(call: &Call, found: &Found) -> Answer {
    let (_, resource) = call.resource();
    let query = call.query.as_ref().expect("lists are asked for with a query");
    let pages = Pages { call, resource, query };
    let limit = query.limit as usize;
    let shown = &found.rows[..found.rows.len().min(limit)];
    let more = has_more(query, found, shown.len());
    let next = (more && !pages.secret()).then(|| pages.url(query.page + 1));
    let content = match Format::of(call.media) {
        Format::Json => json(&pages, found, shown, next.as_deref()),
        Format::Ndjson | Format::Csv => rows::page(call, shown),
    };
    let mut answer = Answer::new(200, call.media, content);
    let location = pages.url(query.page);
    if location.len() <= URL_BYTES_MAX && !pages.secret() {
        if let Some(links) = links(&pages, found.total, next.as_deref()).value() {
            answer.fields.push((header::LINK, links));
        }
        // RFC 10008 §2.4: where the same query can be had by GET.
        if !call.routed.row.accepts.is_empty() {
            answer.fields.push((header::LOCATION, field(&location)));
        }
    }
    answer.version = tag::list(found, &call.salt);
    answer
}

/// The records in the article's shape.
fn json(pages: &Pages<'_>, found: &Found, shown: &[Row], next: Option<&str>) -> Vec<u8> {
    let Pages { resource, query, .. } = pages;
    let mut content = Vec::with_capacity(64 + shown.len() * 200);
    content.push(b'{');
    record::write_value(&mut content, &model::value::Value::Text(resource.name.clone()));
    content.extend_from_slice(b":[");
    for (position, row) in shown.iter().enumerate() {
        if position > 0 {
            content.push(b',');
        }
        record::write_json(&mut content, resource, &row.record, query.fields.as_deref());
    }
    content.push(b']');
    if let Some(total) = found.total {
        let bound = if total.is_lower_bound { ",\"totalIsLowerBound\":true" } else { "" };
        content.extend_from_slice(format!(",\"total\":{}{bound}", total.records).as_bytes());
    }
    let (page, limit) = (query.page, query.limit);
    content.extend_from_slice(format!(",\"page\":{page},\"limit\":{limit}").as_bytes());
    if let Some(next) = next {
        content.extend_from_slice(b",\"next\":");
        record::write_value(&mut content, &model::value::Value::Text(next.to_owned()));
    }
    content.push(b'}');
    content
}

/// URLs longer than this are cut by some browsers and proxies, and four of them in Link make a
/// header section that clients refuse: some take no more than 16 KiB.
const URL_BYTES_MAX: usize = 2048;

fn has_more(query: &Query, found: &Found, shown: usize) -> bool {
    match found.total {
        Some(total) if query.filter.is_all() && query.count != Count::None => {
            query.offset() + (shown as u64) < total.records
        }
        _ => found.rows.len() > shown,
    }
}

fn links(pages: &Pages<'_>, total: Option<Total>, next: Option<&str>) -> Links {
    let query = pages.query;
    let mut links = Links::new();
    links.add(&pages.url(1), "first");
    if query.page > 1 {
        links.add(&pages.url(query.page - 1), "prev");
    }
    if let Some(next) = next {
        links.add(next, "next");
    }
    if let Some(total) = total.filter(|total| !total.is_lower_bound) {
        let last = total.records.div_ceil(u64::from(query.limit)).max(1);
        if let Some(last) = u32::try_from(last).ok().filter(|last| pages.reaches(*last)) {
            links.add(&pages.url(last), "last");
        }
    }
    links
}
