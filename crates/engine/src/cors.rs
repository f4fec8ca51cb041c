//! Whose pages may read an answer (Fetch §3.2): those of origins that the declaration names, and in
//! development those of this machine.

use contract::cors;
use contract::table::Target;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use model::model::{Model, ResourceIndex};
use model::setting::Settings;

use crate::call::Call;
use crate::origin;
use crate::report::Peer;

const ASKED_METHOD: HeaderName = HeaderName::from_static("access-control-request-method");
const ALLOW_ORIGIN: HeaderName = HeaderName::from_static("access-control-allow-origin");
const ALLOW_CREDENTIALS: HeaderName = HeaderName::from_static("access-control-allow-credentials");
const EXPOSE: HeaderName = HeaderName::from_static("access-control-expose-headers");
const MAX_AGE: HeaderName = HeaderName::from_static("access-control-max-age");
/// How long a browser goes by a preflight. Two hours are the most that one of them takes.
const SECONDS: HeaderValue = HeaderValue::from_static("7200");
/// Stands in a declaration for the pages of everybody.
const ANY: &str = "*";

/// What a page may do with answers, the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grant {
    /// Nothing: its browser keeps them from it.
    #[default]
    None,
    /// Read them, as the pages of everybody.
    Any,
    /// Read them, as it is named.
    Named,
    /// Read them, and act with its visitor's cookie.
    Trusted,
}

/// The page that a request was sent for, as far as its origin is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// Its origin, as the browser says it.
    origin: Option<HeaderValue>,
    /// It is one of this machine's, and so is the server.
    local: bool,
    /// What it may do.
    pub(crate) grant: Grant,
}

impl Page {
    /// The page, and what it may do with answers about a resource.
    pub(crate) fn of(
        parts: &Parts,
        model: &Model,
        settings: &Settings,
        resource: Option<ResourceIndex>,
    ) -> Self {
        let Some(origin) = parts.headers.get(header::ORIGIN) else { return Self::default() };
        let local = is_local(parts, settings, origin);
        let mut page = Self { origin: Some(origin.clone()), local, grant: Grant::Trusted };
        page.lower(model, resource);
        page
    }

    /// Takes away what it may not do with answers about this resource, or about none.
    fn lower(&mut self, model: &Model, resource: Option<ResourceIndex>) {
        let Some(origin) = &self.origin else { return };
        let listed = model.origins_of(resource);
        let grant = if listed.iter().any(|one| one.as_bytes() == origin.as_bytes()) {
            if model.origins_credentials { Grant::Trusted } else { Grant::Named }
        } else if self.local {
            Grant::Named
        } else if listed.iter().any(|one| one == ANY) {
            Grant::Any
        } else {
            Grant::None
        };
        self.grant = self.grant.min(grant);
    }

    /// Takes away what it may not do with everything else that an answer depends on.
    pub(crate) fn lower_to(&mut self, call: &Call) {
        if self.origin.is_none() {
            return;
        }
        for resource in &call.tables {
            self.lower(&call.model, Some(*resource));
        }
        let operations = call.batch().into_iter().flat_map(|batch| &batch.operations);
        for operation in operations {
            self.lower(&call.model, operation.call.routed.resource);
        }
    }

    /// Tells the browser. `target` is what a preflight asks for.
    pub(crate) fn write(
        &self,
        request: &HeaderMap,
        target: Option<Target>,
        fields: &mut HeaderMap,
    ) {
        let (Some(origin), true) = (&self.origin, self.grant > Grant::None) else { return };
        let allowed = match self.grant {
            Grant::None | Grant::Any => HeaderValue::from_static(ANY),
            Grant::Named | Grant::Trusted => origin.clone(),
        };
        fields.insert(ALLOW_ORIGIN, allowed);
        if self.grant == Grant::Trusted {
            fields.insert(ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        let asked = request.get(ASKED_METHOD).and_then(|method| method.to_str().ok());
        match target.zip(asked) {
            Some((target, asked)) => {
                let Some(said) = cors::preflight(target, asked) else { return };
                for (name, value) in said {
                    fields.insert(name, value);
                }
                fields.insert(MAX_AGE, SECONDS);
            }
            None => drop(fields.insert(EXPOSE, cors::EXPOSED)),
        }
    }
}

/// True where whoever runs a front end in development and this server is at the same machine. Where
/// `origin` names somewhere else, this is no development.
fn is_local(parts: &Parts, settings: &Settings, origin: &HeaderValue) -> bool {
    let by_itself = |peer: &Peer| peer.0.to_canonical().is_loopback();
    let set = settings.origin.as_deref().is_none_or(origin::is_local);
    set && parts.extensions.get::<Peer>().is_some_and(by_itself)
        && origin.to_str().is_ok_and(origin::is_local)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Grant, Page};
    use crate::report::Peer;
    use http::{HeaderMap, Request};
    use model::declaration;
    use model::setting::Settings;

    fn page(top: &str, origin: &str, peer: &str, set: Option<&str>) -> Grant {
        let text = format!(
            "{top}\n[resources.a]\nfields.x = {{}}\n[resources.b]\norigins = []\n\
                            fields.x = {{}}\n"
        );
        let model = declaration::read(&text).model.unwrap();
        let settings = Settings { origin: set.map(str::to_owned), ..Settings::default() };
        let mut request = Request::new(());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        let (parts, ()) = request.into_parts();
        let closed = Page::of(&parts, &model, &settings, Some(1));
        assert!(
            closed.grant == Grant::None || closed.local,
            "a list of its own replaces the top's"
        );
        Page::of(&parts, &model, &settings, Some(0)).grant
    }

    #[test]
    fn origins_are_what_the_declaration_names() {
        let named = "origins = [\"https://app.example\"]";
        let trusted = &format!("{named}\norigins_credentials = true");
        let any = "origins = [\"*\"]";
        let (app, far) = ("https://app.example", "192.0.2.1");
        for (top, origin, peer, grant) in [
            ("", app, far, Grant::None),
            (named, app, far, Grant::Named),
            (trusted, app, far, Grant::Trusted),
            (any, app, far, Grant::Any),
            (any, "null", far, Grant::Any),
            (named, "null", far, Grant::None),
            (named, "https://app.example.evil.example", far, Grant::None),
            (named, "https://evil.app.example", far, Grant::None),
            (named, "http://app.example", far, Grant::None),
            (named, "https://app.example:8443", far, Grant::None),
            (named, "https://App.example", far, Grant::None),
            ("", "http://localhost:5173", "127.0.0.1", Grant::Named),
            ("", "http://localhost:5173", far, Grant::None),
            ("", "http://localhost.evil.example", "127.0.0.1", Grant::None),
            (trusted, "http://127.0.0.1:3000", "::1", Grant::Named),
        ] {
            assert_eq!(page(top, origin, peer, None), grant, "{top} {origin} {peer}");
        }
        let local = "http://localhost:5173";
        assert_eq!(page("", local, "127.0.0.1", Some("https://shop.example")), Grant::None);
        assert_eq!(page("", local, "127.0.0.1", Some("http://localhost:8080")), Grant::Named);
    }

    #[test]
    fn without_an_origin_nothing_is_said() {
        let mut fields = HeaderMap::new();
        Page::default().write(&HeaderMap::new(), None, &mut fields);
        assert!(fields.is_empty());
    }
}
