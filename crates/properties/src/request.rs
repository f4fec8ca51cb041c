//! Whole requests, as bytes on a connection, through the engine on a real database: every request
//! has an answer that HTTP allows, and none of them is a fault of the server.

use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use contract::table::{self, COMMON_STATUSES, Content, Nature, Token};
use engine::content::ContentError;
use engine::{Engine, Parts, clock};
use http::{HeaderMap, Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use model::record::{self, Purpose, Record, Version};
use model::value::Id;
use serde_json::{Value, json};

use crate::http1;
use crate::json::read;
use crate::world::{MODEL, SETTINGS};

/// An engine, and what drives it.
struct Server {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let (model, settings) = (Arc::new(MODEL.clone()), Arc::new(SETTINGS.clone()));
    let options = store::Options::from(&settings, &folder.path().join("data.db"));
    let opened = store::open(&options, model.clone(), &mut || Ok(seed()));
    let store::Opened { reader, writer, epoch, secret, .. } = opened.expect("the store opens");
    let engine = Engine::new(Parts { model, settings, reader, writer, epoch, secret });
    Server { engine, runtime: runtime.expect("a runtime starts"), _folder: folder }
});

/// A few records, so that there is something to find.
fn seed() -> Vec<(usize, Record)> {
    let resource = &MODEL.resources[0];
    let records = (1..=3).map(|number| {
        let document = json!({"text": format!("t{number}"), "note": null, "free": {"a": number}});
        let draft = record::read(&MODEL, resource, &document, Purpose::Seed);
        let values = draft.map(|draft| draft.values).expect("the seed fits");
        let now = clock::now();
        let version = Version { birth: number, counter: 1 };
        (0, Record { id: Id::Integer(number), version, created_at: now, updated_at: now, values })
    });
    records.collect()
}

pub(crate) fn request(data: &[u8]) {
    let Some((request, content)) = http1::request(data) else { return };
    let Token::Served(method) = table::method(request.method().as_str()) else {
        answer(request, content);
        return;
    };
    let nature = table::nature(method);
    let bare = table::METHODS.iter().find(|nature| nature.bare);
    let twin = bare.filter(|_| nature.safe && nature.content == Content::Refused).map(|bare| {
        let mut twin = request.clone();
        *twin.method_mut() = bare.name.parse().expect("a method of the table is a token");
        answer(twin, content.clone())
    });
    let first = answer(request.clone(), content.clone());
    is_allowed(nature, &first);
    if let Some(twin) = twin {
        assert_eq!(twin.status(), first.status());
        assert_eq!(fields(&twin), fields(&first), "its answer without content has other fields");
    }
    if nature.safe {
        let second = answer(request, content);
        assert_eq!(second.status(), first.status());
        assert_eq!(fields(&second), fields(&first));
        assert_eq!(second.body(), first.body(), "asking changed something");
    }
}

/// The fields of an answer, without what tells of the time that it took.
fn fields(answer: &Response<Bytes>) -> HeaderMap {
    let mut fields = answer.headers().clone();
    fields.remove("server-timing");
    fields
}

fn answer(request: Request<()>, content: Bytes) -> Response<Bytes> {
    let asked = format!("{request:?}");
    let bare =
        table::METHODS.iter().any(|nature| nature.bare && nature.name == request.method().as_str());
    let content = Whole((!content.is_empty()).then_some(content));
    let answer = SERVER.engine.answer(request.map(|()| content));
    let answer = SERVER.runtime.block_on(async {
        let (parts, content) = answer.await.into_parts();
        Response::from_parts(parts, content.collect().await.expect("the store reads to the end"))
    });
    let status = answer.status().as_u16();
    assert!(!matches!(status, 500 | 503 | 507), "{status} to {asked}: {:?}", answer.extensions());
    is_framed(&answer, bare);
    if status >= 400 && !bare {
        is_explained(&answer);
    }
    answer
}

/// What this method may be answered with, on any target.
fn is_allowed(nature: &Nature, answer: &Response<Bytes>) {
    let status = answer.status().as_u16();
    let rows = table::ROWS.iter().filter(|row| row.method == nature.method);
    let allowed = rows.flat_map(|row| row.statuses).chain(COMMON_STATUSES);
    assert!(allowed.into_iter().any(|allowed| *allowed == status), "{status} to {}", nature.name);
    assert_eq!(status == 405, answer.headers().contains_key(header::ALLOW) && status >= 400);
    assert!(status != 201 || answer.headers().contains_key(header::LOCATION));
}

/// Content and Content-Length agree (RFC 9110 §8.6).
fn is_framed(answer: &Response<Bytes>, bare: bool) {
    let length = answer.headers().get(header::CONTENT_LENGTH);
    let length = length.map(|length| length.to_str().unwrap_or_default().to_owned());
    if matches!(answer.status().as_u16(), 204 | 304) {
        assert!(answer.body().is_empty());
        assert!(answer.status().as_u16() == 304 || length.is_none());
    } else if bare {
        assert!(answer.body().is_empty() && length.is_some());
    } else {
        assert_eq!(length, Some(answer.body().len().to_string()));
    }
}

/// A refusal is a problem that says what to do (RFC 9457).
fn is_explained(answer: &Response<Bytes>) {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    assert!(kind.is_some_and(|kind| kind == "application/problem+json"), "{kind:?}");
    let problem = read(answer.body());
    let text = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default();
    assert_eq!(problem.get("status"), Some(&answer.status().as_u16().into()));
    assert!(["type", "title", "detail", "remedy"].iter().all(|name| !text(name).is_empty()));
}

/// Content that is there at once.
struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = ContentError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ContentError>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
