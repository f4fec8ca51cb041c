//! Forms of values that change from run to run: dates, times, tags, ids.

use std::sync::LazyLock;

use regex::Regex;

macro_rules! form {
    ($(#[$meta:meta])* $name:ident, $pattern:literal) => {
        $(#[$meta])*
        pub(crate) fn $name(text: &str) -> bool {
            static FORM: LazyLock<Regex> =
                LazyLock::new(|| Regex::new($pattern).expect("a pattern"));
            FORM.is_match(text)
        }
    };
}

form!(
    /// IMF-fixdate (RFC 9110 §5.6.7), the one form that may be generated.
    is_http_date,
    r"(?x)^(Mon|Tue|Wed|Thu|Fri|Sat|Sun),\x20\d\d\x20
        (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\x20\d{4}\x20\d\d:\d\d:\d\d\x20GMT$"
);
form!(
    /// An entity tag (RFC 9110 §8.8.3).
    is_entity_tag,
    r#"^(W/)?"[!#-~]*"$"#
);
form!(
    /// A strong entity tag.
    is_strong_tag,
    r#"^"[!#-~]+"$"#
);
form!(
    /// RFC 3339 in UTC with milliseconds.
    is_time,
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
);
form!(
    /// A UUID in lower case.
    is_uuid,
    r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
);

/// True where a text is of a named form: `time`, `date`, `etag`, `uuid`, `number`, `any`.
pub(crate) fn is(form: &str, text: &str) -> bool {
    match form {
        "any" => true,
        "time" => is_time(text),
        "date" => is_http_date(text),
        "etag" => is_strong_tag(text),
        "uuid" => is_uuid(text),
        "number" => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        other => panic!("there is no form {other:?}"),
    }
}
