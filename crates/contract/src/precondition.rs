//! Conditional requests: reading the four fields and evaluating them in the order of RFC 9110
//! §13.2.2. Whoever writes calls `evaluate` inside the transaction, on what it is about to change.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, header};

use crate::date;
use crate::etag::EntityTag;
use crate::fault::{self, Fault};
use crate::problem::{Kind, Problem, Violation};
use crate::table::{FalseIfNoneMatch, Nature};

/// The value of If-Match or If-None-Match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`: any current representation.
    Any,
    /// A list of tags, over all lines of the field. It may be empty, and then matches nothing.
    List(Vec<EntityTag>),
}

/// The conditions that a request carries (RFC 9110 §13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// If-Match (§13.1.1).
    pub if_match: Option<Tags>,
    /// If-None-Match (§13.1.2).
    pub if_none_match: Option<Tags>,
    /// If-Modified-Since (§13.1.3); `None` also where it holds no HTTP-date.
    pub if_modified_since: Option<SystemTime>,
    /// If-Unmodified-Since (§13.1.4); `None` also where it holds no HTTP-date.
    pub if_unmodified_since: Option<SystemTime>,
}

/// What conditions are evaluated against: the current representation. Its entity tag is
/// `"{version}.{variant}"`.
#[derive(Clone, Copy, Debug)]
pub struct Validators<'a> {
    /// The state of the resource. It may hold dots.
    pub version: &'a str,
    /// The face of it that was selected: fields, media type, coding. It holds no dot.
    pub variant: &'a str,
    /// When it changed last (see [`date::last_modified`]); `None` where that is not known. A
    /// fraction of a second is passed over, because the fields cannot say one.
    pub last_modified: Option<SystemTime>,
}

impl Validators<'static> {
    /// A representation that is there and has no entity tag: only `*` names it, because the
    /// double quote stands in no tag (§8.8.3).
    pub const UNTAGGED: Self = Self { version: "\"", variant: "", last_modified: None };
}

/// What the conditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are true, or there are none: perform the method.
    Proceed,
    /// 304: the client's copy is current.
    NotModified,
    /// 412: the named field is false.
    Failed(&'static str),
}

impl Conditions {
    /// Reads the conditional fields. Several lines of a list field join; dates that are none are
    /// ignored as §13.1.3 and §13.1.4 demand.
    ///
    /// # Errors
    /// 400 where If-Match or If-None-Match holds anything but entity tags or a lone `*`: a
    /// condition that cannot be read must not be taken for true.
    pub fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            if_match: Tags::read(headers, &header::IF_MATCH, "If-Match")?,
            if_none_match: Tags::read(headers, &header::IF_NONE_MATCH, "If-None-Match")?,
            if_modified_since: moment(headers, &header::IF_MODIFIED_SINCE),
            if_unmodified_since: moment(headers, &header::IF_UNMODIFIED_SINCE),
        })
    }

    /// True where the request carries no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True where the request names the state that it wants to change, so that a 428 (RFC 6585
    /// §3) is not due: If-Match, If-Unmodified-Since, or `If-None-Match: *`, which names "none".
    #[must_use]
    pub fn guards(&self) -> bool {
        self.if_match.is_some()
            || self.if_unmodified_since.is_some()
            || self.if_none_match == Some(Tags::Any)
    }

    /// Evaluates the conditions in the order of §13.2.2 against the current representation,
    /// `None` where there is none. To be asked only where the answer would otherwise be 2xx
    /// (§13.2.1).
    #[must_use]
    pub fn evaluate(&self, nature: &Nature, current: Option<&Validators<'_>>) -> Verdict {
        if nature.false_if_none_match == FalseIfNoneMatch::Ignored {
            return Verdict::Proceed;
        }
        if let Some(tags) = &self.if_match {
            if !tags.name(current, |tag, current| !is_weak(tag) && is_face(tag, current)) {
                return Verdict::Failed("If-Match");
            }
        } else if self.changed_since(current) {
            return Verdict::Failed("If-Unmodified-Since");
        }
        if let Some(tags) = &self.if_none_match {
            return none_match(tags, nature, current);
        }
        if nature.false_if_none_match == FalseIfNoneMatch::NotModified
            && self.unchanged_since(current)
        {
            return Verdict::NotModified;
        }
        Verdict::Proceed
    }

    /// A false If-Unmodified-Since. Ignored where no modification date is known (§13.1.4).
    fn changed_since(&self, current: Option<&Validators<'_>>) -> bool {
        match (self.if_unmodified_since, current.and_then(Validators::modified_s)) {
            (Some(limit), Some(modified)) => modified > seconds(limit),
            _ => false,
        }
    }

    /// A false If-Modified-Since. Ignored where no modification date is known (§13.1.3).
    fn unchanged_since(&self, current: Option<&Validators<'_>>) -> bool {
        match (self.if_modified_since, current.and_then(Validators::modified_s)) {
            (Some(limit), Some(modified)) => modified <= seconds(limit),
            _ => false,
        }
    }

    /// The conditions of an unsafe request in one canonical text, for the fingerprint that an
    /// Idempotency-Key is bound to. Order, repetition and lines of the tags do not count, nor does
    /// a field that §13.2.2 passes over.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        if let Some(tags) = &self.if_match {
            text.push_str("if-match=");
            tags.canonical(&mut text);
        } else if let Some(limit) = self.if_unmodified_since {
            text.push_str(&format!("if-unmodified-since={};", seconds(limit)));
        }
        if let Some(tags) = &self.if_none_match {
            text.push_str("if-none-match=");
            tags.canonical(&mut text);
        }
        text
    }
}

impl Validators<'_> {
    /// The whole second of the last change.
    fn modified_s(&self) -> Option<u64> {
        self.last_modified.map(seconds)
    }
}

impl Tags {
    fn read(
        headers: &HeaderMap,
        name: &HeaderName,
        spelled: &'static str,
    ) -> Result<Option<Self>, Problem> {
        let lines = || headers.get_all(name).iter().map(|line| line.as_bytes().trim_ascii());
        if lines().next().is_none() {
            return Ok(None);
        }
        if lines().eq([b"*"]) {
            return Ok(Some(Self::Any));
        }
        let mut list = Vec::new();
        for line in lines() {
            Self::read_line(line, &mut list).map_err(|()| refusal(spelled))?;
        }
        Ok(Some(Self::List(list)))
    }

    /// `#entity-tag` (§13.1.1). Commas stand inside tags too, so the tags are read, not split.
    fn read_line(line: &[u8], list: &mut Vec<EntityTag>) -> Result<(), ()> {
        let mut rest = line;
        while !rest.is_empty() {
            if rest[0] != b',' {
                let (tag, after) = EntityTag::take(rest).ok_or(())?;
                list.push(tag);
                rest = after.trim_ascii_start();
            }
            rest = match rest.split_first() {
                None => rest,
                Some((b',', after)) => after.trim_ascii_start(),
                Some(_) => return Err(()),
            };
        }
        Ok(())
    }

    /// True where `*` or one of the tags names the current representation.
    fn name(
        &self,
        current: Option<&Validators<'_>>,
        matches: impl Fn(&EntityTag, &Validators<'_>) -> bool,
    ) -> bool {
        let Some(current) = current else { return false };
        match self {
            Self::Any => true,
            Self::List(list) => list.iter().any(|tag| matches(tag, current)),
        }
    }

    fn canonical(&self, text: &mut String) {
        match self {
            Self::Any => text.push('*'),
            Self::List(list) => {
                let mut tags: Vec<_> = list.iter().map(EntityTag::to_string).collect();
                tags.sort_unstable();
                tags.dedup();
                text.push_str(&tags.join(","));
            }
        }
        text.push(';');
    }
}

/// Step 3 of §13.2.2. A read compares with the very representation that was selected; where the
/// method is unsafe nothing was selected, and a tag of any face of the current state matches.
fn none_match(tags: &Tags, nature: &Nature, current: Option<&Validators<'_>>) -> Verdict {
    let read = nature.false_if_none_match == FalseIfNoneMatch::NotModified;
    if fault::on(Fault::IfNoneMatchIgnored)
        || (fault::on(Fault::StarIfNoneMatchIgnored) && *tags == Tags::Any)
    {
        return Verdict::Proceed;
    }
    let matched =
        tags.name(
            current,
            |tag, current| {
                if read { is_selected(tag, current) } else { is_face(tag, current) }
            },
        );
    if !matched {
        Verdict::Proceed
    } else if read || fault::on(Fault::NotModifiedOnPut) {
        Verdict::NotModified
    } else {
        Verdict::Failed("If-None-Match")
    }
}

/// If-Match compares strongly (§8.8.3.2): a weak tag never matches.
fn is_weak(tag: &EntityTag) -> bool {
    tag.weak && !fault::on(Fault::WeakIfMatch)
}

/// The tag is `version.variant`, whatever the variant.
fn is_face(tag: &EntityTag, current: &Validators<'_>) -> bool {
    tag.opaque.rsplit_once('.').is_some_and(|(version, _)| version == current.version)
}

/// The tag is exactly `version.variant`; If-None-Match compares weakly (§8.8.3.2).
fn is_selected(tag: &EntityTag, current: &Validators<'_>) -> bool {
    tag.opaque.rsplit_once('.') == Some((current.version, current.variant))
}

/// The one HTTP-date of a field; a field sent twice holds none.
fn moment(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    date::parse(line.to_str().ok()?)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

fn refusal(field: &'static str) -> Problem {
    let detail = format!(
        "{field} holds something that is not an entity tag. Send the value of ETag as it came, \
         with its double quotes (several are separated by commas), or `*` alone."
    );
    Problem::new(Kind::MalformedField, detail.clone())
        .with_errors(vec![Violation::field(field, detail)])
}

#[cfg(test)]
#[path = "precondition_tests.rs"]
mod tests;
