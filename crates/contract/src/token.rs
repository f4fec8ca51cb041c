//! The form of our own tokens: what tells whose they are, and 256 random bits in base64url. Only
//! their hashes are kept.

use sha2::{Digest, Sha256};

use crate::secret::{KEY, SESSION};

/// Characters behind the prefix: 256 bits in base64url without padding (RFC 4648 §5).
const CHARACTERS: usize = 43;
/// Characters of a token that may be shown, so that its owner recognises it.
const SHOWN: usize = 9;

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A session of a user.
    Session,
    /// An API key of a program.
    Key,
}

/// What a text is, where it has the form of a token. Whether it is good only the store knows.
#[must_use]
pub fn parse(text: &str) -> Option<Token> {
    let (token, rest) = match (text.strip_prefix(SESSION), text.strip_prefix(KEY)) {
        (Some(rest), _) => (Token::Session, rest),
        (None, Some(rest)) => (Token::Key, rest),
        (None, None) => return None,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (rest.len() == CHARACTERS && rest.bytes().all(plain)).then_some(token)
}

/// What is kept of a token: SHA-256 of its text, prefix included. It has nothing that could be
/// guessed, so it needs neither salt nor time; and it is found by its hash, so that no comparison
/// tells by its time how much of a guess was right.
#[must_use]
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// How a token begins, which may be shown: 24 of its 256 bits.
#[must_use]
pub fn start(text: &str) -> &str {
    text.get(..SHOWN).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{Token, hash, parse, start};

    #[test]
    fn only_a_prefix_and_43_characters_are_a_token() {
        let bits = "AZaz09-_".repeat(6);
        let bits = &bits[..43];
        assert_eq!(parse(&format!("mtds_{bits}")), Some(Token::Session));
        assert_eq!(parse(&format!("mtdk_{bits}")), Some(Token::Key));
        for text in ["", "mtdk_", "mtdk_x", &format!("sk_{bits}"), &format!("MTDK_{bits}")] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("mtdk_{bits}A")), None);
        assert_eq!(parse(&format!("mtdk_{}=", &bits[..42])), None);
        assert_eq!(start(&format!("mtdk_{bits}")), "mtdk_AZaz");
    }

    #[test]
    fn what_is_kept_is_sha_256() {
        // FIPS 180-4, of "abc".
        assert_eq!(hash("abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
