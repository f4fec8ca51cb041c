//! Runs the cases of a law against the real program.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use regex::Regex;
use serde_json::Value;

use super::case::{self, Case, Law, Step};
use crate::support::answer::Answer;
use crate::support::client::{Client, Connection, Request};
use crate::support::pattern;
use crate::support::server::{Options, Server, await_that};

/// Set by `make mutants`: the first failure is enough, so that what follows need not run.
static FAILED: AtomicBool = AtomicBool::new(false);

/// True where a failure has been seen and only the first is wanted.
pub(crate) fn is_decided() -> bool {
    FAILED.load(Ordering::Relaxed) && std::env::var_os("METHODICAL_FIRST_FAILURE").is_some()
}

/// Runs a test's body, so that others know that it failed.
pub(crate) fn decisive(body: impl FnOnce()) {
    if is_decided() {
        return;
    }
    if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
        FAILED.store(true, Ordering::Relaxed);
        std::panic::resume_unwind(panic);
    }
}

/// Runs every case of a file, in order, on one server, and fails with all that does not hold.
pub(crate) fn run(path: &Path) {
    decisive(|| {
        let law = case::read(path);
        let mut server = start(&law);
        let mut failures = Vec::new();
        for case in &law.cases {
            let mut scene = Scene::new(&mut server, law.declaration == "shop");
            if let Err(failure) = scene.play(case) {
                failures.push(format!(
                    "{}:{}\n  {} | {}\n  {}",
                    path.display(),
                    case.line,
                    case.section,
                    case.sentence,
                    failure.replace('\n', "\n    ")
                ));
                FAILED.store(true, Ordering::Relaxed);
                if is_decided() {
                    break;
                }
            }
        }
        let count = law.cases.len();
        assert!(
            failures.is_empty(),
            "{} of {count} do not hold:\n\n{}\n",
            failures.len(),
            failures.join("\n\n")
        );
    });
}

fn start(law: &Law) -> Server {
    let options = match law.declaration.as_str() {
        "lab" => Options::lab(),
        "shop" => Options::shop(),
        other => panic!("there is no declaration {other:?}"),
    };
    law.settings.iter().fold(options, |options, (key, value)| options.set(key, value)).start()
}

/// A case while it is played.
struct Scene<'a> {
    server: &'a mut Server,
    /// True where requests that say nothing else are those of an admin.
    is_admin: bool,
    values: HashMap<String, String>,
    answers: HashMap<String, Answer>,
    answer: Option<Answer>,
    connection: Option<Connection>,
    /// The methods of requests in raw bytes that have not been answered yet.
    asked: String,
    unsent: Vec<u8>,
    lock: Option<rusqlite::Connection>,
}

type Played = Result<(), String>;

impl<'a> Scene<'a> {
    fn new(server: &'a mut Server, is_admin: bool) -> Self {
        Self {
            server,
            is_admin,
            values: HashMap::new(),
            answers: HashMap::new(),
            answer: None,
            connection: None,
            asked: String::new(),
            unsent: Vec::new(),
            lock: None,
        }
    }

    fn play(&mut self, case: &Case) -> Played {
        if case.steps.is_empty() {
            return Err("the case has no steps".to_owned());
        }
        for (line, step) in &case.steps {
            let done = catch_unwind(AssertUnwindSafe(|| self.step(step)));
            let done = done.unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                Err(text
                    .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
                    .unwrap_or_default())
            });
            done.map_err(|failure| {
                let shown = self.answer.as_ref().map_or_else(String::new, Answer::show);
                format!("line {line}: {failure}\n--- the answer:\n{shown}")
            })?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Played {
        match step {
            Step::Send { head, content, escaped } => {
                self.send(head, content.as_deref(), escaped.as_deref())
            }
            Step::Create { name, target, json } => self.create(name, target, json),
            Step::Bytes(text) => {
                let bytes = unescape(&self.fill(text));
                if self.asked.is_empty() {
                    self.asked = method_of(&bytes);
                }
                self.unsent.extend_from_slice(&bytes);
                Ok(())
            }
            Step::Finish => {
                self.flush();
                self.connection().finish();
                Ok(())
            }
            Step::Reconnect => {
                self.connection = None;
                Ok(())
            }
            Step::Do(what) => self.direct(what),
            Step::Status(status, method) => self.status(*status, method.as_deref()),
            Step::Closed => {
                let rest = self.connection().rest();
                if rest.is_empty() { Ok(()) } else { Err(format!("more came: {}", lossy(&rest))) }
            }
            Step::Nothing => {
                self.flush();
                let rest = self.connection().rest();
                if rest.is_empty() { Ok(()) } else { Err(format!("answered: {}", lossy(&rest))) }
            }
            Step::Open => self.open(),
            _ => self.expect(step),
        }
    }

    fn send(&mut self, head: &[String], content: Option<&str>, escaped: Option<&str>) -> Played {
        let first = self.fill(head.first().ok_or("a request without a line")?);
        let (method, target) = first.split_once(' ').ok_or("no target")?;
        let mut request = Request::new(method, target);
        for line in &head[1..] {
            let line = self.fill(line);
            let (name, value) = line.split_once(':').ok_or("a field without a colon")?;
            request = request.field(name, value.trim());
        }
        request.content = match (escaped, content) {
            (Some(escaped), _) => Some(unescape(&self.fill(escaped))),
            (None, Some(content)) => Some(self.fill(content).into_bytes()),
            (None, None) => None,
        };
        self.answer = None;
        self.connection = None;
        self.answer = Some(self.client().send(&request));
        Ok(())
    }

    fn create(&mut self, name: &str, target: &str, json: &str) -> Played {
        let request = Request::new("POST", &self.fill(target)).json(self.fill(json));
        let answer = self.client().send(&request);
        self.answer = Some(answer.clone());
        if answer.status != 201 {
            return Err(format!("status {}, expected 201", answer.status));
        }
        self.keep(name, "json /id", &answer)?;
        self.keep(&format!("{name}.tag"), "field etag", &answer)
    }

    fn client(&self) -> Client {
        if self.is_admin { self.server.admin() } else { self.server.client() }
    }

    fn connection(&mut self) -> &mut Connection {
        let client = self.server.client();
        self.connection.get_or_insert_with(|| client.connect())
    }

    fn flush(&mut self) {
        let bytes = std::mem::take(&mut self.unsent);
        // A server that refuses early may close before the rest is written.
        let _ = self.connection().write(&bytes);
    }

    fn status(&mut self, status: u16, method: Option<&str>) -> Played {
        if self.connection.is_some() || !self.unsent.is_empty() {
            self.flush();
            let first = if self.asked.is_empty() { "GET" } else { &self.asked };
            let asked = method.unwrap_or(first).to_owned();
            self.answer = None;
            let answer = self.connection().answer(&asked).map_err(|error| error.to_string())?;
            if answer.status >= 200 {
                self.asked.clear();
            }
            self.answer = Some(answer.clone());
            answer.check(&asked, "raw bytes");
        }
        let answer = self.answer.as_ref().ok_or("nothing was asked")?;
        if answer.status == status {
            Ok(())
        } else {
            Err(format!("status {}, expected {status}", answer.status))
        }
    }

    fn open(&mut self) -> Played {
        let request = Request::new("GET", "/healthz").field("connection", "keep-alive");
        let bytes = request.bytes(self.server.address());
        let connection = self.connection();
        connection.write(&bytes).map_err(|error| format!("the connection is closed: {error}"))?;
        let answer = connection.answer("GET").map_err(|error| error.to_string())?;
        if answer.status == 200 { Ok(()) } else { Err("the next request is not answered".into()) }
    }

    fn direct(&mut self, what: &str) -> Played {
        let what = self.fill(what);
        let (verb, rest) = what.split_once(' ').unwrap_or((&what, ""));
        match verb {
            "restart" => {
                let status = self.server.terminate();
                if !status.success() {
                    return Err(format!("SIGTERM ended it with {status}"));
                }
                self.server.restart();
            }
            "kill" => self.server.kill_and_restart(),
            "lock" => {
                let other = self.other()?;
                other.execute_batch("BEGIN IMMEDIATE").map_err(|error| error.to_string())?;
                self.lock = Some(other);
            }
            "unlock" => self.lock = None,
            "sql" => self.other()?.execute_batch(rest).map_err(|error| error.to_string())?,
            "logs" => self.server.await_log(rest),
            "logs-not" => {
                if self.server.log().contains(rest) {
                    return Err(format!("the log says {rest:?}"));
                }
            }
            "until" => {
                let (target, field) = rest.split_once(" has ").ok_or("until TARGET has FIELD")?;
                let client = self.client();
                await_that(&what, || client.get(target).field(field).is_some());
            }
            _ => return Err(format!("nobody knows how to {what}")),
        }
        Ok(())
    }

    fn other(&self) -> Result<rusqlite::Connection, String> {
        let other = rusqlite::Connection::open(self.server.database())
            .map_err(|error| error.to_string())?;
        other.busy_timeout(crate::support::server::PATIENCE).map_err(|error| error.to_string())?;
        Ok(other)
    }

    fn expect(&mut self, step: &Step) -> Played {
        let answer = self.answer.clone().ok_or("there is no answer yet")?;
        match step {
            Step::Field(name, expected) => field(&answer, name, &self.fill(expected)),
            Step::Json(text) => {
                let text = self.fill(text);
                let expected: Value = serde_json::from_str(&text)
                    .map_err(|error| format!("the law is not JSON: {error}: {text}"))?;
                subset(&expected, &answer.json(), "")
            }
            Step::Text(text) => {
                let expected = self.fill(text);
                let found = answer.text();
                if found == expected { Ok(()) } else { Err(format!("content is not {expected}")) }
            }
            Step::Empty if answer.content.is_empty() => Ok(()),
            Step::Empty => Err(format!("{} bytes of content", answer.content.len())),
            Step::Matches(pattern, wanted) => {
                let form = Regex::new(&self.fill(pattern)).map_err(|error| error.to_string())?;
                if form.is_match(&answer.text()) == *wanted {
                    Ok(())
                } else {
                    Err(format!("the content does or does not match {form}"))
                }
            }
            Step::Lacks(pointer) => match answer.json().pointer(pointer) {
                None => Ok(()),
                Some(found) => Err(format!("{pointer} is there: {found}")),
            },
            Step::Keep { name, what } => self.keep(name, what, &answer),
            Step::Same { name, except } => {
                let first = self.answers.get(name).ok_or("no answer of this name was kept")?;
                same(first, &answer, except)
            }
            _ => Err("not an expectation".to_owned()),
        }
    }

    fn keep(&mut self, name: &str, what: &str, answer: &Answer) -> Played {
        let (kind, which) = what.split_once(' ').unwrap_or((what, ""));
        let value = match kind {
            "answer" => {
                self.answers.insert(name.to_owned(), answer.clone());
                return Ok(());
            }
            "text" => answer.text(),
            "field" => answer.field(which).ok_or_else(|| format!("{which} is not there"))?,
            "json" => {
                let json = answer.json();
                match json.pointer(which).ok_or_else(|| format!("{which} is not there"))? {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                }
            }
            _ => return Err(format!("nobody knows how to keep {what}")),
        };
        self.values.insert(name.to_owned(), value);
        Ok(())
    }

    /// Puts kept values in the place of `{{name}}`, and repetitions in that of `{{text*9}}`.
    fn fill(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else { break };
            out.push_str(before);
            match (name, name.rsplit_once('*')) {
                ("host", _) => out.push_str(&self.server.address().to_string()),
                ("admin", _) => out.push_str(&self.server.admin_key()),
                (_, Some((unit, count))) => {
                    let count: usize = count.parse().expect("a number of repetitions");
                    out.push_str(&unit.repeat(count));
                }
                _ => match self.values.get(name) {
                    Some(value) => out.push_str(value),
                    None => panic!("nothing was kept as {name:?}"),
                },
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn method_of(bytes: &[u8]) -> String {
    let text = lossy(bytes);
    let word = text.trim_start().split(' ').next().unwrap_or_default();
    let plain = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    if plain { word.to_owned() } else { "GET".to_owned() }
}

/// `\r \n \t \0 \\ \xHH`.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'0') => out.push(0),
            Some(b'x') => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&digits, 16).expect("two hex digits"));
            }
            Some(other) => out.push(other),
            None => panic!("a backslash at the end of {text:?}"),
        }
    }
    out
}

fn field(answer: &Answer, name: &str, expected: &str) -> Played {
    let found = answer.field(name);
    let shown = found.clone().unwrap_or_else(|| "(absent)".to_owned());
    let holds = match expected.split_once(' ').unwrap_or((expected, "")) {
        ("*", "") => found.is_some(),
        ("-", "") => found.is_none(),
        ("has", item) => answer.list(name).iter().any(|each| each.eq_ignore_ascii_case(item)),
        ("hasnot", item) => !answer.list(name).iter().any(|each| each.eq_ignore_ascii_case(item)),
        ("set", items) => {
            let sorted = |list: Vec<String>| {
                let mut list = list;
                list.sort_unstable();
                list
            };
            let items = items.split(',').map(|item| item.trim().to_owned()).collect();
            sorted(answer.list(name)) == sorted(items)
        }
        ("is", form) => found.is_some_and(|value| pattern::is(form, &value)),
        _ => match expected.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(form) if form.starts_with('^') => {
                let form = Regex::new(form).map_err(|error| error.to_string())?;
                found.is_some_and(|value| form.is_match(&value))
            }
            _ => found.as_deref() == Some(expected),
        },
    };
    if holds { Ok(()) } else { Err(format!("{name} is {shown}, expected {expected}")) }
}

/// Members that are expected are there and as expected; lists are as long.
pub(crate) fn subset(expected: &Value, found: &Value, at: &str) -> Played {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().try_for_each(|(name, expected)| {
                let place = format!("{at}/{name}");
                let member = found.get(name).ok_or_else(|| format!("{place} is missing"))?;
                subset(expected, member, &place)
            })
        }
        (Value::Array(expected), Value::Array(found)) => {
            if expected.len() != found.len() {
                return Err(format!("{at} has {} items, not {}", found.len(), expected.len()));
            }
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.try_for_each(|(i, (expected, found))| {
                subset(expected, found, &format!("{at}/{i}"))
            })
        }
        (Value::String(form), found) if is_form(form) => {
            let form = form.trim_matches(['«', '»']);
            let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            if pattern::is(form, &text) {
                Ok(())
            } else {
                Err(format!("{at} is no {form}: {text}"))
            }
        }
        _ if expected == found => Ok(()),
        _ => Err(format!("{at} is {found}, expected {expected}")),
    }
}

fn is_form(text: &str) -> bool {
    text.starts_with('«') && text.ends_with('»')
}

fn same(first: &Answer, second: &Answer, except: &[String]) -> Played {
    let fields = |answer: &Answer| {
        let mut fields = answer.fields.clone();
        // Of the message and not of the answer: each has its own.
        let own = ["connection", "request-id"];
        fields.retain(|(name, _)| !own.contains(&name.as_str()) && !except.contains(name));
        fields.sort();
        fields
    };
    if first.status != second.status {
        return Err(format!("status {} and then {}", first.status, second.status));
    }
    if fields(first) != fields(second) {
        let (first, second) = (fields(first), fields(second));
        let only = |these: &[(String, String)], those: &[(String, String)]| {
            these.iter().filter(|field| !those.contains(field)).cloned().collect::<Vec<_>>()
        };
        return Err(format!(
            "fields {:?} and then {:?}",
            only(&first, &second),
            only(&second, &first)
        ));
    }
    if first.content != second.content && !except.iter().any(|name| name == "content") {
        return Err(format!("content {} and then other", lossy(&first.content)));
    }
    Ok(())
}
