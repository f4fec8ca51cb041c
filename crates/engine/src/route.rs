//! First stage: the path names a target, the target and the method name a row.

use contract::fault::{self, Fault};
use contract::problem::{Kind, Problem};
use contract::secret::{self, Declared, Secret};
use contract::table::{self, Nature, Row, Target, Token};
use model::model::{IdKind, Model, Resource, ResourceIndex};
use model::value::Id;
use percent_encoding::percent_decode_str;

use crate::report::Report;

/// What a request asks for: of a request line, or of an operation of a batch.
pub(crate) struct Asked<'a> {
    /// The method, as it was sent.
    pub(crate) method: &'a str,
    /// The path, as it was sent.
    pub(crate) path: &'a str,
    /// The query component, as it was sent.
    pub(crate) query: Option<&'a str>,
}

/// Where a request goes. Made by `route` only.
#[derive(Clone)]
pub(crate) struct Routed {
    /// What is done there.
    pub(crate) row: &'static Row,
    /// What its method is.
    pub(crate) nature: &'static Nature,
    /// The resource, for collections and items.
    pub(crate) resource: Option<ResourceIndex>,
    /// The id, for items.
    pub(crate) id: Option<Id>,
    /// The slug, for one problem's page.
    pub(crate) slug: Option<String>,
    /// The canonical path: prefix, resource, id.
    pub(crate) path: String,
    /// True where the request used another path for it.
    pub(crate) aliased: bool,
    /// The query component, as it was sent.
    pub(crate) query: Option<String>,
}

/// A target before its method is looked at.
struct Place {
    target: Target,
    resource: Option<ResourceIndex>,
    id: Option<Id>,
    slug: Option<String>,
    path: String,
    aliased: bool,
}

/// Paths inside the prefix that are no resource's: what is about several of them, and what is about
/// whoever asks.
const OWN: &[(&str, Target)] = &[
    ("batch", Target::Batch),
    ("search", Target::Search),
    ("changes", Target::Changes),
    ("login", Target::Login),
    ("login/reset", Target::Reset),
    ("login/confirm", Target::Confirm),
    ("me/email", Target::Address),
    ("logout", Target::Logout),
    ("me", Target::Me),
    ("me/sessions", Target::Sessions),
    ("me/password", Target::Password),
    ("audit", Target::Audit),
];

/// Of these, those that make no sense where nobody can sign in.
const OF_USERS: &[Target] = &[
    Target::Login,
    Target::Reset,
    Target::Confirm,
    Target::Address,
    Target::Logout,
    Target::Sessions,
    Target::Session,
    Target::Password,
];

/// Finds the row of a request.
///
/// # Errors
/// 501 for an unknown method, 400 for a secret in the URL, 404, 405: in this order.
pub(crate) fn route(
    model: &Model,
    asked: &Asked<'_>,
    report: &mut Report,
) -> Result<Routed, Problem> {
    let token = table::method(asked.method);
    if token == Token::Unknown && !fault::on(Fault::UnknownMethod405) {
        return Err(not_implemented(asked.method));
    }
    let query = asked.query.filter(|query| !query.is_empty());
    if secret::is_in_segment(&percent_decode_str(asked.path).decode_utf8_lossy()) {
        return Err(secret::in_path());
    }
    let place = place(model, asked.path);
    if let Ok(place) = &place {
        report.route = pattern(place.target);
    }
    if let Some(query) = query {
        let resource = place.as_ref().ok().and_then(|place| place.resource);
        refuse_secrets(query, resource.map(|index| &model.resources[index]))?;
    }
    let place = place?;
    report.path = Some(asked.path.to_owned());
    report.resource = place.resource.map(|index| model.resources[index].name.clone());
    let (row, nature) = admit(model, &place, token)?;
    let Place { resource, id, slug, path, aliased, .. } = place;
    Ok(Routed { row, nature, resource, id, slug, path, aliased, query: query.map(str::to_owned) })
}

/// A path whose last segment is not known yet, with an id in its place that a record of that
/// collection could have. `None` where the rest of it leads to no collection.
pub(crate) fn with_any_id(model: &Model, path: &str) -> Option<String> {
    let (collection, _) = path.rsplit_once('/')?;
    let place = place(model, collection).ok()?;
    let resource = &model.resources[place.resource.filter(|_| place.id.is_none())?];
    let id = match resource.id {
        IdKind::Integer => "1",
        IdKind::Uuid => "00000000-0000-0000-0000-000000000000",
        IdKind::Text => "a",
    };
    Some(format!("{collection}/{id}"))
}

fn not_implemented(token: &str) -> Problem {
    let upper = token.to_ascii_uppercase();
    let detail = match table::method(&upper) {
        Token::Served(_) => {
            format!("Method names are case-sensitive (RFC 9110 §9.1): send {upper}.")
        }
        Token::Withheld | Token::Unknown => {
            let names: Vec<_> = table::METHODS.iter().map(|nature| nature.name).collect();
            format!("This method is not known here. Known are {}.", names.join(", "))
        }
    };
    Problem::new(Kind::NotImplemented, detail)
}

fn refuse_secrets(query: &str, resource: Option<&Resource>) -> Result<(), Problem> {
    secret_in(query, resource).map_or(Ok(()), |found| Err(found.problem()))
}

/// The first secret in the query component of a URL of this resource.
pub(crate) fn secret_in(query: &str, resource: Option<&Resource>) -> Option<Secret> {
    // By folded name: another case or punctuation does not make a secret something else.
    let declared = |name: &str| {
        let mut fields = resource.into_iter().flat_map(|resource| &resource.fields);
        let fold = secret::fold(name);
        match fields.find(|field| secret::folds_to(&field.name, &fold)) {
            // What only some may read is told apart from what is not there to nobody before it is
            // known who asks.
            Some(field) if field.read.is_some() || field.write.is_some() => Declared::Unknown,
            Some(field) if field.visible() => Declared::Readable,
            Some(_) => Declared::Hidden,
            None => Declared::Unknown,
        }
    };
    secret::find(query, &declared)
}

/// The row of a target and a method, as far as the declaration leaves it.
fn admit(
    model: &Model,
    place: &Place,
    token: Token,
) -> Result<(&'static Row, &'static Nature), Problem> {
    let row = match token {
        Token::Served(method) => table::row(place.target, method),
        Token::Withheld | Token::Unknown => None,
    };
    if let Some(row) = row {
        return Ok((row, table::nature(row.method)));
    }
    let allow = contract::allow::allow(table::rows(place.target));
    let names = allow.to_str().unwrap_or_default().to_owned();
    let mut detail = format!("This target serves {names}.");
    if let (Target::Collection, Some(index)) = (place.target, place.resource) {
        detail = format!(
            "{detail} To change or delete one record, name it: {}/{}/ID.",
            model.prefix, model.resources[index].name
        );
    }
    let problem = Problem::new(Kind::MethodNotAllowed, detail);
    if fault::on(Fault::AllowMissing) {
        return Err(problem);
    }
    Err(problem.with_field(http::header::ALLOW, allow))
}

fn pattern(target: Target) -> &'static str {
    match target {
        Target::Collection => "/{resource}",
        Target::Item => "/{resource}/{id}",
        Target::Batch => "/batch",
        Target::Search => "/search",
        Target::Changes => "/changes",
        Target::Login => "/login",
        Target::Reset => "/login/reset",
        Target::Confirm => "/login/confirm",
        Target::Address => "/me/email",
        Target::Logout => "/logout",
        Target::Me => "/me",
        Target::Sessions => "/me/sessions",
        Target::Session => "/me/sessions/{id}",
        Target::Password => "/me/password",
        Target::Audit => "/audit",
        Target::Home => "/",
        Target::Health => "/healthz",
        Target::Ready => "/readyz",
        Target::Problems => "/problems/{kind}",
        Target::Robots => "/robots.txt",
        Target::Server => "*",
    }
}

fn page(target: Target, path: &str) -> Place {
    Place { target, resource: None, id: None, slug: None, path: path.to_owned(), aliased: false }
}

fn place(model: &Model, path: &str) -> Result<Place, Problem> {
    match path {
        "*" => return Ok(page(Target::Server, path)),
        "/healthz" => return Ok(page(Target::Health, path)),
        "/readyz" => return Ok(page(Target::Ready, path)),
        "/robots.txt" => return Ok(page(Target::Robots, path)),
        "/problems" => return Ok(page(Target::Problems, path)),
        _ => {}
    }
    if let Some(slug) = path.strip_prefix("/problems/") {
        return problem_page(slug, path);
    }
    let prefixes = std::iter::once(&model.prefix).chain(&model.alias);
    // Of the refusals, that of the longest prefix: `/v1/x` is no resource `v1` under the alias `/`.
    let mut refusal: Option<(usize, Problem)> = None;
    for (position, prefix) in prefixes.enumerate() {
        let Some(rest) = path.strip_prefix(prefix.as_str()) else { continue };
        if rest.is_empty() || rest == "/" && prefix.is_empty() {
            let canonical = if model.prefix.is_empty() { "/" } else { &model.prefix };
            return Ok(Place { aliased: position > 0, ..page(Target::Home, canonical) });
        }
        let Some(rest) = rest.strip_prefix('/') else { continue };
        let problem = if rest.is_empty() {
            let detail = format!("Without the slash at its end, this is {prefix}.");
            Problem::new(Kind::NotFound, detail)
        } else {
            match inside(model, rest, position > 0) {
                Ok(place) => return Ok(place),
                Err(problem) => problem,
            }
        };
        if refusal.as_ref().is_none_or(|(length, _)| *length < prefix.len()) {
            refusal = Some((prefix.len(), problem));
        }
    }
    Err(refusal.map_or_else(
        || {
            let at = if model.prefix.is_empty() { "/" } else { &model.prefix };
            let detail = format!("Nothing is at this path. GET {at} lists the resources.");
            Problem::new(Kind::NotFound, detail)
        },
        |(_, problem)| problem,
    ))
}

fn problem_page(slug: &str, path: &str) -> Result<Place, Problem> {
    if contract::problem::PROBLEMS.iter().any(|entry| entry.slug == slug) {
        return Ok(Place { slug: Some(slug.to_owned()), ..page(Target::Problems, path) });
    }
    Err(Problem::new(Kind::NotFound, "No problem has this name. GET /problems lists them."))
}

/// The part of a path behind the prefix: a resource, or a resource and an id.
fn inside(model: &Model, rest: &str, aliased: bool) -> Result<Place, Problem> {
    let mut segments = rest.split('/');
    let name = decode(segments.next().unwrap_or_default())?;
    if OWN.iter().any(|(own, _)| *own == name) {
        return own(model, &decode(rest)?, aliased);
    }
    let Some(index) = model.resources.iter().position(|resource| resource.name == name) else {
        return Err(unknown_resource(model, &name));
    };
    let resource = &model.resources[index];
    let base = format!("{}/{}", model.prefix, resource.name);
    let found = |target, id, path| {
        Ok(Place { target, resource: Some(index), id, slug: None, path, aliased })
    };
    match (segments.next(), segments.next(), segments.next()) {
        (None, ..) => found(Target::Collection, None, base),
        (Some(""), None, _) => Err(Problem::new(
            Kind::NotFound,
            format!("Without the slash at its end, this is {base}."),
        )),
        (Some(segment), None, _) => {
            let segment = decode(segment)?;
            let id = resource.id.read(&segment).ok_or_else(|| impossible_id(resource))?;
            let path = format!("{base}/{id}");
            found(Target::Item, Some(id), path)
        }
        (Some(id), Some(""), None) => Err(Problem::new(
            Kind::NotFound,
            format!("Without the slash at its end, this is {base}/{id}."),
        )),
        (Some(id), ..) => Err(Problem::new(
            Kind::NotFound,
            format!(
                "Nothing is below a record: what is done to it is said by the method. Send DELETE \
                 to {base}/{id} to delete it, PUT or PATCH to change it; a GET changes nothing."
            ),
        )),
    }
}

/// A path of ours behind the prefix.
fn own(model: &Model, rest: &str, aliased: bool) -> Result<Place, Problem> {
    let path = format!("{}/{rest}", model.prefix);
    let found = |target, id| {
        if OF_USERS.contains(&target) && model.users().is_none() {
            let detail = "Nobody can sign in here: no resource of the declaration has a field \
                          with `format = \"password\"`. Programs use API keys.";
            return Err(Problem::new(Kind::NotFound, detail));
        }
        Ok(Place { aliased, id, ..page(target, &path) })
    };
    if let Some((_, target)) = OWN.iter().find(|(own, _)| *own == rest) {
        return found(*target, None);
    }
    if let Some(number) = rest.strip_prefix("me/sessions/") {
        if let Some(id) = IdKind::Integer.read(number) {
            return found(Target::Session, Some(id));
        }
        let detail = "No session can have this number: they are whole numbers from 1.";
        return Err(Problem::new(Kind::NotFound, detail));
    }
    let name = rest.split('/').next().unwrap_or_default();
    let detail = format!(
        "Nothing is below {0}/{name} at this path: ask {0}/{name} itself, without a slash at its \
         end.",
        model.prefix
    );
    Err(Problem::new(Kind::NotFound, detail))
}

fn impossible_id(resource: &Resource) -> Problem {
    let form = match resource.id {
        IdKind::Integer => "whole numbers from 1",
        IdKind::Uuid => "UUIDs in lower case with hyphens",
        IdKind::Text => "1 to 128 of the characters A-Z a-z 0-9 . _ ~ -",
    };
    Problem::new(
        Kind::NotFound,
        format!("No record can have this id: ids of {} are {form}.", resource.name),
    )
}

fn unknown_resource(model: &Model, name: &str) -> Problem {
    let names: Vec<_> = model.resources.iter().map(|resource| resource.name.as_str()).collect();
    let near = model::suggest::nearest(name, names.iter().copied());
    let hint =
        near.map_or_else(String::new, |near| format!(" Did you mean {}/{near}?", model.prefix));
    Problem::new(
        Kind::NotFound,
        format!("No resource has this name.{hint} There are: {}.", names.join(", ")),
    )
}

/// Percent-decodes a path segment: two spellings of one path are one target (RFC 3986 §6.2.2).
fn decode(segment: &str) -> Result<String, Problem> {
    percent_decode_str(segment).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| {
        Problem::new(Kind::NotFound, "The path is not UTF-8 once its %XX are decoded.")
    })
}
