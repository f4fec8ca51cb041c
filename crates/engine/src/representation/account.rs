//! What whoever signs in or out is told. Tokens stand here once and nowhere else.

use http::header;
use model::record;

use super::field;
use crate::answer::Answer;
use crate::call::{Call, Then};
use crate::cookie;
use crate::origin::Bearing;
use crate::outcome::SignedIn;

/// The token for a program; a cookie and the way on for a browser.
pub(super) fn signed_in(call: &Call, signed: &SignedIn) -> Answer {
    if let Then::Visit(path) = &signed.then {
        let cookie =
            cookie::set(&signed.token, call.settings.session_lifetime, call.admitted.scheme);
        let mut answer = visit(path);
        answer.fields.push((header::SET_COOKIE, cookie));
        return answer;
    }
    let mut content = Vec::with_capacity(512);
    content.extend_from_slice(b"{\"token\":");
    record::write_text(&mut content, &signed.token);
    content.extend_from_slice(b",\"tokenType\":\"Bearer\",\"expiresAt\":");
    record::write_text(&mut content, &signed.expires_at.text());
    content.extend_from_slice(b",\"user\":");
    user(&mut content, signed);
    content.push(b'}');
    Answer::new(200, call.media, content)
}

/// The cookie goes, where it is what the session came under: beside Authorization it is as good as
/// absent, and may be of another session.
pub(super) fn signed_out(call: &Call, then: &Then) -> Answer {
    let mut answer = settled(call, "signed-out", then);
    if call.admitted.bearing == Bearing::Cookie {
        answer.fields.push((header::SET_COOKIE, cookie::clear(call.admitted.scheme)));
    }
    answer
}

/// Something was done that there is nothing to show of.
pub(super) fn settled(call: &Call, status: &str, then: &Then) -> Answer {
    if let Then::Visit(path) = then {
        return visit(path);
    }
    if call.routed.row.minimal && call.preferences.minimal {
        return super::minimal(204);
    }
    Answer::new(200, call.media, format!("{{\"status\":\"{status}\"}}").into_bytes())
}

/// 303: whatever was sent is not sent again by going back or on (RFC 9110 §15.4.4).
fn visit(path: &str) -> Answer {
    let mut answer = Answer::new(303, "", Vec::new());
    answer.fields.push((header::LOCATION, field(path)));
    answer
}

/// A user as it sees itself: as GET of the record shows it, and by its id alone where it may not
/// read that.
fn user(out: &mut Vec<u8>, signed: &SignedIn) {
    if let (Some(index), Some(record)) = (signed.model.users(), &signed.shown) {
        return record::write_json(out, &signed.model.resources[index], record, None);
    }
    out.extend_from_slice(b"{\"id\":");
    record::write_value(out, &signed.user.to_value());
    out.push(b'}');
}
