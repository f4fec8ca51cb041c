//! Values as records hold them.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::{calendar, json};

/// The largest integer id: 2^53 - 1, so that every client can hold it exactly.
pub const ID_MAX: i64 = (1 << 53) - 1;

/// The largest integer id that a client may choose: it leaves the server room to go on from there.
pub const CHOSEN_ID_MAX: i64 = 1 << 52;

/// A value of a field. Absence is `Option::None` around it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON null, of a nullable field.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A finite binary64 number.
    Number(f64),
    /// Text.
    Text(String),
    /// Any JSON, as compact JSON text (valid by construction).
    Json(String),
}

impl Value {
    /// The value as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Boolean(value) => serde_json::Value::Bool(*value),
            Self::Integer(value) => serde_json::Value::from(*value),
            Self::Number(value) => json::number(*value),
            Self::Text(value) => serde_json::Value::String(value.clone()),
            // Valid by construction; a text that somebody broke from outside is shown as text.
            Self::Json(text) => json::parse(text.as_bytes())
                .unwrap_or_else(|_| serde_json::Value::String(text.clone())),
        }
    }
}

/// The id of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Id {
    /// Of `id = "integer"`.
    Integer(i64),
    /// Of `id = "uuid"` and `id = "text"`.
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(id) => write!(out, "{id}"),
            Self::Text(id) => out.write_str(id),
        }
    }
}

impl Id {
    /// The id as the value of a field that refers to it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Integer(id) => Value::Integer(*id),
            Self::Text(id) => Value::Text(id.clone()),
        }
    }
}

/// A moment in UTC: milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 with exactly
/// three digits of a second, so that the order of the text is the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The first and the last moment that four digits of a year can write.
    const RANGE_MS: (i64, i64) = (-62_167_219_200_000, 253_402_300_799_999);

    /// The moment as text of exactly 24 characters: `2026-02-06T10:30:00.000Z`.
    #[must_use]
    pub fn text(self) -> String {
        self.digits().iter().map(|byte| char::from(*byte)).collect()
    }

    /// Writes the text of the moment.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.digits());
    }

    fn digits(self) -> [u8; 24] {
        let (first, last) = Self::RANGE_MS;
        let (days, ms) = calendar::split(self.0.clamp(first, last));
        let (year, month, day) = calendar::date_of(days);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |mut number: i64, end: usize, width: usize| {
            for place in (end - width..end).rev() {
                text[place] = b"0123456789"[(number % 10) as usize];
                number /= 10;
            }
        };
        put(year, 4, 4);
        put(month, 7, 2);
        put(day, 10, 2);
        put(ms / 3_600_000, 13, 2);
        put(ms / 60_000 % 60, 16, 2);
        put(ms / 1_000 % 60, 19, 2);
        put(ms % 1_000, 23, 3);
        text
    }

    /// Reads any `date-time` of RFC 3339; digits beyond the millisecond are cut off.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        calendar::date_time(text).map(Self)
    }

    /// Reads as [`Self::parse`]: the last millisecond that is not after the moment, and the first
    /// that is not before it.
    #[must_use]
    pub fn around(text: &str) -> Option<(Self, Self)> {
        let floor = Self::parse(text)?;
        let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
        let digits = fraction.bytes().take_while(u8::is_ascii_digit);
        let is_between = digits.skip(3).any(|digit| digit != b'0');
        Some((floor, Self(floor.0 + i64::from(is_between))))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The moment as the standard library has it.
    #[must_use]
    pub fn to_system_time(self) -> SystemTime {
        let distance = Duration::from_millis(self.0.unsigned_abs());
        let moment = if self.0 < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        };
        moment.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The moment of the standard library, cut to the millisecond.
    #[must_use]
    pub fn from_system_time(time: SystemTime) -> Self {
        let ms = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000))
                .map_or(i64::MIN, |ms| -ms),
        };
        Self(ms)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn a_timestamp_is_written_with_exactly_three_digits() {
        assert_eq!(Timestamp(0).text(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp(1_770_373_800_000).text(), "2026-02-06T10:30:00.000Z");
        assert_eq!(Timestamp(-1).text(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Timestamp(i64::MAX).text(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp(i64::MIN).text(), "0000-01-01T00:00:00.000Z");
    }

    #[test]
    fn text_and_moment_are_inverse_and_in_the_same_order() {
        let mut last = String::new();
        for ms in (-62_167_219_200_000..253_402_300_799_999).step_by(1_234_567_890_123) {
            let text = Timestamp(ms).text();
            assert_eq!(Timestamp::parse(&text), Some(Timestamp(ms)));
            assert!(text > last);
            last = text;
        }
    }

    #[test]
    fn seconds_and_system_time_round_down_before_1970_too() {
        assert_eq!(Timestamp(-1).seconds(), -1);
        assert_eq!(Timestamp(1_999).seconds(), 1);
        for ms in [-1_500, -1, 0, 1, 1_770_373_800_123] {
            assert_eq!(Timestamp::from_system_time(Timestamp(ms).to_system_time()), Timestamp(ms));
        }
    }
}
