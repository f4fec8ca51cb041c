//! Positions in the change log, as clients get them: where an entry stands, and of which life of
//! the database. To whoever sees all that changes the number is no secret. To whoever does not, it
//! would count what is hidden, and its standing still would say that nothing hidden has changed: so
//! it is sealed, each time differently.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::idempotency::hash;

/// How the positions of one answer are written and those of its request read.
#[derive(Clone)]
pub(crate) struct Positions {
    /// Which life of the database they are of.
    life: String,
    seal: Option<Seal>,
}

/// Seals positions.
#[derive(Clone, Copy)]
struct Seal {
    key: [u8; 16],
    /// Drawn for each answer, so that no two of them can be compared.
    draw: u64,
}

/// Bytes of a number, of what makes its seal differ, and of its signature.
const PART: usize = 8;

impl Positions {
    /// As plain numbers.
    pub(crate) fn plain(life: &str) -> Self {
        Self { life: life.to_owned(), seal: None }
    }

    /// Sealed by the secret of the database. `draw` is random.
    pub(crate) fn sealed(life: &str, secret: &[u8; 32], draw: u64) -> Self {
        let seal = Seal { key: hash(secret, "positions", &[]), draw };
        Self { life: life.to_owned(), seal: Some(seal) }
    }

    /// True where they are written for somebody who does not see all that changes.
    pub(crate) fn is_sealed(&self) -> bool {
        self.seal.is_some()
    }

    /// Writes a position.
    pub(crate) fn text(&self, number: i64) -> String {
        match &self.seal {
            None => format!("{number}-{}", self.life),
            Some(seal) => format!("{}-{}", seal.close(number, &self.life), self.life),
        }
    }

    /// The number of a position, -1 where it is of another life of the database, or of somebody who
    /// sees other things: it would be taken for what it is not, and is before all that there ever
    /// was. `None` where it is no position.
    pub(crate) fn number(&self, text: &str) -> Option<i64> {
        let (written, of) = text.split_at_checked(text.len().checked_sub(self.life.len())?)?;
        let written = written.strip_suffix('-')?;
        if of != self.life {
            let is_hex = of.bytes().all(|byte| byte.is_ascii_hexdigit());
            let is_plain = written.parse::<u64>().is_ok() && !written.starts_with('+');
            let is_sealed = URL_SAFE_NO_PAD.decode(written).is_ok_and(|it| it.len() == 3 * PART);
            return (is_hex && (is_plain || is_sealed)).then_some(-1);
        }
        match &self.seal {
            None => {
                let is_plain = written.bytes().all(|byte| byte.is_ascii_digit());
                written.parse().ok().filter(|_| is_plain)
            }
            Some(seal) => seal.open(written, of),
        }
    }
}

impl Seal {
    fn close(&self, number: i64, life: &str) -> String {
        // Another one for each number, or two seals together would tell how far apart they are.
        let salt = &hash(&self.key, "salt", &[&self.draw.to_string(), &number.to_string()])[..PART];
        let mut bytes = salt.to_vec();
        bytes.extend(number.to_be_bytes().iter().zip(self.pad(salt)).map(|(one, pad)| one ^ pad));
        let signature = self.signature(&bytes, life);
        bytes.extend_from_slice(&signature);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(&self, text: &str, life: &str) -> Option<i64> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 3 * PART)?;
        let (sealed, signature) = bytes.split_at(2 * PART);
        if self.signature(sealed, life) != signature {
            return None;
        }
        let (salt, number) = sealed.split_at(PART);
        let mut plain = [0; PART];
        for (at, pad) in self.pad(salt).enumerate() {
            plain[at] = number[at] ^ pad;
        }
        Some(i64::from_be_bytes(plain))
    }

    fn pad(&self, salt: &[u8]) -> impl Iterator<Item = u8> + use<> {
        hash(&self.key, "pad", &[&hex(salt)]).into_iter().take(PART)
    }

    fn signature(&self, sealed: &[u8], life: &str) -> Vec<u8> {
        hash(&self.key, "signature", &[&hex(sealed), life])[..PART].to_vec()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::Positions;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let plain = Positions::plain("dd5c1643");
        assert_eq!(plain.text(96), "96-dd5c1643");
        assert_eq!(plain.number("96-dd5c1643"), Some(96));
        assert_eq!(plain.number("96-00000000"), Some(-1), "of another life");
        for wrong in ["", "-", "96", "x-dd5c1643", "+9-dd5c1643", "-dd5c1643", "ä-dd5c1643"] {
            assert_eq!(plain.number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_sealed_one_tells_nothing_and_is_not_made_up() {
        let secret = [7; 32];
        let first = Positions::sealed("dd5c1643", &secret, 1);
        let second = Positions::sealed("dd5c1643", &secret, 2);
        assert_ne!(first.text(96), second.text(96), "nobody sees that it has not moved");
        for number in [0, 1, 96, i64::MAX] {
            assert_eq!(second.number(&first.text(number)), Some(number));
        }
        assert_eq!(first.number("96-dd5c1643"), None, "numbers are not taken");
        let mut forged = first.text(96).into_bytes();
        forged[12] = if forged[12] == b'A' { b'B' } else { b'A' };
        assert_eq!(first.number(&String::from_utf8(forged).expect("ASCII")), None);
        let other = Positions::sealed("00000000", &secret, 1);
        assert_eq!(first.number(&other.text(96)), Some(-1), "of another life");
        let plain = Positions::plain("00000000");
        assert_eq!(first.number(&plain.text(96)), Some(-1), "of who sees all");
        assert_eq!(plain.number(&first.text(96)), Some(-1), "of who sees a part");
        assert!(first.is_sealed() && !plain.is_sealed());
    }
}
