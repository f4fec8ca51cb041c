//! Link: typed links to other resources (RFC 8288).

use std::fmt::Write as _;

use http::HeaderValue;

/// The links of one answer, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links(String);

impl Links {
    /// No links.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a link. `target` is a URI reference, relative to the request's target (§3.1); what
    /// cannot stand in one is percent-encoded. `rel` is a relation type of RFC 8288 §2.1.
    pub fn add(&mut self, target: &str, rel: &str) -> &mut Self {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        self.0.push('<');
        for byte in target.bytes() {
            if is_uri(byte) {
                self.0.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(self.0, "%{byte:02X}");
            }
        }
        self.0.push_str(">; rel=\"");
        self.0.extend(rel.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')));
        self.0.push('"');
        self
    }

    /// True where nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the Link field; `None` where nothing was added.
    #[must_use]
    pub fn value(&self) -> Option<HeaderValue> {
        if self.0.is_empty() { None } else { HeaderValue::try_from(self.0.as_str()).ok() }
    }
}

/// The characters that can stand in a URI reference (RFC 3986 §2), `%` included: the target is
/// encoded already.
const fn is_uri(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'/'
                | b'?'
                | b'#'
                | b'['
                | b']'
                | b'@'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b'%'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(target: &str, rel: &str) -> String {
        let mut links = Links::new();
        links.add(target, rel);
        links.0
    }

    #[test]
    fn links_join_in_one_field() {
        let mut links = Links::new();
        assert!(links.is_empty());
        assert_eq!(links.value(), None);
        links.add("/api/users?page=1", "first").add("/api/users?page=3", "next");
        let value = links.value();
        assert_eq!(
            value.as_ref().map(HeaderValue::as_bytes),
            Some(&b"</api/users?page=1>; rel=\"first\", </api/users?page=3>; rel=\"next\""[..])
        );
    }

    #[test]
    fn a_target_cannot_leave_its_brackets() {
        assert_eq!(one("/a?b=c,d;e=%20", "self"), "</a?b=c,d;e=%20>; rel=\"self\"");
        assert_eq!(one("/a>; rel=\"x\"\r\n", "self"), "</a%3E;%20rel=%22x%22%0D%0A>; rel=\"self\"");
        assert_eq!(one("/\u{e9}", "self"), "</%C3%A9>; rel=\"self\"");
    }

    #[test]
    fn a_relation_cannot_leave_its_quotes() {
        assert_eq!(one("/", "a\"; b=\\\"\r\nc"), "</>; rel=\"a; b=c\"");
        assert_eq!(one("/", "first prev"), "</>; rel=\"first prev\"");
    }
}
