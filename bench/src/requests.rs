//! Requests as bytes, made before anything is measured.

use crate::data;

/// Where the requests of a connection come from.
pub(crate) trait Source {
    /// The next request.
    fn next(&mut self) -> &[u8];
}

/// Requests that come round again.
pub(crate) struct Pool {
    requests: Vec<Vec<u8>>,
    at: usize,
}

impl Pool {
    /// Requests in this order.
    pub(crate) fn new(requests: Vec<Vec<u8>>) -> Self {
        Self { requests, at: 0 }
    }
}

impl Source for Pool {
    fn next(&mut self) -> &[u8] {
        self.at = if self.at + 1 < self.requests.len() { self.at + 1 } else { 0 };
        &self.requests[self.at]
    }
}

/// Creations, each with an Idempotency-Key that was never sent before.
pub(crate) struct Keyed {
    pool: Pool,
    request: Vec<u8>,
    count: u64,
}

const KEY_FIELD: &str = "idempotency-key: ";
/// Where the digits of a key begin in the first field of a request.
const KEY_DIGITS: usize = 20;

impl Keyed {
    /// Keys that begin with a number of their own, over these requests.
    pub(crate) fn new(series: u64, size: u64) -> Self {
        let requests =
            creations(size, &format!("{KEY_FIELD}\"00000000-{series:08x}-{:020}\"\r\n", 0));
        Self { pool: Pool::new(requests), request: Vec::new(), count: 0 }
    }
}

impl Source for Keyed {
    fn next(&mut self) -> &[u8] {
        self.count += 1;
        let request = self.pool.next();
        self.request.clear();
        self.request.extend_from_slice(request);
        stamp(&mut self.request, self.count);
        &self.request
    }
}

/// Writes a count into the key of a request.
fn stamp(request: &mut [u8], mut count: u64) {
    let line = memchr::memmem::find(request, KEY_FIELD.as_bytes()).unwrap_or(0);
    let start = line + KEY_FIELD.len() + 1 + 9 + 9;
    for digit in request[start..start + KEY_DIGITS].iter_mut().rev() {
        *digit = b'0' + u8::try_from(count % 10).unwrap_or(0);
        count /= 10;
    }
}

/// A read, as the common clients send it.
pub(crate) fn get(target: &str, fields: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n{fields}\r\n").into_bytes()
}

/// The item of a user.
pub(crate) fn item(id: u64) -> String {
    format!("/api/users/{id}")
}

/// Reads of orders drawn at random among so many.
pub(crate) fn orders(size: u64, count: u64) -> Vec<Vec<u8>> {
    let order = |draw| format!("/api/orders/{}", 1 + data::mix(draw) % size);
    (0..count).map(|draw| get(&order(draw), "")).collect()
}

/// A write with content of a media type.
pub(crate) fn post(target: &str, form: &str, content: &str) -> Vec<u8> {
    send(&format!("POST {target}"), form, "", content)
}

/// A write by any method, which stands before the target, with these fields beside.
pub(crate) fn send(start: &str, form: &str, fields: &str, content: &str) -> Vec<u8> {
    format!(
        "{start} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n{fields}\
         content-type: {form}\r\ncontent-length: {}\r\n\r\n{content}",
        content.len()
    )
    .into_bytes()
}

/// The first ten by name, with the total.
pub(crate) const LIST: &str = "/api/users?page=1&limit=10&sort=name";

/// The same list in so many spellings: letters stand for themselves or as `%XX`. Whoever keeps
/// answers by what was asked has none of these, so that each is made anew.
pub(crate) fn spellings(count: u64) -> Vec<Vec<u8>> {
    let (path, query) = LIST.split_once('?').unwrap_or((LIST, ""));
    let spelt = |draw: u64| {
        let mut mask = draw;
        let mut target = format!("{path}?");
        for letter in query.chars() {
            if letter.is_ascii_lowercase() && take_bit(&mut mask) {
                target.push_str(&format!("%{:02X}", u32::from(letter)));
            } else {
                target.push(letter);
            }
        }
        get(&target, "")
    };
    (0..count).map(spelt).collect()
}

fn take_bit(mask: &mut u64) -> bool {
    let bit = *mask & 1 == 1;
    *mask >>= 1;
    bit
}

/// Reads of items drawn at random among so many.
pub(crate) fn items(size: u64, count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|draw| get(&item(1 + data::mix(draw) % size), "")).collect()
}

/// Reads of the users of one name, drawn at random.
pub(crate) fn filtered(size: u64, count: u64) -> Vec<Vec<u8>> {
    let target = |draw| {
        let user = data::User::of(1 + data::mix(draw) % size);
        format!("/api/users?name={}&limit=10", user.name.replace(' ', "%20"))
    };
    (0..count).map(|draw| get(&target(draw), "")).collect()
}

/// Creations of users, with these fields beside.
pub(crate) fn creations(size: u64, fields: &str) -> Vec<Vec<u8>> {
    let request = |number| {
        let content = data::User::of(size + number).content();
        send("POST /api/users", "application/json", fields, &content)
    };
    (0..4096).map(request).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Keyed, Source, spellings};
    use std::collections::HashSet;

    #[test]
    fn spellings_differ() {
        let requests = spellings(65_536);
        assert_eq!(requests.iter().collect::<HashSet<_>>().len(), 65_536);
        let plain = b"GET /api/users?page=1&limit=10&sort=name HTTP/1.1";
        assert!(requests[0].starts_with(plain));
        assert!(requests[1].starts_with(b"GET /api/users?%70age=1&limit=10&sort=name HTTP/1.1"));
    }

    #[test]
    fn keys_differ_and_nothing_else_is_touched() {
        let mut source = Keyed::new(7, 100);
        let first = String::from_utf8(source.next().to_vec()).unwrap();
        let key = "idempotency-key: \"00000000-00000007-00000000000000000001\"\r\n";
        assert!(first.contains(key), "{first}");
        let second = String::from_utf8(source.next().to_vec()).unwrap();
        assert!(second.contains("-00000000000000000002\"\r\n"), "{second}");
    }
}
