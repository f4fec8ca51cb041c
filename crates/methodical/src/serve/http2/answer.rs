//! Answers as frames: the head, then content as fast as the client takes it.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Response};
use tokio::time::{Instant, timeout_at};

use engine::content::Content;

use super::calm::Calm;
use crate::log::Ending;
use crate::serve::date;
use crate::serve::exchange::{Arrival, Sent};
use crate::serve::http1::Chunks;
use crate::serve::http1::answer::forbids_content;
use crate::serve::pace::Pace;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The client has reset the stream, has left, or takes nothing.
struct Left;

/// Sends an answer to its end. Gives when its first byte left, and what became of it.
pub(super) async fn send<S: Chunks>(
    respond: &mut SendResponse<Bytes>,
    response: Response<Content<S>>,
    bare: bool,
    arrival: &Arrival,
    calm: &Calm,
    mut pace: Pace,
) -> (Duration, Sent) {
    let (parts, content) = response.into_parts();
    let mut head = Response::from_parts(parts, ());
    let has_content = !bare && !forbids_content(head.status());
    let fields = head.headers_mut();
    for own in [CONNECTION, TRANSFER_ENCODING] {
        fields.remove(own);
    }
    if let Some(date) = date::with(|text| HeaderValue::from_str(text).ok()) {
        fields.insert(DATE, date);
    }
    if let Ok(id) = HeaderValue::from_str(&arrival.id) {
        fields.insert(REQUEST_ID, id);
    }
    match &content {
        Content::Whole(content) if has_content => {
            fields.insert(CONTENT_LENGTH, HeaderValue::from(content.len()));
        }
        // HEAD says the length that GET's content would have (RFC 9110 §9.3.2).
        Content::Whole(_) if bare => {}
        Content::Whole(_) | Content::Stream(_) => drop(fields.remove(CONTENT_LENGTH)),
    }
    let is_empty = matches!(&content, Content::Whole(content) if content.is_empty());
    let ends = !has_content || is_empty;
    let sent = respond.send_response(head, ends);
    let first_byte = arrival.start.elapsed();
    let Ok(mut stream) = sent else {
        return (first_byte, Sent { bytes: 0, ending: Ending::Left, cause: None });
    };
    if ends {
        return (first_byte, Sent::whole(0));
    }
    let sent = match content {
        Content::Whole(content) => {
            let bytes = content.len() as u64;
            match push(&mut stream, content, true, calm, &mut pace).await {
                Ok(()) => Sent::whole(bytes),
                Err(Left) => Sent { bytes, ending: Ending::Left, cause: None },
            }
        }
        Content::Stream(chunks) => send_stream(&mut stream, chunks, calm, &mut pace).await,
    };
    (first_byte, sent)
}

async fn send_stream<S: Chunks>(
    stream: &mut SendStream<Bytes>,
    mut chunks: S,
    calm: &Calm,
    pace: &mut Pace,
) -> Sent {
    let mut bytes = 0;
    let left = |bytes| Sent { bytes, ending: Ending::Left, cause: None };
    loop {
        let next = tokio::select! {
            next = chunks.next() => next,
            _ = poll_fn(|context| stream.poll_reset(context)) => return left(bytes),
        };
        match next {
            Some(Ok(piece)) => {
                let length = piece.len() as u64;
                if push(stream, piece, false, calm, pace).await.is_err() {
                    return left(bytes);
                }
                bytes += length;
                // A client that takes everything at once must not keep this thread from others.
                tokio::task::yield_now().await;
            }
            Some(Err(interrupted)) => {
                // Without an end it does not look whole (RFC 9113 §8.1).
                stream.send_reset(Reason::INTERNAL_ERROR);
                let cause = Some(interrupted.cause);
                return Sent { bytes, ending: Ending::Interrupted, cause };
            }
            None => {
                return match stream.send_data(Bytes::new(), true) {
                    Ok(()) => Sent::whole(bytes),
                    Err(_) => left(bytes),
                };
            }
        }
    }
}

/// Sends as much as the client takes, until nothing is left.
async fn push(
    stream: &mut SendStream<Bytes>,
    mut data: Bytes,
    ends: bool,
    calm: &Calm,
    pace: &mut Pace,
) -> Result<(), Left> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let granted = match stream.capacity() {
            0 => {
                let granted = poll_fn(|context| stream.poll_capacity(context));
                let due = pace.wait().unwrap_or_else(Instant::now);
                match timeout_at(due, granted).await {
                    Ok(Some(Ok(granted))) => granted,
                    Ok(_) => return Err(Left),
                    Err(_) => {
                        stream.send_reset(Reason::CANCEL);
                        return Err(Left);
                    }
                }
            }
            granted => granted,
        };
        let piece = data.split_to(granted.min(data.len()));
        if !piece.is_empty() {
            calm.restore();
            pace.moved(piece.len());
            stream.send_data(piece, ends && data.is_empty()).map_err(|_| Left)?;
        }
    }
    Ok(())
}
