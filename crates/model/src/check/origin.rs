//! Origins: whose pages may read answers.

use super::{Check, Word};
use crate::source::Table;

/// Stands for the page of anybody.
const ANY: &str = "*";

/// The origins under `origins`; `None` where nothing is said.
pub(super) fn read(check: &mut Check, table: &Table) -> Option<Vec<String>> {
    let node = table.get("origins")?;
    let words = check.texts(table, "origins");
    if words.len() > 1 && words.iter().any(|word| word.text == ANY) {
        let help = "leave \"*\" out, or write it alone: it stands for every origin";
        check.error(&node.span, "\"*\" beside other origins", help);
    }
    for word in words.iter().filter(|word| word.text != ANY) {
        judge(check, word);
    }
    Some(words.into_iter().map(|word| word.text).collect())
}

/// True where the named origins act with the cookies of their visitors.
pub(super) fn with_cookies(check: &mut Check, root: &Table, origins: Option<&[String]>) -> bool {
    let trusts = check.boolean(root, "origins_credentials");
    let Some(node) = root.get("origins_credentials").filter(|_| trusts) else { return false };
    let origins = origins.unwrap_or_default();
    if origins.iter().any(|origin| origin == ANY) {
        let help = "name each origin, or leave `origins_credentials` out";
        check.error(&node.span, "cookies cannot be for the pages of everybody", help);
    } else if origins.is_empty() {
        let help = "name them above: `origins = [\"https://app.example\"]`";
        check.error(&node.span, "`origins_credentials` without `origins`", help);
    }
    trusts
}

/// Complains of what no browser sends in Origin (RFC 6454 §6.2): it would never match.
fn judge(check: &mut Check, word: &Word) {
    let text = word.text.as_str();
    if text == "null" {
        let help = "leave it out: files, sandboxes and redirects of anybody say null";
        return check.error(&word.span, "`null` is not the origin of any one page", help);
    }
    let right = corrected(text);
    if right.as_deref() == Some(text) {
        return;
    }
    let help = match right {
        Some(right) => format!("write \"{right}\""),
        None => "write a scheme and a host, such as \"https://app.example\"".to_owned(),
    };
    check.error(&word.span, format!("\"{text}\" is no origin as browsers send it"), &help);
}

/// The origin that is meant, as browsers write it: lower case, without path, without the port that
/// is the scheme's own.
fn corrected(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let (scheme, rest) = lower.split_once("://").unwrap_or(("https", &lower));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let own = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.strip_suffix(own).unwrap_or(authority);
    let fits = matches!(scheme, "http" | "https") && is_authority(authority);
    fits.then(|| format!("{scheme}://{authority}"))
}

fn is_authority(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[') {
        let Some((address, port)) = inner.split_once(']') else { return false };
        return address.parse::<std::net::Ipv6Addr>().is_ok() && is_port(port);
    }
    let at = text.find(':').unwrap_or(text.len());
    let (host, port) = text.split_at(at);
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let labels = || host.split('.');
    labels().all(|label| !label.is_empty() && label.bytes().all(plain)) && is_port(port)
}

/// Nothing, or a colon and a number.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|digits| {
            digits.parse::<u16>().is_ok_and(|port| port > 0 && digits == port.to_string())
        })
}

#[cfg(test)]
mod tests {
    use super::corrected;

    #[test]
    fn origins_are_as_browsers_write_them() {
        for (text, right) in [
            ("https://app.example", Some("https://app.example")),
            ("http://localhost:5173", Some("http://localhost:5173")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("https://app.example/", Some("https://app.example")),
            ("https://app.example/a?b", Some("https://app.example")),
            ("https://App.Example:443", Some("https://app.example")),
            ("http://app.example:80", Some("http://app.example")),
            ("app.example", Some("https://app.example")),
            ("https://*.app.example", None),
            ("ftp://app.example", None),
            ("https://a b.example", None),
            ("https://user@app.example", None),
            ("https://app.example:0", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(corrected(text).as_deref(), right, "{text}");
        }
    }
}
