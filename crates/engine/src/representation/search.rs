//! What matches in every resource: each record with the name of its resource.

use contract::link::Links;
use http::header;
use model::query::View;
use model::record;

use super::{field, row};
use crate::answer::Answer;
use crate::call::Call;
use crate::outcome::{Hit, Hits, Seen};
use crate::response::tag;

pub(super) fn render(call: &Call, Seen { found, states }: &Seen<Hits>) -> Answer {
    let search = call.everywhere.as_ref().expect("searched with something to search for");
    let url = |page| format!("{}/search?{}", call.model.prefix, search.canonical(page));
    let mut content = Vec::with_capacity(64 + found.hits.len() * 256);
    content.extend_from_slice(b"{\"results\":[");
    for (position, hit) in found.hits.iter().enumerate() {
        if position > 0 {
            content.push(b',');
        }
        write(&mut content, call, hit);
    }
    let bound = if found.total.is_lower_bound { ",\"totalIsLowerBound\":true" } else { "" };
    let (total, page, limit) = (found.total.records, search.page, search.limit);
    content.extend_from_slice(
        format!("],\"total\":{total}{bound},\"page\":{page},\"limit\":{limit}").as_bytes(),
    );
    let most = call.settings.search_rows_max;
    let next = (found.has_next && search.reach(page + 1) <= most).then(|| url(page + 1));
    if let Some(next) = &next {
        content.extend_from_slice(b",\"next\":");
        record::write_text(&mut content, next);
    }
    content.push(b'}');
    let version = tag::list(call, states, &content);
    let mut answer = Answer { version, ..Answer::new(200, call.media, content) };
    let mut links = Links::new();
    links.add(&url(1), "first");
    if page > 1 {
        links.add(&url(page - 1), "prev");
    }
    if let Some(next) = &next {
        links.add(next, "next");
    }
    if let Some(links) = links.value() {
        answer.fields.push((header::LINK, links));
    }
    // RFC 10008 §2.4: where the same query can be had by GET.
    if call.routed.nature.safe && !call.routed.row.accepts.is_empty() {
        answer.fields.push((header::LOCATION, field(&url(page))));
    }
    answer
}

fn write(out: &mut Vec<u8>, call: &Call, hit: &Hit) {
    let resource = &call.model.resources[hit.resource];
    out.push(b'{');
    let start = out.len();
    record::write_name(out, start, "resource");
    record::write_text(out, &resource.name);
    record::write_name(out, start, "record");
    row::write(out, call, hit.resource, &hit.row, &View::default());
    let search = call.everywhere.as_ref().filter(|search| search.highlight);
    if let Some(search) = search {
        record::write_name(out, start, "highlights");
        row::write_highlights(out, resource, &hit.row, &search.terms);
    }
    out.push(b'}');
}
