//! The head of an answer whose content is read while it is sent. It is no state of the list that
//! could be asked for again: chunks come from different moments, so it has no validators and no
//! cache may keep it.

use bytes::Bytes;
use contract::freshness::NO_STORE;
use contract::negotiate::Coding;
use contract::precondition::{Validators, Verdict};
use contract::problem::Problem;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};

use super::{VARY, describe, finish, precondition_failed};
use crate::call::Call;
use crate::coding;
use crate::content::Content;
use crate::stream::Records;

/// Turns a list that has been begun into a response. What is there to its end already is sent
/// whole, with its length.
///
/// # Errors
/// 412 where a condition is false: `*` names the list, which is there, and no tag does.
pub(crate) fn begin(
    call: &Call,
    records: Records,
    coding_bytes_min: usize,
    timing: &str,
) -> Result<Response<Content>, Problem> {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(header::VARY, VARY);
    describe(call, &mut headers);
    let verdict = call.conditions.evaluate(call.routed.nature, Some(&Validators::UNTAGGED));
    let mut response = match verdict {
        Verdict::Failed(name) => return Err(precondition_failed(name)),
        Verdict::NotModified => Response::new(Content::Whole(Bytes::new())),
        Verdict::Proceed => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(call.media));
            Response::new(content(call, records, coding_bytes_min, &mut headers))
        }
    };
    if verdict == Verdict::NotModified {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    *response.headers_mut() = headers;
    finish(call, &mut response, timing);
    Ok(response)
}

/// The content in its coding, with the fields that describe it.
fn content(
    call: &Call,
    mut records: Records,
    coding_bytes_min: usize,
    headers: &mut HeaderMap,
) -> Content {
    let whole = records.take_whole();
    let small = whole.as_ref().is_some_and(|whole| whole.len() < coding_bytes_min);
    let coding = if small && !call.identity_refused { Coding::Identity } else { call.coding };
    if coding != Coding::Identity {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    }
    let Some(whole) = whole else {
        records.code(coding);
        return Content::Stream(records);
    };
    let whole = coding::encode(coding, whole);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    Content::Whole(if call.routed.nature.bare { Bytes::new() } else { whole.into() })
}
