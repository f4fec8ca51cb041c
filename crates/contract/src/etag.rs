//! Entity tags: reading, writing and the two comparisons (RFC 9110 §8.8.3).

use std::fmt;

use http::HeaderValue;

/// An entity tag (RFC 9110 §8.8.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityTag {
    /// `W/` stood before it: equal tags say that the content means the same, not that it is the
    /// same byte for byte.
    pub weak: bool,
    /// What stands between the quotes. There are no escapes in it; a byte outside ASCII is read
    /// as the character of the same number, so that different bytes stay different.
    pub opaque: String,
}

impl EntityTag {
    /// A strong tag. `opaque` holds printable ASCII without spaces and double quotes.
    pub fn strong(opaque: impl Into<String>) -> Self {
        let opaque = opaque.into();
        debug_assert!(opaque.bytes().all(is_etagc), "not an opaque-tag: {opaque}");
        Self { weak: false, opaque }
    }

    /// Reads exactly one tag. `W` is upper case (§8.8.3), quotes are required, and nothing is
    /// unescaped: `"a\"` is a whole tag.
    #[must_use]
    pub fn parse(text: impl AsRef<[u8]>) -> Option<Self> {
        let (tag, rest) = Self::take(text.as_ref())?;
        rest.is_empty().then_some(tag)
    }

    /// Reads a tag from the front; the second part is what follows it.
    pub(crate) fn take(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (weak, bytes) = match bytes.strip_prefix(b"W/") {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        let inner = bytes.strip_prefix(b"\"")?;
        let end = inner.iter().position(|&byte| byte == b'"')?;
        let (opaque, rest) = inner.split_at(end);
        if !opaque.iter().all(|&byte| is_etagc(byte)) {
            return None;
        }
        let opaque = opaque.iter().map(|&byte| char::from(byte)).collect();
        Some((Self { weak, opaque }, &rest[1..]))
    }

    /// Strong comparison (§8.8.3.2): both strong, and equal character by character.
    #[must_use]
    pub fn strong_eq(&self, other: &Self) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// Weak comparison (§8.8.3.2): equal character by character, weak or not.
    #[must_use]
    pub fn weak_eq(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }

    /// The value of an ETag field.
    #[must_use]
    pub fn value(&self) -> HeaderValue {
        let prefix: &[u8] = if self.weak { b"W/\"" } else { b"\"" };
        // Each character is the byte that it was read from, so that bytes come back as they came.
        let opaque = self.opaque.chars().map(|c| u8::try_from(c).unwrap_or(b'?'));
        let bytes: Vec<u8> = prefix.iter().copied().chain(opaque).chain([b'"']).collect();
        HeaderValue::from_bytes(&bytes)
            .expect("`strong` and `parse` let only characters of an opaque-tag in")
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.weak { "W/" } else { "" };
        write!(f, "{prefix}\"{}\"", self.opaque)
    }
}

/// `etagc` (§8.8.3): visible ASCII but for the double quote, and obs-text.
const fn is_etagc(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7E | 0x80..)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tag(text: &str) -> EntityTag {
        EntityTag::parse(text).unwrap()
    }

    #[test]
    fn the_comparisons_are_those_of_the_table_in_8_8_3_2() {
        for (first, second, strong, weak) in [
            (r#"W/"1""#, r#"W/"1""#, false, true),
            (r#"W/"1""#, r#"W/"2""#, false, false),
            (r#"W/"1""#, r#""1""#, false, true),
            (r#""1""#, r#""1""#, true, true),
            (r#""1""#, r#""2""#, false, false),
            (r#""a""#, r#""A""#, false, false),
        ] {
            for (first, second) in [(first, second), (second, first)] {
                assert_eq!(tag(first).strong_eq(&tag(second)), strong, "{first} {second}");
                assert_eq!(tag(first).weak_eq(&tag(second)), weak, "{first} {second}");
            }
        }
    }

    #[test]
    fn what_is_a_tag_and_what_is_not() {
        for (text, weak, opaque) in [
            (r#""xyzzy""#, false, "xyzzy"),
            (r#"W/"xyzzy""#, true, "xyzzy"),
            (r#""""#, false, ""),
            (r#""a,b""#, false, "a,b"),
            (r#""a\""#, false, r"a\"),
            (r#""!#~""#, false, "!#~"),
        ] {
            assert_eq!(tag(text), EntityTag { weak, opaque: opaque.into() });
            assert_eq!(tag(text).to_string(), text);
        }
        for text in [
            "",
            "xyzzy",
            "*",
            "\"",
            "\"a",
            "a\"",
            r#"w/"a""#,
            r#"W/ "a""#,
            r#"W"a""#,
            "W/a",
            r#""a b""#,
            r#""a"b""#,
            r#""a" "#,
            r#" "a""#,
            r#""a","b""#,
            "'a'",
            "\"a\u{7f}\"",
            "\"a\tb\"",
        ] {
            assert_eq!(EntityTag::parse(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_outside_ascii_stay_apart() {
        let read = |bytes: &[u8]| EntityTag::parse(bytes).unwrap();
        assert!(read(b"\"\xff\"").weak_eq(&read(b"W/\"\xff\"")));
        assert!(!read(b"\"\xff\"").weak_eq(&read(b"\"\xfe\"")));
    }

    #[test]
    fn a_tag_is_a_field_value() {
        assert_eq!(EntityTag::strong("7.j").value(), r#""7.j""#);
        assert_eq!(tag(r#"W/"7.j""#).value(), r#"W/"7.j""#);
        let bytes = EntityTag::parse(b"\"\xff\"").unwrap();
        assert_eq!(bytes.value().as_bytes(), b"\"\xff\"");
    }
}
