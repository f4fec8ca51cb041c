//! A certificate with its private key, as PEM has them (RFC 7468), and until when it is good.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;
use yasna::models::ObjectIdentifier;
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, Tag};

/// A pair, and from when until when it is good.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// What a handshake is made with.
    pub(crate) key: Arc<CertifiedKey>,
    /// When its time begins.
    pub(crate) begins: SystemTime,
    /// When its time ends.
    pub(crate) ends: SystemTime,
}

impl Pair {
    /// Reads a pair from the texts of two files, whose paths are for the words of a refusal.
    ///
    /// # Errors
    /// Says which file is wrong, and how.
    pub(crate) fn read(
        (certificate, at): (&[u8], &Path),
        (key, key_at): (&[u8], &Path),
    ) -> Result<Self, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let chain = chain.map_err(|fault| format!("{}: {}", at.display(), words(&fault)))?;
        let Some(first) = chain.first() else {
            return Err(format!(
                "{}: no certificate in it: a line `-----BEGIN CERTIFICATE-----` is expected",
                at.display()
            ));
        };
        let (begins, ends) = validity(first)
            .map_err(|_| format!("{}: its first certificate cannot be read", at.display()))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|fault| match fault {
            PemError::NoItemsFound => format!(
                "{}: no private key in it: a line `-----BEGIN PRIVATE KEY-----` is expected; one \
                 with a passphrase cannot be used",
                key_at.display()
            ),
            fault => format!("{}: {}", key_at.display(), words(&fault)),
        })?;
        let provider = aws_lc_rs::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(|fault| match fault {
            rustls::Error::InconsistentKeys(_) => format!(
                "{} is not the private key of the first certificate in {}",
                key_at.display(),
                at.display()
            ),
            fault => format!("{}: {fault}", key_at.display()),
        })?;
        Ok(Self { key: Arc::new(key), begins, ends })
    }

    /// True where it is good for all of these names.
    pub(crate) fn is_for(&self, names: &[String]) -> bool {
        let first = self.key.cert.first().and_then(|first| EndEntityCert::try_from(first).ok());
        let Some(first) = first else { return false };
        names.iter().all(|name| {
            let name = ServerName::try_from(name.as_str());
            name.is_ok_and(|name| first.verify_is_valid_for_subject_name(&name).is_ok())
        })
    }

    /// What is wrong with it at this time, if anything is: clients refuse it then.
    pub(crate) fn complaint(&self, now: SystemTime) -> Option<&'static str> {
        match now {
            now if now < self.begins => Some("is not good yet: is the clock right?"),
            now if now >= self.ends => Some("has expired: no client accepts it"),
            now if now + SOON >= self.ends => Some("expires in less than 7 days"),
            _ => None,
        }
    }
}

/// How long before its end a certificate is spoken of.
const SOON: Duration = Duration::from_hours(7 * 24);

fn words(fault: &PemError) -> String {
    match fault {
        PemError::NoItemsFound => "nothing in PEM is in it".to_owned(),
        PemError::MissingSectionEnd { .. } => {
            "a section has no end: the file was cut off".to_owned()
        }
        _ => "it is not PEM: base64 between lines `-----BEGIN …-----` and `-----END …-----`"
            .to_owned(),
    }
}

/// From when until when a certificate is good (RFC 5280 §4.1.2.5).
///
/// # Errors
/// It is no certificate.
pub(crate) fn validity(certificate: &[u8]) -> ASN1Result<(SystemTime, SystemTime)> {
    yasna::parse_der(certificate, |reader| {
        reader.read_sequence(|certificate| {
            let found = certificate.next().read_sequence(|body| {
                let version = Tag::context(0);
                body.read_optional(|reader| reader.read_tagged(version, |inner| inner.read_i8()))?;
                body.next().read_der()?; // serial number
                body.next().read_der()?; // algorithm
                body.next().read_der()?; // issuer
                let found = body
                    .next()
                    .read_sequence(|times| Ok((time(times.next())?, time(times.next())?)))?;
                while body.read_optional(|rest| rest.read_der())?.is_some() {}
                Ok(found)
            })?;
            certificate.next().read_sequence(|algorithm| {
                algorithm.next().read_oid().map(|_: ObjectIdentifier| ())?;
                algorithm.read_optional(|rest| rest.read_der()).map(|_| ())
            })?;
            certificate.next().read_bitvec_bytes()?;
            Ok(found)
        })
    })
}

fn time(reader: BERReader<'_, '_>) -> ASN1Result<SystemTime> {
    let seconds = match reader.lookahead_tag()? {
        yasna::tags::TAG_UTCTIME => reader.read_utctime()?.datetime().unix_timestamp(),
        _ => reader.read_generalized_time()?.datetime().unix_timestamp(),
    };
    let seconds = u64::try_from(seconds).map_err(|_| ASN1Error::new(ASN1ErrorKind::Invalid))?;
    Ok(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Pair, validity};
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use std::path::Path;
    use std::time::{Duration, UNIX_EPOCH};

    fn made(from: (i32, u8, u8), to: (i32, u8, u8)) -> (String, String, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["shop.example".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(to.0, to.1, to.2);
        let certificate = params.self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem(), certificate.der().to_vec())
    }

    fn days(days: u64) -> std::time::SystemTime {
        UNIX_EPOCH + Duration::from_hours(days * 24)
    }

    #[test]
    fn the_times_are_those_of_the_certificate() {
        let (.., der) = made((2026, 1, 1), (2060, 1, 2));
        // After 2049 another form of time is used.
        assert_eq!(validity(&der).unwrap(), (days(20_454), days(32_873)));
        for end in [0, 1, 20, der.len() / 2, der.len() - 1] {
            assert!(validity(&der[..end]).is_err(), "{end}");
        }
        assert!(validity(&[&der[..], &[0]].concat()).is_err());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_file() {
        let (certificate, key, _) = made((2026, 1, 1), (2027, 1, 1));
        let (_, other, _) = made((2026, 1, 1), (2027, 1, 1));
        let read = |certificate: &str, key: &str| {
            let at = (Path::new("c.pem"), Path::new("k.pem"));
            Pair::read((certificate.as_bytes(), at.0), (key.as_bytes(), at.1))
        };
        let pair = read(&certificate, &key).unwrap();
        assert!(pair.complaint(days(20_000)).unwrap().contains("not good yet"));
        assert_eq!(pair.complaint(days(20_500)), None);
        assert!(pair.complaint(days(20_816)).unwrap().contains("7 days"));
        assert!(pair.complaint(days(20_819)).unwrap().contains("has expired"));
        let both = format!("{key}{certificate}");
        assert!(read(&both, &both).is_ok(), "one file may hold both");
        for (certificate, key, words) in [
            (key.as_str(), key.as_str(), "c.pem: no certificate in it"),
            (&certificate, &certificate, "k.pem: no private key in it"),
            (
                &certificate,
                &other,
                "k.pem is not the private key of the first certificate in c.pem",
            ),
            (&certificate[..200], &key, "c.pem: a section has no end"),
            ("", &key, "c.pem: no certificate in it"),
        ] {
            let said = read(certificate, key).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
