//! Proactive negotiation: Accept and Accept-Encoding (RFC 9110 §12.4 and §12.5).

use http::{HeaderMap, header};

use crate::field;

/// The highest weight, `q=1`, in thousandths.
const FULL: u16 = 1000;

/// A content coding that content can be sent in (RFC 9110 §8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// None.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// Its name in Accept-Encoding and Content-Encoding.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// True where a token names it. `x-gzip` is gzip (§8.4.1.3); case does not count (§8.4.1).
    fn is_named(self, token: &str) -> bool {
        let token = if token.eq_ignore_ascii_case("x-gzip") { "gzip" } else { token };
        token.eq_ignore_ascii_case(self.token())
    }
}

/// Chooses the media type to answer with; `None` is a 406. The greatest weight wins, and among
/// equal ones the first offer (§12.5.1). Accept that is absent, empty or unreadable asks for
/// nothing, and gets the first offer. `offers` must not be empty.
#[must_use]
pub fn media(headers: &HeaderMap, offers: &[&'static str]) -> Option<&'static str> {
    let ranges: Vec<Range<'_>> =
        field::members(headers, &header::ACCEPT).filter_map(Range::read).collect();
    if ranges.is_empty() {
        return offers.first().copied();
    }
    let mut best = None;
    let mut heaviest = 0;
    for &offer in offers {
        let weight = weight_of(offer, &ranges);
        if weight > heaviest {
            heaviest = weight;
            best = Some(offer);
        }
    }
    best
}

/// Chooses the content coding; `None` is a 406: identity is refused and nothing offered is
/// acceptable. Identity is always on offer. Without Accept-Encoding, or with an empty one, no
/// coding is applied (§12.5.3). Among equal weights zstd comes before gzip before identity; an
/// identity that the field does not mention is acceptable, and comes last.
#[must_use]
pub fn coding(headers: &HeaderMap, offers: &[Coding]) -> Option<Coding> {
    let listed: Vec<(&str, u16)> = field::members(headers, &header::ACCEPT_ENCODING)
        .filter_map(|member| {
            let mut pieces = field::split(member, b';');
            let token = field::token(pieces.next()?)?;
            Some((token, weight_in(pieces)?))
        })
        .collect();
    let any = listed.iter().find(|(token, _)| *token == "*").map(|(_, weight)| *weight);
    let weight = |coding: Coding| {
        let own = listed.iter().find(|(token, _)| coding.is_named(token));
        own.map(|(_, weight)| *weight).or(any)
    };
    let mut best = None;
    let mut heaviest = 0;
    for candidate in [Coding::Zstd, Coding::Gzip, Coding::Identity] {
        let offered = candidate == Coding::Identity || offers.contains(&candidate);
        let weight = weight(candidate).unwrap_or(0);
        if offered && weight > heaviest {
            heaviest = weight;
            best = Some(candidate);
        }
    }
    let refused = weight(Coding::Identity) == Some(0);
    best.or(if refused { None } else { Some(Coding::Identity) })
}

/// A media range with its weight (§12.5.1).
struct Range<'a> {
    /// `None` for `*`.
    kind: Option<&'a str>,
    /// `None` for `*`.
    subtype: Option<&'a str>,
    /// Parameters, without q and what follows it.
    parameters: Vec<(String, String)>,
    weight: u16,
}

impl<'a> Range<'a> {
    /// `None` for a member outside the grammar: it asks for nothing that could be found out.
    fn read(member: &'a [u8]) -> Option<Self> {
        let mut pieces = field::split(member, b';');
        let (kind, subtype) = essence(pieces.next()?)?;
        let mut parameters = Vec::new();
        let mut weight = FULL;
        for piece in pieces.filter(|piece| !piece.is_empty()) {
            if let Some(value) = weight_value(piece) {
                weight = thousandths(value)?;
                break;
            }
            let (name, value) = field::parameter(piece)?;
            // Every representation here is UTF-8, so that asking for it narrows nothing.
            if name != "charset" || !value.eq_ignore_ascii_case("utf-8") {
                parameters.push((name, value));
            }
        }
        Some(Self { kind, subtype, parameters, weight })
    }

    /// How closely the range names the media type; `None` where it does not.
    fn specificity(&self, kind: &str, subtype: &str, own: &[(String, String)]) -> Option<usize> {
        if !self.parameters.iter().all(|wanted| own.contains(wanted)) {
            return None;
        }
        let same = |range: &str, own: &str| range.eq_ignore_ascii_case(own);
        match (self.kind, self.subtype) {
            (None, _) => Some(0),
            (Some(range), None) => same(range, kind).then_some(1),
            (Some(range), Some(sub)) => {
                (same(range, kind) && same(sub, subtype)).then_some(2 + self.parameters.len())
            }
        }
    }
}

/// The weight of an offer is that of the most specific range that names it (§12.5.1), the first
/// where two say the same; no range is weight 0.
fn weight_of(offer: &str, ranges: &[Range<'_>]) -> u16 {
    let mut pieces = field::split(offer.as_bytes(), b';');
    let Some((Some(kind), Some(subtype))) = pieces.next().and_then(essence) else { return 0 };
    let own: Vec<_> = pieces.filter_map(field::parameter).collect();
    let mut weight = 0;
    let mut closest = None;
    for range in ranges {
        let specificity = range.specificity(kind, subtype, &own);
        if specificity > closest {
            closest = specificity;
            weight = range.weight;
        }
    }
    weight
}

/// Type and subtype; `None` inside for `*`. A lone `*` is read as `*/*`: Java's own client sends
/// it.
fn essence(range: &[u8]) -> Option<(Option<&str>, Option<&str>)> {
    if range == b"*" || range == b"*/*" {
        return Some((None, None));
    }
    let slash = range.iter().position(|&byte| byte == b'/')?;
    let kind = field::token(&range[..slash]).filter(|kind| *kind != "*")?;
    let subtype = field::token(&range[slash + 1..])?;
    Some((Some(kind), (subtype != "*").then_some(subtype)))
}

/// The weight among parameters; 1 where there is none, `None` where it is no number.
fn weight_in<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Option<u16> {
    for piece in pieces {
        if let Some(value) = weight_value(piece) {
            return thousandths(value);
        }
    }
    Some(FULL)
}

/// What stands after `q=`.
fn weight_value(piece: &[u8]) -> Option<&[u8]> {
    piece.strip_prefix(b"q=").or_else(|| piece.strip_prefix(b"Q="))
}

/// `qvalue` (§12.4.2) in thousandths: 0 to 1 with at most three decimals. `.2` is read as `0.2`:
/// Java's own client sends it.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value.iter().position(|&byte| byte == b'.') {
        Some(at) => (&value[..at], &value[at + 1..]),
        None => (value, &value[value.len()..]),
    };
    let whole = match whole {
        b"0" => 0,
        b"1" => FULL,
        b"" if !decimals.is_empty() => 0,
        _ => return None,
    };
    if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| decimals.get(at).map_or(0, |byte| u16::from(byte - b'0'));
    let fraction = digit(0) * 100 + digit(1) * 10 + digit(2);
    (whole + fraction <= FULL).then_some(whole + fraction)
}

#[cfg(test)]
#[path = "negotiate_tests.rs"]
mod tests;
