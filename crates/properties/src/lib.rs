//! What must hold of everything that reads what strangers send. Each target takes any bytes, hands
//! them to the functions that the server calls, and panics where a promise is broken. libFuzzer
//! calls these functions with bytes of its own (`fuzz/`), and `cargo test` with every file of the
//! corpus, so that what was found once stays a test.

mod batch;
mod declaration;
mod field;
mod form;
mod http1;
mod json;
mod patch;
mod query;
mod record;
mod request;
mod rows;
mod rule;
mod schema;
mod search;
mod text;
mod world;

/// One thing to try: its name, which is that of its corpus and of its program, and what must hold.
pub struct Target {
    /// Letters, digits and underscores.
    pub name: &'static str,
    /// Panics where a promise is broken.
    pub check: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "batch", check: batch::batch },
    Target { name: "chunked", check: http1::chunked },
    Target { name: "declaration", check: declaration::declaration },
    Target { name: "field", check: field::field },
    Target { name: "form", check: form::urlencoded },
    Target { name: "head", check: http1::head },
    Target { name: "json", check: json::json },
    Target { name: "json_patch", check: patch::json_patch },
    Target { name: "merge_patch", check: patch::merge_patch },
    Target { name: "multipart", check: form::multipart },
    Target { name: "query", check: query::query },
    Target { name: "record", check: record::record },
    Target { name: "request", check: request::request },
    Target { name: "rows", check: rows::rows },
    Target { name: "rule", check: rule::rule },
    Target { name: "schema", check: schema::schema },
    Target { name: "search", check: search::search },
    Target { name: "secret", check: query::secret },
    Target { name: "text", check: text::text },
];

/// Tries one target.
///
/// # Panics
/// Where a promise is broken, and where no target has this name.
pub fn check(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("no target is called {name}"));
    (target.check)(data);
}
