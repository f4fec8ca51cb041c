//! What the cells of a column hold, counted in one pass over the table. Where a type promises less
//! than its cells keep, or more, it is the cells that count.

use std::collections::BTreeSet;

use super::cell::Cell;
use crate::model::IdKind;
use crate::value::ID_MAX;
use crate::{calendar, json};

/// Different texts and numbers that are remembered, to see whether they are among others.
const DISTINCT_MAX: usize = 256;
/// Longest text of which the shape is kept: that of a moment with everything.
const SHAPE_MAX: usize = 35;
/// Whole numbers beyond are not exact in every reader of JSON.
const EXACT_MAX: i64 = (1 << 53) - 1;

/// What the cells of a column hold.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// NULLs.
    pub nulls: u64,
    /// Whole numbers.
    pub integers: u64,
    /// Other numbers.
    pub reals: u64,
    /// Texts that a record can hold.
    pub texts: u64,
    /// Texts that none can: not UTF-8, or with U+0000.
    pub broken: u64,
    /// Infinite numbers; they are not among `reals`.
    pub infinite: u64,
    /// BLOBs.
    pub blobs: u64,
    /// Bytes of all BLOBs.
    pub blob_bytes: u64,
    /// Bytes of the largest BLOB.
    pub blob_most: u64,
    /// Whole numbers beyond ±(2^53−1).
    pub inexact: u64,
    /// The least and the largest number.
    pub range: Option<(f64, f64)>,
    /// The fewest and the most characters of a text.
    pub length: Option<(u64, u64)>,
    /// Some text has characters beyond ASCII.
    pub beyond_ascii: bool,
    /// Cells that cannot be an id of this kind: integer, UUID, text.
    not_ids: [u64; 3],
    not_boolean: u64,
    not_date: u64,
    not_moment: u64,
    not_json: u64,
    shape: Shape,
    first: Option<String>,
    distinct: Option<BTreeSet<String>>,
    many: bool,
}

/// The shape that all texts share, digits written as `0`.
#[derive(Clone, Debug, Default, PartialEq)]
enum Shape {
    #[default]
    Unseen,
    Shared(String),
    Various,
}

/// What is to be found out beside the rest, because it takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing else.
    Plain,
    /// Whether all text is JSON.
    ForJson,
}

impl Facts {
    /// Counts a cell.
    pub fn see(&mut self, cell: Cell<'_>, look: Look) {
        match cell {
            Cell::Null => self.nulls += 1,
            Cell::Integer(number) => self.integer(number),
            Cell::Real(number) if number.is_finite() => {
                self.reals += 1;
                self.number(number);
                self.no_text();
                self.remember(|| format!("{number:?}"));
            }
            Cell::Real(_) => {
                self.infinite += 1;
                self.no_text();
            }
            Cell::Text(text) if !text.contains('\0') => self.text(text, look),
            Cell::Text(_) | Cell::Broken => {
                self.broken += 1;
                self.no_text();
            }
            Cell::Blob(bytes) => {
                self.blobs += 1;
                self.blob_bytes += bytes;
                self.blob_most = self.blob_most.max(bytes);
                self.no_text();
            }
        }
    }

    fn integer(&mut self, number: i64) {
        self.integers += 1;
        self.number(number as f64);
        self.inexact += u64::from(!(-EXACT_MAX..=EXACT_MAX).contains(&number));
        let before = self.not_ids[0];
        self.no_text();
        self.not_ids[0] = before + u64::from(!(1..=ID_MAX).contains(&number));
        self.not_boolean -= u64::from(matches!(number, 0 | 1));
        self.remember(|| number.to_string());
    }

    fn number(&mut self, number: f64) {
        let (least, most) = self.range.unwrap_or((number, number));
        self.range = Some((least.min(number), most.max(number)));
    }

    fn text(&mut self, text: &str, look: Look) {
        self.texts += 1;
        let length = text.chars().count() as u64;
        let (least, most) = self.length.unwrap_or((length, length));
        self.length = Some((least.min(length), most.max(length)));
        self.beyond_ascii |= !text.is_ascii();
        self.not_boolean += 1;
        self.not_ids[0] += 1;
        self.not_ids[1] += u64::from(IdKind::Uuid.read(text).is_none());
        self.not_ids[2] += u64::from(IdKind::Text.read(text).is_none());
        self.not_date += u64::from(calendar::date(text.as_bytes()).is_none());
        self.not_moment += u64::from(calendar::date_time(text).is_none());
        if look == Look::ForJson {
            self.not_json += u64::from(json::parse(text.as_bytes()).is_err());
        }
        if self.shape != Shape::Various {
            let shape = shape(text);
            let is_shared = match (&self.shape, &shape) {
                (Shape::Shared(shared), Some(shape)) => shared == shape,
                (Shape::Unseen | Shape::Shared(_) | Shape::Various, _) => false,
            };
            if self.shape == Shape::Unseen {
                self.first = Some(text.to_owned());
                self.shape = shape.map_or(Shape::Various, Shape::Shared);
            } else if !is_shared {
                self.shape = Shape::Various;
            }
        }
        self.remember(|| text.to_owned());
    }

    /// A cell that is no text.
    fn no_text(&mut self) {
        self.not_ids.iter_mut().for_each(|count| *count += 1);
        for count in [&mut self.not_boolean, &mut self.not_date, &mut self.not_moment] {
            *count += 1;
        }
        self.not_json += 1;
        self.shape = Shape::Various;
    }

    fn remember(&mut self, text: impl FnOnce() -> String) {
        if self.many {
            return;
        }
        let distinct = self.distinct.get_or_insert_default();
        distinct.insert(text());
        if distinct.len() > DISTINCT_MAX {
            self.many = true;
            self.distinct = None;
        }
    }

    /// Cells that are not null.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.integers + self.reals + self.texts + self.broken + self.infinite + self.blobs
    }

    /// Cells that no record can hold.
    #[must_use]
    pub fn misfits(&self) -> u64 {
        self.broken + self.infinite + self.blobs
    }

    /// True where every cell can be an id of this kind; of none at all it is not known.
    #[must_use]
    pub fn are_ids(&self, kind: IdKind) -> bool {
        let at = match kind {
            IdKind::Integer => 0,
            IdKind::Uuid => 1,
            IdKind::Text => 2,
        };
        self.nulls == 0 && self.not_ids[at] == 0
    }

    /// True where every value is 0 or 1.
    #[must_use]
    pub fn are_boolean(&self) -> bool {
        self.not_boolean == 0
    }

    /// True where every value is a date of RFC 3339.
    #[must_use]
    pub fn are_dates(&self) -> bool {
        self.not_date == 0
    }

    /// True where every value is a date and time of RFC 3339.
    #[must_use]
    pub fn are_moments(&self) -> bool {
        self.not_moment == 0
    }

    /// True where every value is text that is JSON. Asked for with `Look::ForJson` only.
    #[must_use]
    pub fn are_json(&self) -> bool {
        self.not_json == 0
    }

    /// The different values as text, where they are few.
    #[must_use]
    pub fn distinct(&self) -> Option<&BTreeSet<String>> {
        self.distinct.as_ref()
    }

    /// The pattern of the dates or times that all values are, where these are written alike.
    #[must_use]
    pub fn pattern(&self) -> Option<String> {
        let Shape::Shared(shape) = &self.shape else { return None };
        let is_time = |c: char| c.is_ascii_digit() || "-:/. TZ+".contains(c);
        if shape.len() < 4 || !shape.chars().all(is_time) || !shape.contains(['-', ':', '/']) {
            return None;
        }
        let mut out = String::from("^");
        let mut digits = 0;
        for c in shape.chars().chain(['$']) {
            if c == '0' {
                digits += 1;
                continue;
            }
            match std::mem::take(&mut digits) {
                0 => {}
                1 => out.push_str("[0-9]"),
                many => out.push_str(&format!("[0-9]{{{many}}}")),
            }
            match c {
                '.' | '+' => out.extend(['\\', c]),
                c => out.push(c),
            }
        }
        Some(out)
    }

    /// An example of that form.
    #[must_use]
    pub fn example(&self) -> Option<&str> {
        self.first.as_deref()
    }
}

fn shape(text: &str) -> Option<String> {
    (text.len() <= SHAPE_MAX)
        .then(|| text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect())
}
