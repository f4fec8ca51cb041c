//! Forms: what is read can be written and is read again; what a form means, a record can hold.

use bytes::Bytes;
use contract::media_type::MediaType;
use contract::problem::Place;
use engine::form;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, header};
use model::form::read_pairs;
use model::record::{self, Purpose};

use crate::query::encoded;
use crate::record::survives;
use crate::world::{MODEL, halves};

type Pairs = Vec<(String, String)>;

pub(crate) fn urlencoded(data: &[u8]) {
    let pairs = form::pairs(data);
    assert_eq!(form::pairs(encoded(&pairs).as_bytes()), pairs);
    means(&pairs);
}

/// The documents that the pairs mean, and the records that those are.
fn means(pairs: &[(String, String)]) {
    for resource in &MODEL.resources {
        match read_pairs(resource, pairs) {
            Ok(document) => {
                if let Ok(draft) = record::read(&MODEL, resource, &document, Purpose::Create) {
                    survives(resource, draft);
                }
            }
            Err(violations) => assert!(!violations.is_empty()),
        }
    }
}

/// The value of Content-Type, a line feed, the content.
pub(crate) fn multipart(data: &[u8]) {
    let Some((media_type, content)) = halves(data) else { return };
    let Ok(value) = HeaderValue::from_bytes(media_type) else { return };
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value)]);
    let Ok(Some(media_type)) = MediaType::read(&headers) else { return };
    let Some(pairs) = parts(&media_type, content) else { return };
    means(&pairs);
    if let Some((boundary, content)) = written(&pairs) {
        let media_type = MediaType { boundary: Some(boundary), ..media_type };
        assert_eq!(parts(&media_type, content.as_bytes()), Some(pairs), "{content}");
    }
}

fn parts(media_type: &MediaType, content: &[u8]) -> Option<Pairs> {
    let content = Bytes::copy_from_slice(content);
    let read = form::multipart(media_type, &content).now_or_never();
    match read.unwrap_or_else(|| panic!("waits for content that is all there")) {
        Ok(pairs) => Some(pairs),
        Err(problem) => {
            // One part of the form, whatever its name holds.
            for violation in &problem.errors {
                let Place::Pointer(pointer) = &violation.place else { panic!("{violation:?}") };
                assert_eq!(pointer.rfind('/'), Some(0), "{pointer}");
            }
            None
        }
    }
}

/// The form as RFC 7578 has it written, where its names need no escapes.
fn written(pairs: &[(String, String)]) -> Option<(String, String)> {
    let plain = |(name, _): &(String, String)| !name.contains(['"', '\\', '\r', '\n', '\0']);
    if !pairs.iter().all(plain) {
        return None;
    }
    let taken = |boundary: &String| pairs.iter().any(|(_, value)| value.contains(boundary));
    let boundary = (0..).map(|number| format!("b{number}")).find(|boundary| !taken(boundary))?;
    let mut out = String::new();
    for (name, value) in pairs {
        out.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    out.push_str(&format!("--{boundary}--\r\n"));
    Some((boundary, out))
}
