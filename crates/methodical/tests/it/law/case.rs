//! Reads `*.law`: cases of requests and what must come back, one sentence of a specification each.
//!
//! ```text
//! %% lab                              the declaration of the file's server: lab, where anyone
//!                                       may do anything, or shop, where each request that does
//!                                       not say `authorization: -` is one of an admin
//! %% set limits.content=1000          a setting of it
//!
//! ### RFC 9110 §9.3.3 | POST that creates is answered with 201 and Location.
//! > POST /api/notes                   a request; Host and Connection are added
//! > content-type: application/json    its fields; `-` leaves one out that would be added
//! >
//! > {"title": "a"}                    its content, lines joined by LF
//! >| a\r\n\x00{{a*9}}                 content with escapes; lines are joined by nothing
//! $ GET / HTTP/1.1\r\n                bytes on a connection that stays until the case ends
//! $fin    $new                        end of what is sent; another connection
//! < 201                               what must come back: the status,
//! < 200 HEAD                            of an answer to this method (raw bytes only)
//! < etag: *                             a field: there; `-` not there; `/regex/`; `has item`;
//! < vary: has accept                    `hasnot item`; `is etag|date|time|uuid|number`;
//! < allow: set GET, HEAD                 these items in any order
//! < location: /api/notes/1              or this exact value
//! < closed | open | nothing             the connection after it; `nothing`: closed, no answer
//! = {"title": "a", "at": "«time»"}    content, as JSON: these members, more may be there
//! == text                             content, exactly;   =empty: none
//! ~ regex      !~ regex               content as text
//! ! /pointer                          this member is not there
//! {{admin}}                           the key of an admin, wherever it stands
//! + id /api/notes {"title": "a"}      a POST of JSON that gives 201; keeps {{id}} and {{id.tag}}
//! @ id json /id                       keeps a value as {{id}}: json POINTER, field NAME, text,
//!                                       answer (for `same`)
//! same first except date, etag        status, fields and content are those of a kept answer
//! % restart   % kill                  the server ends (SIGTERM, SIGKILL) and starts again
//! % lock      % unlock                another process holds the database, or lets it go
//! % sql UPDATE …                      another process changes it
//! % logs TEXT      % logs-not TEXT    what the log says, or must never say
//! % until TARGET has FIELD            waits until a GET of it shows a field
//! ```

use std::fs;
use std::path::Path;

/// A file of cases.
pub(crate) struct Law {
    /// `lab` or `shop`.
    pub(crate) declaration: String,
    /// Settings of its server.
    pub(crate) settings: Vec<(String, String)>,
    /// The cases, in order.
    pub(crate) cases: Vec<Case>,
}

/// A sentence and its proof.
pub(crate) struct Case {
    /// Where the sentence stands.
    pub(crate) section: String,
    /// The sentence.
    pub(crate) sentence: String,
    /// The line of the file that it begins at.
    pub(crate) line: usize,
    /// What is done and expected, with lines of the file.
    pub(crate) steps: Vec<(usize, Step)>,
}

/// One step of a case.
pub(crate) enum Step {
    /// `>`: the lines of a request, and of its content with escapes.
    Send {
        head: Vec<String>,
        content: Option<String>,
        escaped: Option<String>,
    },
    /// `$`: bytes with escapes.
    Bytes(String),
    /// `$fin`
    Finish,
    /// `$new`
    Reconnect,
    /// `%`
    Do(String),
    /// `<` with a status, and the method that was asked.
    Status(u16, Option<String>),
    /// `<` with a field and what is expected of it.
    Field(String, String),
    /// `< closed`, `< open`, `< nothing`
    Closed,
    Open,
    Nothing,
    /// `=`
    Json(String),
    /// `==`
    Text(String),
    /// `=empty`
    Empty,
    /// `~`, `!~`
    Matches(String, bool),
    /// `!`
    Lacks(String),
    /// `@`
    Keep {
        name: String,
        what: String,
    },
    /// `+`
    Create {
        name: String,
        target: String,
        json: String,
    },
    /// `same`
    Same {
        name: String,
        except: Vec<String>,
    },
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Law {
    let text = fs::read_to_string(path).expect("a law");
    let mut law = Law { declaration: "lab".to_owned(), settings: Vec::new(), cases: Vec::new() };
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if let Some(rest) = line.strip_prefix("%% ") {
            match rest.strip_prefix("set ").and_then(|pair| pair.split_once('=')) {
                Some((key, value)) => law.settings.push((key.to_owned(), value.to_owned())),
                None => rest.trim().clone_into(&mut law.declaration),
            }
        } else if let Some(rest) = line.strip_prefix("### ") {
            let (section, sentence) =
                rest.split_once(" | ").unwrap_or_else(|| panic!("{path:?}:{number}: no ` | `"));
            law.cases.push(Case {
                section: section.trim().to_owned(),
                sentence: sentence.trim().to_owned(),
                line: number,
                steps: Vec::new(),
            });
        } else if !line.trim().is_empty() && !line.starts_with("# ") && line != "#" {
            let case = law.cases.last_mut().unwrap_or_else(|| panic!("{path:?}:{number}: no case"));
            step(&mut case.steps, number, line)
                .unwrap_or_else(|| panic!("{path:?}:{number}: not a step: {line}"));
        }
    }
    law
}

fn step(steps: &mut Vec<(usize, Step)>, number: usize, line: &str) -> Option<()> {
    if line == ">" || line.starts_with("> ") || line.starts_with(">| ") {
        return request_line(steps, number, line);
    }
    let step = match line.split_once(' ').unwrap_or((line, "")) {
        ("$", rest) => Step::Bytes(rest.to_owned()),
        ("$fin", _) => Step::Finish,
        ("$new", _) => Step::Reconnect,
        ("%", rest) => Step::Do(rest.trim().to_owned()),
        ("<", "closed") => Step::Closed,
        ("<", "open") => Step::Open,
        ("<", "nothing") => Step::Nothing,
        ("<", rest) => expectation(rest)?,
        ("=", rest) => {
            // A JSON text may go over several lines.
            if let Some((_, Step::Json(before))) = steps.last_mut() {
                before.push_str(rest);
                return Some(());
            }
            Step::Json(rest.to_owned())
        }
        ("==", rest) => Step::Text(rest.to_owned()),
        ("=empty", _) => Step::Empty,
        ("~", rest) => Step::Matches(rest.to_owned(), true),
        ("!~", rest) => Step::Matches(rest.to_owned(), false),
        ("!", rest) => Step::Lacks(rest.trim().to_owned()),
        ("@", rest) => {
            let (name, what) = rest.split_once(' ')?;
            Step::Keep { name: name.to_owned(), what: what.to_owned() }
        }
        ("+", rest) => {
            let (name, rest) = rest.split_once(' ')?;
            let (target, json) = rest.split_once(' ')?;
            Step::Create { name: name.to_owned(), target: target.to_owned(), json: json.to_owned() }
        }
        ("same", rest) => {
            let (name, except) = rest.split_once(" except ").unwrap_or((rest, ""));
            let except = except.split(',').map(|name| name.trim().to_owned()).collect();
            Step::Same { name: name.trim().to_owned(), except }
        }
        _ => return None,
    };
    steps.push((number, step));
    Some(())
}

fn expectation(rest: &str) -> Option<Step> {
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        let (code, method) = rest.split_once(' ').map_or((rest, None), |(a, b)| (a, Some(b)));
        return Some(Step::Status(code.parse().ok()?, method.map(str::to_owned)));
    }
    let (name, value) = rest.split_once(": ")?;
    Some(Step::Field(name.to_owned(), value.trim().to_owned()))
}

fn request_line(steps: &mut Vec<(usize, Step)>, number: usize, line: &str) -> Option<()> {
    let fresh = !matches!(steps.last(), Some((_, Step::Send { .. })));
    if fresh {
        let send = Step::Send { head: Vec::new(), content: None, escaped: None };
        steps.push((number, send));
    }
    let Some((_, Step::Send { head, content, escaped })) = steps.last_mut() else { return None };
    if let Some(more) = line.strip_prefix(">| ") {
        escaped.get_or_insert_default().push_str(more);
        return Some(());
    }
    let text = line.strip_prefix("> ").unwrap_or_default();
    match content {
        None if line == ">" => *content = Some(String::new()),
        None => head.push(text.to_owned()),
        Some(content) => {
            if !content.is_empty() {
                content.push('\n');
            }
            content.push_str(text);
        }
    }
    Some(())
}
