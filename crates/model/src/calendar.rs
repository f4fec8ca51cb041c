//! Dates and times of RFC 3339 as numbers, without a clock.

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, by eras of 400 years.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date (year, month, day) that is so many days after 1970-01-01.
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// Reads exactly these digits as a number.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// Reads `full-date` (RFC 3339 §5.6) as days from 1970-01-01.
pub(crate) fn date(text: &[u8]) -> Option<i64> {
    let &[_, _, _, _, b'-', _, _, b'-', _, _] = text else { return None };
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=last).contains(&day).then(|| days(year, month, day))
}

/// Reads `full-time` (RFC 3339 §5.6) as milliseconds from midnight UTC; more digits of a second
/// are cut off. A leap second is the first moment of the next minute, and exists only before
/// midnight UTC.
pub(crate) fn time(text: &[u8]) -> Option<i64> {
    let (clock, rest) = text.split_at_checked(8)?;
    let &[_, _, b':', _, _, b':', _, _] = clock else { return None };
    let (hour, minute, second) =
        (digits(&clock[..2])?, digits(&clock[3..5])?, digits(&clock[6..])?);
    let (fraction_ms, zone) = fraction(rest)?;
    let offset_minutes = offset(zone)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let minutes = hour * 60 + minute - offset_minutes;
    if second == 60 && minutes.rem_euclid(1_440) != 1_439 {
        return None;
    }
    Some((minutes * 60 + second) * 1_000 + fraction_ms)
}

/// Reads `[time-secfrac]` and hands back what follows.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let given = rest[..length].iter().map(|digit| i64::from(digit - b'0'));
    let ms = given.chain([0, 0]).take(3).fold(0, |ms, digit| ms * 10 + digit);
    (length > 0).then(|| (ms, &rest[length..]))
}

/// Reads `time-offset` as minutes east of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    if zone.eq_ignore_ascii_case(b"z") {
        return Some(0);
    }
    let &[sign, _, _, b':', _, _] = zone else { return None };
    let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..])?);
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Reads `date-time` (RFC 3339 §5.6) as milliseconds from 1970-01-01T00:00:00Z.
pub(crate) fn date_time(text: &str) -> Option<i64> {
    let (day, rest) = text.as_bytes().split_at_checked(10)?;
    let (separator, clock) = rest.split_first()?;
    if !separator.eq_ignore_ascii_case(&b't') {
        return None;
    }
    Some(date(day)? * DAY_MS + time(clock)?)
}

/// Splits milliseconds from 1970 into days and milliseconds of the day.
pub(crate) fn split(ms: i64) -> (i64, i64) {
    (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::{date, date_of, date_time, days};

    #[test]
    fn days_and_dates_are_inverse_over_the_years_that_text_can_hold() {
        for day in (-719_528..2_932_897).step_by(7) {
            let (year, month, date) = date_of(day);
            assert_eq!(days(year, month, date), day);
        }
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(date_of(-719_528), (0, 1, 1));
        assert_eq!(date_of(2_932_896), (9999, 12, 31));
    }

    #[test]
    fn only_dates_of_the_calendar_are_dates() {
        for good in ["2024-02-29", "2000-02-29", "1970-01-01", "9999-12-31"] {
            assert!(date(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["2023-02-29", "1900-02-29", "2023-04-31", "2023-13-01", "2023-00-01"] {
            assert!(date(bad.as_bytes()).is_none(), "{bad}");
        }
        for bad in ["2023-1-01", "23-01-01", "2023-01-1", "2023/01/01", "2023-01-00", "+023-01-01"]
        {
            assert!(date(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn date_times_of_rfc_3339() {
        // The examples of RFC 3339 §5.8.
        assert_eq!(date_time("1985-04-12T23:20:50.52Z"), Some(482_196_050_520));
        assert_eq!(date_time("1996-12-19T16:39:57-08:00"), Some(851_042_397_000));
        assert_eq!(date_time("1990-12-31T23:59:60Z"), Some(662_688_000_000));
        assert_eq!(date_time("1990-12-31T15:59:60-08:00"), Some(662_688_000_000));
        assert_eq!(date_time("1937-01-01T12:00:27.87+00:20"), Some(-1_041_337_172_130));
        assert_eq!(date_time("1985-04-12t23:20:50z"), Some(482_196_050_000));
        for bad in [
            "1985-04-12 23:20:50Z",
            "1985-04-12T23:20:50",
            "1985-04-12T24:00:00Z",
            "1985-04-12T23:60:00Z",
            "1985-04-12T22:59:60Z",
            "1985-04-12T23:20:50.Z",
            "1985-04-12T23:20:50+24:00",
            "1985-04-12T23:20:50+0100",
            "1985-04-12",
            "",
        ] {
            assert_eq!(date_time(bad), None, "{bad}");
        }
    }
}
