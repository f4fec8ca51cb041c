//! The pieces that field values are made of: lists, tokens, quoted strings, parameters
//! (RFC 9110 §5.6). Everything works on bytes, because a field may hold any.

use http::{HeaderMap, HeaderName};

/// The members of a list field, over all its lines (RFC 9110 §5.3 and §5.6.1). Empty members are
/// passed over, as a recipient must.
pub(crate) fn members<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).into_iter();
    lines.flat_map(|line| split(line.as_bytes(), b',')).filter(|member| !member.is_empty())
}

/// Cuts at a separator that stands outside quoted strings, and trims what is left.
pub(crate) fn split(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    let cut = move |&byte: &u8| {
        if escaped {
            escaped = false;
        } else if byte == b'"' {
            quoted = !quoted;
        } else if quoted {
            escaped = byte == b'\\';
        } else {
            return byte == separator;
        }
        false
    };
    value.split(cut).map(<[u8]>::trim_ascii)
}

/// `tchar` (RFC 9110 §5.6.2).
pub(crate) const fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// A token (RFC 9110 §5.6.2), as text.
pub(crate) fn token(bytes: &[u8]) -> Option<&str> {
    if bytes.is_empty() || !bytes.iter().all(|&byte| is_tchar(byte)) {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}

/// A token or a quoted string (RFC 9110 §5.6.4), without its quotes and escapes. Text outside
/// ASCII has no agreed encoding in a field and is refused.
pub(crate) fn word(bytes: &[u8]) -> Option<String> {
    let Some(inner) = bytes.strip_prefix(b"\"") else {
        return token(bytes).map(str::to_owned);
    };
    let inner = inner.strip_suffix(b"\"")?;
    let mut text = String::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        let byte = match byte {
            b'\\' => *bytes.next()?,
            b'"' => return None,
            other => other,
        };
        if !matches!(byte, b'\t' | b' '..=b'~') {
            return None;
        }
        text.push(char::from(byte));
    }
    Some(text)
}

/// `name=value` (RFC 9110 §5.6.6): the name in lower case, the value without quotes. No
/// whitespace stands around `=`.
pub(crate) fn parameter(piece: &[u8]) -> Option<(String, String)> {
    let at = piece.iter().position(|&byte| byte == b'=')?;
    let (name, value) = piece.split_at(at);
    Some((token(name)?.to_ascii_lowercase(), word(&value[1..])?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn cut(value: &str) -> Vec<&str> {
        split(value.as_bytes(), b',').map(|piece| std::str::from_utf8(piece).unwrap()).collect()
    }

    #[test]
    fn a_separator_in_a_quoted_string_does_not_cut() {
        assert_eq!(cut("a, b ,c"), ["a", "b", "c"]);
        assert_eq!(cut(r#"a="x,y", b"#), [r#"a="x,y""#, "b"]);
        assert_eq!(cut(r#"a="x\",y", b"#), [r#"a="x\",y""#, "b"]);
        assert_eq!(cut(r#"a="\\",b"#), [r#"a="\\""#, "b"]);
        assert_eq!(cut(",, a"), ["", "", "a"]);
        assert_eq!(cut(""), [""]);
    }

    #[test]
    fn members_come_from_every_line_and_empty_ones_are_passed_over() {
        let mut headers = HeaderMap::new();
        headers.append("prefer", "a, , b".parse().unwrap());
        headers.append("prefer", "".parse().unwrap());
        headers.append("prefer", "c".parse().unwrap());
        let name = HeaderName::from_static("prefer");
        assert_eq!(members(&headers, &name).collect::<Vec<_>>(), [b"a", b"b", b"c"]);
    }

    #[test]
    fn words_are_tokens_or_quoted_strings() {
        for (sent, read) in [
            ("a", Some("a")),
            ("utf-8", Some("utf-8")),
            (r#""""#, Some("")),
            (r#""a b""#, Some("a b")),
            (r#""a\"b\\""#, Some(r#"a"b\"#)),
            (r#""a\bc""#, Some("abc")),
            ("", None),
            ("a b", None),
            (r#"""#, None),
            (r#""a"#, None),
            (r#""a"b""#, None),
            (r#""a\"#, None),
            (r#""a\""#, None),
            ("\u{e9}", None),
            ("\"\u{e9}\"", None),
            ("\"\u{7f}\"", None),
        ] {
            assert_eq!(word(sent.as_bytes()).as_deref(), read, "{sent}");
        }
    }

    #[test]
    fn parameters_are_a_token_an_equals_sign_and_a_word() {
        let read = |piece: &str| parameter(piece.as_bytes());
        assert_eq!(read("Charset=UTF-8"), Some(("charset".into(), "UTF-8".into())));
        assert_eq!(read(r#"a="b=c""#), Some(("a".into(), "b=c".into())));
        for wrong in ["", "a", "a=", "=b", "a =b", "a= b", "a=b c"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
