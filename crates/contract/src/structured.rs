//! Writing structured fields (RFC 9651): lists of Strings, the one shape that is sent
//! (Accept-Query, Cache-Groups).

use http::HeaderValue;

/// A List of Strings: `"a", "b"`; `None` where it would be empty, since an empty list is not
/// sent at all (§4.1), or where a text holds anything but printable ASCII (§3.3.3).
#[must_use]
pub fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<HeaderValue> {
    let mut value = String::new();
    for text in texts {
        if !value.is_empty() {
            value.push_str(", ");
        }
        value.push('"');
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => value.push('\\'),
                b' '..=b'~' => {}
                _ => return None,
            }
            value.push(char::from(byte));
        }
        value.push('"');
    }
    if value.is_empty() { None } else { HeaderValue::try_from(value).ok() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sfv::{BareItem, List, ListEntry, Parser};

    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let texts = ["users", "", "a\"b", "a\\b", "a, b"];
        let value = strings(texts).unwrap();
        assert_eq!(value, r#""users", "", "a\"b", "a\\b", "a, b""#);
        let list: List = Parser::new(value.as_bytes()).parse().unwrap();
        let read: Vec<_> = list
            .iter()
            .map(|entry| match entry {
                ListEntry::Item(item) => match &item.bare_item {
                    BareItem::String(text) => text.as_str(),
                    other => panic!("{other:?}"),
                },
                ListEntry::InnerList(list) => panic!("{list:?}"),
            })
            .collect();
        assert_eq!(read, texts);
    }

    #[test]
    fn an_empty_list_and_other_characters_have_no_value() {
        assert_eq!(strings([]), None);
        assert_eq!(strings(["\u{e9}"]), None);
        assert_eq!(strings(["a\nb"]), None);
    }
}
