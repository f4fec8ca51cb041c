//! Names that can stand in a URL and in JSON, for those that cannot.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::check::{is_field, is_resource};

/// The longest name.
const NAME_MAX: usize = 48;

/// What is to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// A resource.
    Resource,
    /// A field.
    Field,
}

/// A name for something that is called so elsewhere: its own where that can be, and none that is
/// taken, case aside.
pub(super) fn choose(of: Of, name: &str, taken: &[String]) -> String {
    let is_good = |name: &str| match of {
        Of::Resource => is_resource(name),
        Of::Field => is_field(name),
    };
    let is_free =
        |name: &str| is_good(name) && !taken.iter().any(|other| other.eq_ignore_ascii_case(name));
    if is_free(name) {
        return name.to_owned();
    }
    let plain = plain(of, name);
    let cut = |room: usize| &plain[..plain.len().min(NAME_MAX - room)];
    let tries = std::iter::once(cut(0).to_owned())
        .chain(std::iter::once(format!("{}_", cut(1))))
        .chain((2..).map(|number: u32| format!("{}_{number}", cut(11))));
    tries.into_iter().find(|name| is_free(name)).unwrap_or(plain)
}

/// The name in letters and digits of ASCII, what separates them aside.
fn plain(of: Of, name: &str) -> String {
    let between = if of == Of::Resource { '-' } else { '_' };
    let mut out = String::new();
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)) {
        if c.is_ascii_alphanumeric() || c == '_' || (of == Of::Resource && c == '-') {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(between) {
            out.push(between);
        }
    }
    let out = out.trim_end_matches(between).trim_start_matches(['_', '-']);
    match out.bytes().next() {
        Some(first) if first.is_ascii_alphabetic() => out.to_owned(),
        Some(_) if of == Of::Resource => format!("t{out}"),
        Some(_) => format!("f{out}"),
        None if of == Of::Resource => "table".to_owned(),
        None => "field".to_owned(),
    }
}
