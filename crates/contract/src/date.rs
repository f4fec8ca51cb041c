//! HTTP-date: writing the one form that is sent, reading the three that are accepted
//! (RFC 9110 §5.6.7). There is no clock here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that four digits of year can say, in seconds since 1970.
const LAST_S: u64 = 253_402_300_799;

/// Writes an IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`. The fraction of a second is dropped.
/// A time before 1970 or after 9999 is written as the nearest that the form has.
#[must_use]
pub fn http_date(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_S)))
}

/// Reads an HTTP-date in any of its three forms: IMF-fixdate, RFC 850, asctime. A two-digit year
/// is 1970 to 2069: without a clock, "50 years in the future" has no other meaning that stays.
#[must_use]
pub fn parse(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// The Last-Modified of something that changed at `changed`: the end of that second. Rounded up,
/// so that whoever asks "since 10:30:00" and means the Date of an answer hears of a change at
/// 10:30:00.8. To be sent once it is not later than the answer's Date (RFC 9110 §8.8.2.1).
#[must_use]
pub fn last_modified(changed: SystemTime) -> SystemTime {
    let since = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs() + u64::from(since.subsec_nanos() > 0);
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn the_three_forms_name_one_second() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text), Some(at(784_111_777)), "{text}");
        }
        assert_eq!(parse("Thu, 29 Feb 2024 23:59:59 GMT"), Some(at(1_709_251_199)));
        assert_eq!(parse("Sun Nov 16 08:49:37 1994"), None, "the day of the week is another");
    }

    #[test]
    fn anything_else_is_no_date() {
        for text in [
            "",
            "0",
            "yesterday",
            "784111777",
            "2026-02-06T10:30:00Z",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "sun, 06 nov 1994 08:49:37 gmt",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 30 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_fixed_form_is_written() {
        assert_eq!(http_date(at(784_111_777)), "Sun, 06 Nov 1994 08:49:37 GMT");
        let late = at(784_111_777) + Duration::from_millis(999);
        assert_eq!(http_date(late), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(UNIX_EPOCH), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(at(LAST_S + 1)), "Fri, 31 Dec 9999 23:59:59 GMT");
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(http_date(before), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn last_modified_is_the_end_of_the_second() {
        assert_eq!(last_modified(at(7)), at(7));
        assert_eq!(last_modified(at(7) + Duration::from_millis(1)), at(8));
        assert_eq!(last_modified(at(7) + Duration::from_millis(999)), at(8));
    }
}
