//! Idempotency-Key: reading it, and what a remembered one means
//! (draft-ietf-httpapi-idempotency-key-header).

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Item, Parser};

use crate::fault::{self, Fault};
use crate::problem::{Kind, Problem, Violation};

const FIELD: HeaderName = HeaderName::from_static("idempotency-key");
const SPELLED: &str = "Idempotency-Key";

/// The longest key that is taken, in characters.
const LONGEST: usize = 255;

/// The shortest key that nobody guesses: 22 characters hold 128 random bits in base64.
const UNGUESSABLE: usize = 22;

/// A key that a client chose for one intended effect. It is no secret of ours, and yet not to be
/// repeated: whoever knows it may ask for the answer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// Reads Idempotency-Key; `None` where it is absent. The quoted String of the draft and the
    /// bare form that Stripe's clients send are the same key.
    ///
    /// # Errors
    /// 400 where it is sent twice, empty, longer than 255 characters, or holds anything but
    /// printable ASCII; in the bare form also a space, a comma or a double quote. Nothing of the
    /// kind is dropped silently, since the client relies on it.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut lines = headers.get_all(FIELD).iter();
        let Some(line) = lines.next() else { return Ok(None) };
        if lines.next().is_some() {
            return Err(refusal("Idempotency-Key is sent more than once. Send it once."));
        }
        let line = line.as_bytes().trim_ascii();
        let key = if line.starts_with(b"\"") { quoted(line)? } else { bare(line)? };
        match key.len() {
            0 => Err(refusal("Idempotency-Key is empty. Send a fresh UUID.")),
            1..=LONGEST => Ok(Some(Self(key))),
            _ => Err(refusal("Idempotency-Key is longer than 255 characters. Send a fresh UUID.")),
        }
    }

    /// The key, without quotes and escapes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True where the key is long enough for a caller who is not signed in: what such a key
    /// protects is open to whoever guesses it.
    #[must_use]
    pub fn is_unguessable(&self) -> bool {
        self.0.len() >= UNGUESSABLE
    }
}

/// Shows the length only.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({} characters)", self.0.len())
    }
}

/// What a key means for the request that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recall {
    /// Nothing is remembered: do it, and remember the answer with it.
    First,
    /// The same request again: answer what is remembered.
    Replay,
    /// Another request under a used key: 422.
    Reused,
}

/// Compares the fingerprint that is remembered under a key with that of the request.
#[must_use]
pub fn verdict(remembered: Option<&[u8; 16]>, fingerprint: &[u8; 16]) -> Recall {
    match remembered {
        None => Recall::First,
        Some(_) if fault::on(Fault::FingerprintIgnored) => Recall::Replay,
        Some(first) if first == fingerprint => Recall::Replay,
        Some(_) => Recall::Reused,
    }
}

/// The form of the draft: an Item whose value is a String (RFC 9651 §3.3.3). Parameters mean
/// nothing here.
fn quoted(line: &[u8]) -> Result<String, Problem> {
    match Parser::new(line).parse::<Item>() {
        Ok(Item { bare_item: BareItem::String(key), .. }) => Ok(key.as_str().to_owned()),
        _ => Err(refusal(
            "Idempotency-Key starts with a double quote and is not a String of RFC 9651 §3.3.3: \
             printable ASCII up to the closing quote, with \\\" and \\\\ as the only escapes.",
        )),
    }
}

/// The form without quotes: visible ASCII, no comma, no double quote.
fn bare(line: &[u8]) -> Result<String, Problem> {
    if line.iter().all(|byte| matches!(byte, b'!' | b'#'..=b'+' | b'-'..=b'~')) {
        return Ok(line.iter().map(|&byte| char::from(byte)).collect());
    }
    Err(refusal(
        "Idempotency-Key holds a space, a comma, a double quote or a character outside ASCII. \
         Send a fresh UUID, quoted or bare.",
    ))
}

fn refusal(detail: &str) -> Problem {
    Problem::new(Kind::KeyMalformed, detail).with_errors(vec![Violation::field(SPELLED, detail)])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(lines: &[&[u8]]) -> Result<Option<String>, Kind> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FIELD, HeaderValue::from_bytes(line).unwrap());
        }
        let key = Key::read(&headers).map_err(|problem| problem.kind)?;
        Ok(key.map(|key| key.as_str().to_owned()))
    }

    #[test]
    fn quoted_and_bare_are_the_same_key() {
        const UUID: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";
        let same = Ok(Some(UUID.to_owned()));
        assert_eq!(read(&[UUID.as_bytes()]), same);
        assert_eq!(read(&[format!("\"{UUID}\"").as_bytes()]), same);
        assert_eq!(read(&[format!("  \"{UUID}\" ").as_bytes()]), same);
        assert_eq!(read(&[format!("\"{UUID}\";v=1").as_bytes()]), same);
    }

    #[test]
    fn what_is_a_key() {
        let longest = "k".repeat(255);
        for (sent, key) in [
            ("a", "a"),
            ("0", "0"),
            ("order_42:try;1", "order_42:try;1"),
            ("?1", "?1"),
            (":YQ==:", ":YQ==:"),
            (r#""a,b c""#, "a,b c"),
            (r#""a\"b\\""#, r#"a"b\"#),
            (longest.as_str(), longest.as_str()),
        ] {
            assert_eq!(read(&[sent.as_bytes()]), Ok(Some(key.to_owned())), "{sent}");
        }
        assert_eq!(read(&[]), Ok(None));
    }

    #[test]
    fn what_is_not_a_key() {
        let longer = "k".repeat(256);
        let longer_quoted = format!("\"{longer}\"");
        for sent in [
            "",
            "   ",
            r#""""#,
            r#"""#,
            r#""a"#,
            r#"a""#,
            r#""a"b"#,
            r#""a" b"#,
            r#""a", "b""#,
            r#""a\n""#,
            "a b",
            "a,b",
            "a\tb",
            &longer,
            &longer_quoted,
        ] {
            assert_eq!(read(&[sent.as_bytes()]), Err(Kind::KeyMalformed), "{sent}");
        }
        assert_eq!(read(&[b"a", b"a"]), Err(Kind::KeyMalformed));
        assert_eq!(read(&[b"\xe9"]), Err(Kind::KeyMalformed));
        assert_eq!(read(&[b"\"\xc3\xa9\""]), Err(Kind::KeyMalformed));
    }

    #[test]
    fn a_refusal_does_not_repeat_the_key() {
        let mut headers = HeaderMap::new();
        headers.insert(FIELD, "sesame, open".parse().unwrap());
        let problem = Key::read(&headers).unwrap_err();
        assert!(!format!("{problem:?}").contains("sesame"));
        headers.insert(FIELD, "sesame".parse().unwrap());
        let key = Key::read(&headers).unwrap().unwrap();
        assert!(!format!("{key:?}").contains("sesame"));
    }

    #[test]
    fn unguessable_is_22_characters() {
        for (sent, enough) in [("k".repeat(21), false), ("k".repeat(22), true)] {
            assert_eq!(Key(sent).is_unguessable(), enough);
        }
    }

    #[test]
    fn the_same_fingerprint_is_a_replay_and_another_a_mistake() {
        assert_eq!(verdict(None, &[1; 16]), Recall::First);
        assert_eq!(verdict(Some(&[1; 16]), &[1; 16]), Recall::Replay);
        assert_eq!(verdict(Some(&[2; 16]), &[1; 16]), Recall::Reused);
    }
}
