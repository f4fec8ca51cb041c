//! A request of the property tests, before it is bytes.

use serde_json::Value;

use crate::support::client::Request;

/// The id of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Id {
    /// Of parts and notes.
    Number(i64),
    /// Of things.
    Text(String),
}

impl std::fmt::Display for Id {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(id) => write!(out, "{id}"),
            Self::Text(id) => out.write_str(id),
        }
    }
}

impl Id {
    /// As it stands in a record.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Number(id) => (*id).into(),
            Self::Text(id) => id.clone().into(),
        }
    }
}

/// What a list is asked for.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// Field and value.
    pub(super) filter: Option<(&'static str, Value)>,
    /// Fields, and whether they descend.
    pub(super) sort: Vec<(&'static str, bool)>,
    /// From 1.
    pub(super) page: usize,
    /// Records a page.
    pub(super) limit: usize,
    /// The members that are shown; None: all.
    pub(super) fields: Option<Vec<&'static str>>,
    /// No total is wanted.
    pub(super) is_uncounted: bool,
    /// Something that nobody may ask for.
    pub(super) fault: Option<&'static str>,
}

/// What is wanted, and how it is sent.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// The method.
    pub(super) method: &'static str,
    /// The resource.
    pub(super) resource: &'static str,
    /// The record; None: the collection.
    pub(super) id: Option<Id>,
    /// Of a list.
    pub(super) query: Option<Query>,
    /// The members that a record is shown with.
    pub(super) fields: Option<Vec<&'static str>>,
    /// Media type and content.
    pub(super) content: Option<(&'static str, Value)>,
    /// The content is cut short.
    pub(super) is_broken: bool,
    /// If-Match.
    pub(super) if_match: Option<String>,
    /// If-None-Match.
    pub(super) if_none_match: Option<String>,
    /// Idempotency-Key.
    pub(super) key: Option<String>,
    /// Prefer: return=minimal.
    pub(super) is_minimal: bool,
}

impl Wish {
    /// Nothing but method and resource.
    pub(super) fn new(method: &'static str, resource: &'static str) -> Self {
        Self {
            method,
            resource,
            id: None,
            query: None,
            fields: None,
            content: None,
            is_broken: false,
            if_match: None,
            if_none_match: None,
            key: None,
            is_minimal: false,
        }
    }

    /// The canonical path.
    pub(super) fn path(&self) -> String {
        match &self.id {
            Some(id) => format!("/api/{}/{id}", self.resource),
            None => format!("/api/{}", self.resource),
        }
    }

    /// The request target.
    pub(super) fn target(&self) -> String {
        let mut terms = Vec::new();
        if let Some(fields) = &self.fields {
            terms.push(format!("fields={}", fields.join(",")));
        }
        if let Some(query) = &self.query {
            terms.extend(query.terms());
        }
        let separator = if terms.is_empty() { "" } else { "?" };
        format!("{}{separator}{}", self.path(), terms.join("&"))
    }

    /// The request.
    pub(super) fn request(&self) -> Request {
        let mut request = Request::new(self.method, &self.target());
        let fields = [
            ("if-match", &self.if_match),
            ("if-none-match", &self.if_none_match),
            ("idempotency-key", &self.key),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                request = request.field(name, value);
            }
        }
        if self.is_minimal {
            request = request.field("prefer", "return=minimal");
        }
        let Some((media_type, content)) = &self.content else { return request };
        let mut bytes = content.to_string().into_bytes();
        if self.is_broken {
            bytes.pop();
        }
        request.content(media_type, bytes)
    }

    /// What a key is used for: a repetition has the same.
    pub(super) fn meaning(&self) -> String {
        format!("{:?} {:?} {:?}", self.content, self.if_match, self.if_none_match)
    }
}

impl Query {
    fn terms(&self) -> Vec<String> {
        let mut terms = vec![format!("page={}", self.page), format!("limit={}", self.limit)];
        if let Some((field, value)) = &self.filter {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            terms.push(format!("{field}={}", encoded(&text)));
        }
        if !self.sort.is_empty() {
            let key = |(field, descends): &(&str, bool)| {
                format!("{}{field}", if *descends { "-" } else { "" })
            };
            let keys: Vec<_> = self.sort.iter().map(key).collect();
            terms.push(format!("sort={}", keys.join(",")));
        }
        if let Some(fields) = &self.fields {
            terms.push(format!("fields={}", fields.join(",")));
        }
        if self.is_uncounted {
            terms.push("count=none".to_owned());
        }
        terms.extend(self.fault.map(str::to_owned));
        terms
    }
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
