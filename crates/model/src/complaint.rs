//! Complaints about a declaration: what is wrong, where, and what to write instead.

use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};
use std::ops::Range;

/// A place in the text: bytes from the start of the file.
pub(crate) type Span = Range<usize>;

/// How much a complaint weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is started with it.
    Error,
    /// It works, but hardly as it was meant.
    Warning,
    /// Something to know.
    Note,
}

/// One complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// How much it weighs.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// Where: bytes from the start of the text.
    pub span: Range<usize>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Complaint {
    pub(crate) fn error(span: Span, message: impl Into<String>, help: Option<String>) -> Self {
        Self { level: Level::Error, message: message.into(), span, help }
    }
}

/// Line and column, both from 1, of a byte of the text; columns count characters.
#[must_use]
pub fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(byte)];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before[start..].chars().count() + 1)
}

/// Writes complaints as a compiler does: the line, the place in it and the help below. `path` is
/// what the reader calls the file. A password inside a URL is blotted out.
#[must_use]
pub fn render(complaints: &[Complaint], text: &str, path: &str, color: bool) -> String {
    let text = blot(text);
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for complaint in complaints {
        let title = match complaint.level {
            Level::Error => Title::ERROR,
            Level::Warning => Title::WARNING,
            Level::Note => Title::NOTE,
        };
        let start = text.floor_char_boundary(complaint.span.start);
        let end = text.ceil_char_boundary(complaint.span.end).max(start);
        let mark = AnnotationKind::Primary.span(start..end);
        let snippet = Snippet::source(text.as_str()).path(path).annotation(mark);
        let mut group = title.primary_title(complaint.message.as_str()).element(snippet);
        if let Some(help) = &complaint.help {
            group = group.element(Title::HELP.message(help.as_str()));
        }
        out.push_str(&renderer.render(&[group]));
        out.push_str("\n\n");
    }
    out
}

/// The text with the password of every `scheme://user:password@host` replaced by as many stars:
/// complaints show whole lines, and land in logs and screenshots.
fn blot(text: &str) -> String {
    let mut out = text.to_owned();
    let mut from = 0;
    while let Some(at) = out[from..].find("://") {
        let start = from + at + 3;
        let stop = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '/' | '?' | '#');
        let end = out[start..].find(stop).map_or(out.len(), |length| start + length);
        if let Some((userinfo, _)) = out[start..end].rsplit_once('@')
            && let Some((user, password)) = userinfo.split_once(':')
        {
            let first = start + user.len() + 1;
            let stars = "*".repeat(password.len());
            out.replace_range(first..first + stars.len(), &stars);
        }
        from = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("ab\nüx", 3), (2, 1));
        assert_eq!(position("ab\nüx", 5), (2, 2));
        assert_eq!(position("ab", 99), (1, 3));
        assert_eq!(position("", 0), (1, 1));
    }

    #[test]
    fn a_complaint_shows_its_line_and_its_help() {
        let text = "title = 3\n";
        let help = Some("write `title = \"3\"`".to_owned());
        let complaint = Complaint::error(8..9, "`title` must be a string", help);
        let shown = render(&[complaint], text, "shop/methodical.toml", false);
        assert_eq!(
            shown,
            "error: `title` must be a string\n\
             \x20--> shop/methodical.toml:1:9\n\
             \x20 |\n\
             1 | title = 3\n\
             \x20 |         ^\n\
             \x20 |\n\
             \x20 = help: write `title = \"3\"`\n\n"
        );
    }

    #[test]
    fn a_password_in_a_url_is_never_shown() {
        let text = "database = \"postgres://me:hun:ter2@db/x\" # http://a:b@c";
        let complaint = Complaint::error(0..8, "no", None);
        let shown = render(&[complaint], text, "m", false);
        assert!(shown.contains("postgres://me:********@db/x"), "{shown}");
        assert!(shown.contains("http://a:*@c"), "{shown}");
    }

    #[test]
    fn any_span_can_be_rendered() {
        for span in [0..0, 3..3, 1..2, 2..900, 900..900] {
            let complaint = Complaint::error(span, "x", None);
            assert!(!render(&[complaint], "ü\n\u{feff}ß", "m", true).is_empty());
        }
    }
}
