//! `pattern`: regular expressions as JSON Schema means them (ECMA-262 with the `u` flag), run by
//! an engine that takes linear time on every text.

use regex::{Regex, RegexBuilder};

/// How much memory one compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Compiles a pattern.
///
/// # Errors
/// Says what in it is not a regular expression, or is one that is not served.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    RegexBuilder::new(&translated).size_limit(COMPILED_BYTES_MAX).build().map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim();
        format!(
            "is not a regular expression that can be used: {}",
            reason.trim_start_matches("error: ")
        )
    })
}

/// Rewrites what ECMA-262 and the regex crate read differently: `\d` and `\w` are ASCII there, and
/// `[`, `&` and `~` have no meaning inside a class.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[A-Za-z0-9_]"),
                Some('W') => out.push_str("[^A-Za-z0-9_]"),
                Some(digit @ '1'..='9') => {
                    return Err(refused(&format!("the backreference \\{digit}")));
                }
                Some('k') => return Err(refused("the backreference \\k")),
                Some(other) => out.extend(['\\', other]),
                None => return Err("ends in a lone backslash".to_owned()),
            },
            '[' | '&' | '~' if in_class => out.extend(['\\', character]),
            '[' => {
                in_class = true;
                out.push('[');
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '(' if !in_class && rest.peek() == Some(&'?') => {
                out.push('(');
                group(&rest.clone().skip(1).take(2).collect::<String>())?;
            }
            _ => out.push(character),
        }
    }
    Ok(out)
}

/// Checks what follows `(?`.
fn group(head: &str) -> Result<(), String> {
    let named = head.starts_with('<') && !matches!(head, "<=" | "<!");
    if head.starts_with(':') || named {
        return Ok(());
    }
    if head.starts_with(['=', '!', '<']) {
        return Err(refused("lookaround"));
    }
    Err("has a group `(?…` that ECMA-262 does not know; use `(?:…)` or `(?<name>…)`".to_owned())
}

fn refused(what: &str) -> String {
    format!("uses {what}, which is not served: matching has to end in linear time on every text")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::compile;

    #[test]
    fn patterns_mean_what_ecma_262_says() {
        for (pattern, text, matches) in [
            ("^a+$", "aaa", true),
            ("b", "abc", true),
            (r"^\d+$", "12", true),
            (r"^\d+$", "१२", false),
            (r"^\w$", "é", false),
            (r"^[\w.]+$", "a.b", true),
            (r"^[^\d]$", "5", false),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[[]$", "[", true),
            (r"^\/$", "/", true),
            (r"^(?<year>\d{4})$", "2026", true),
            (r"^\p{L}+$", "éa", true),
        ] {
            assert_eq!(compile(pattern).unwrap().is_match(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn what_cannot_run_in_linear_time_is_refused_with_the_reason() {
        for pattern in [r"(?=a)", r"(?<!a)b", r"(a)\1", r"(?<a>x)\k<a>"] {
            assert!(compile(pattern).unwrap_err().contains("linear"), "{pattern}");
        }
        for pattern in ["(", "a{2,1}", "(?i)a", "\\", "(a{1000}){1000}"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
