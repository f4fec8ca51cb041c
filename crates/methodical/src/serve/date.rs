//! The date of now as a field has it (RFC 9110 §6.6.1), rendered once a second.

use std::cell::RefCell;
use std::time::UNIX_EPOCH;

/// Hands on the text of the date.
pub(crate) fn with<T>(read: impl FnOnce(&str) -> T) -> T {
    thread_local! {
        static DATE: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
    }
    let now = crate::log::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    DATE.with_borrow_mut(|(at, text)| {
        if *at != second {
            *at = second;
            *text = httpdate::fmt_http_date(now);
        }
        read(text)
    })
}
