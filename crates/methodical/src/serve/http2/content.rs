//! The content of a request as an `http_body::Body` that is read only as far as somebody asks for
//! it: the client may send no more than a window beyond that.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use engine::content::ContentError;
use model::setting::Settings;

use super::calm::Calm;
use crate::serve::alarm::Alarm;
use crate::serve::pace::Pace;

/// Content that nobody asked for is still read up to this.
const DRAINED_BYTES_MAX: usize = 64 * 1024;
/// And so long.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// What the reader of content and the sender of the answer tell each other.
#[derive(Debug, Default)]
pub(super) struct Asked(AtomicBool);

impl Asked {
    /// True once: when content is wanted that has not arrived.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// The content of a request.
pub(super) struct Content<'a> {
    stream: &'a mut RecvStream,
    asked: &'a Asked,
    calm: Calm,
    /// What Content-Length says is still to come.
    left: Option<u64>,
    alarm: Option<Alarm>,
    deadline: Instant,
    pace: Pace,
    broken: Option<ContentError>,
}

impl<'a> Content<'a> {
    /// The content that arrives here.
    pub(super) fn new(
        stream: &'a mut RecvStream,
        fields: &HeaderMap,
        settings: &'a Settings,
        asked: &'a Asked,
        calm: Calm,
    ) -> Self {
        let length = fields.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let deadline = Instant::now() + settings.content_timeout;
        let (alarm, pace, broken) = (None, Pace::of_sender(settings), None);
        Self { stream, asked, calm, left: length, alarm, deadline, pace, broken }
    }

    fn poll_data(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, ContentError>>> {
        if let Some(error) = self.broken {
            return Poll::Ready(Some(Err(error)));
        }
        let polled = self.stream.poll_data(context);
        let error = match polled {
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Ok(data))) => {
                if !data.is_empty() {
                    self.pace.moved(data.len());
                    self.calm.restore();
                }
                self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                // Only what is taken may be sent again. Whoever has reset the stream sends nothing.
                let _ = self.stream.flow_control().release_capacity(data.len());
                return Poll::Ready(Some(Ok(data)));
            }
            Poll::Ready(Some(Err(_))) => ContentError::Truncated,
            Poll::Pending => {
                self.asked.0.store(true, Ordering::Relaxed);
                let due = self.pace.wait().map(|due| due.min(self.deadline));
                let alarm = self.alarm.get_or_insert_with(|| Alarm::at(self.deadline));
                if let Some(due) = due {
                    alarm.set(due);
                }
                ready!(alarm.poll(context));
                ContentError::Slow
            }
        };
        self.broken = Some(error);
        Poll::Ready(Some(Err(error)))
    }
}

/// Reads what is left of content that nobody wants, as far as it is little and comes soon: a stream
/// that both sides end is not reset, which some clients take for a failure.
pub(super) async fn drain(stream: &mut RecvStream) {
    let draining = async {
        let mut left = DRAINED_BYTES_MAX;
        while let Some(Ok(data)) = stream.data().await {
            // Whoever has reset the stream sends nothing.
            let _ = stream.flow_control().release_capacity(data.len());
            left = left.saturating_sub(data.len());
            if left == 0 {
                return;
            }
        }
    };
    // Whatever has not come by then is cut off.
    let _ = tokio::time::timeout(DRAIN_TIME, draining).await;
}

impl Body for Content<'_> {
    type Data = Bytes;
    type Error = ContentError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ContentError>>> {
        let data = ready!(self.get_mut().poll_data(context));
        Poll::Ready(data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.broken.is_none() && self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.left {
            _ if self.is_end_stream() => SizeHint::with_exact(0),
            Some(left) => SizeHint::with_exact(left),
            None => SizeHint::default(),
        }
    }
}
