//! The life of a connection: streams are opened, answered side by side, each in a task of its own,
//! and the end is made so that every answer arrives.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;

use contract::problem::Problem;
use engine::content::Content;
use engine::report::Report;
use model::setting::Settings;

use super::answer;
use super::calm::{Calm, Counted};
use super::content::{self, Asked, Content as Arriving};
use super::head::{self, Head};
use crate::log::Ending;
use crate::serve::alarm::Alarm;
use crate::serve::exchange::Arrival;
use crate::serve::http1::Answer;
use crate::serve::http1::connection::Service;
use crate::serve::pace::Pace;
use crate::serve::shutdown::Stop;
use crate::serve::wire::Wire;

/// What a client may send on a stream before somebody takes it, and on all of them together.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// What waits for a client on one stream.
const SEND_BUFFER: usize = 32 * 1024;
/// Streams that are forgotten one by one, so that frames that are still on their way are known.
const RESET_STREAMS_MAX: usize = 32;
/// Bytes beyond those of a head that may come to nothing.
const IDLE_BYTES_MAX: usize = 64 * 1024;
/// Requests that a client may take back, beyond those that it lets be answered (CVE-2023-44487).
const TAKEN_BACK_MAX: u64 = 100;
/// How long the last frames may take to leave.
const END_GRACE: Duration = Duration::from_secs(1);

/// Serves one connection until it ends.
pub(crate) async fn serve<A, S>(service: &Arc<Service<A>>, stream: S, wire: Wire, stop: &Stop)
where
    A: Answer + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let settings = &service.settings;
    let calm = Calm::default();
    let shaking = builder(settings).handshake(Counted::new(stream, calm.clone()));
    let Ok(Ok(mut connection)) = timeout(settings.head_timeout, shaking).await else { return };
    let mut streams = Streams {
        running: JoinSet::new(),
        idle: Alarm::after(settings.first_byte_timeout),
        answered: 0,
        taken_back: 0,
    };
    let mut stopped = pin!(stop.notified());
    let mut told = false;
    loop {
        let most = settings.fields_bytes_max + IDLE_BYTES_MAX;
        match streams.next(&mut connection, &calm, most, stopped.as_mut(), told).await {
            Next::Stream(stream) => {
                let (request, respond) = *stream;
                calm.restore();
                let exchange = exchange(Arc::clone(service), request, respond, wire, calm.clone());
                streams.running.spawn(exchange);
            }
            Next::Answered => streams.idle.set_after(settings.idle_timeout),
            Next::Flood => {
                connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                break;
            }
            // Nobody is there who would answer the farewell.
            Next::Idle if told => break,
            Next::Idle | Next::Stopped => {
                told = true;
                connection.graceful_shutdown();
                streams.idle.set_after(END_GRACE);
            }
            Next::End => break,
        }
    }
    // With a fault there is nobody left to tell.
    let _ = timeout(END_GRACE, poll_fn(|context| connection.poll_closed(context))).await;
    drop(connection);
    // What has begun to change something is carried out to its end; the others see that nobody is
    // there any more.
    while streams.running.join_next().await.is_some() {}
}

fn builder(settings: &Settings) -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(settings.streams_max)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(settings.fields_bytes_max).unwrap_or(u32::MAX))
        .max_send_buffer_size(SEND_BUFFER)
        .max_concurrent_reset_streams(RESET_STREAMS_MAX)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(Some(RESET_STREAMS_MAX));
    builder
}

/// What is known of the streams of a connection.
struct Streams {
    running: JoinSet<bool>,
    /// When the connection ends for want of streams.
    idle: Alarm,
    answered: u64,
    taken_back: u64,
}

/// What happens next on a connection.
enum Next {
    Stream(Box<(Request<RecvStream>, SendResponse<Bytes>)>),
    /// The last of the streams has been answered.
    Answered,
    /// The client only makes work.
    Flood,
    /// No stream for too long.
    Idle,
    /// The server stops.
    Stopped,
    /// The connection has ended.
    End,
}

impl Streams {
    async fn next<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        connection: &mut Connection<Counted<S>, Bytes>,
        calm: &Calm,
        most: usize,
        mut stopped: std::pin::Pin<&mut impl Future<Output = ()>>,
        told: bool,
    ) -> Next {
        poll_fn(|context| {
            match connection.poll_accept(context) {
                Poll::Ready(Some(Ok(stream))) => {
                    return Poll::Ready(Next::Stream(Box::new(stream)));
                }
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(Next::End),
                Poll::Pending => {}
            }
            while let Poll::Ready(Some(ended)) = self.running.poll_join_next(context) {
                match ended {
                    Ok(true) => self.answered += 1,
                    Ok(false) | Err(_) => self.taken_back += 1,
                }
                if self.running.is_empty() {
                    return Poll::Ready(Next::Answered);
                }
            }
            if calm.idle_bytes() > most || self.taken_back > self.answered + TAKEN_BACK_MAX {
                return Poll::Ready(Next::Flood);
            }
            if !told && stopped.as_mut().poll(context).is_ready() {
                return Poll::Ready(Next::Stopped);
            }
            if self.running.is_empty() && self.idle.poll(context).is_ready() {
                return Poll::Ready(Next::Idle);
            }
            Poll::Pending
        })
        .await
    }
}

/// What answering ends with.
enum Answered<S> {
    Response(Response<Content<S>>),
    /// The client has taken a safe request back.
    Left,
    /// The answerer panicked.
    Panicked,
}

/// Answers one request. False where the client has taken it back.
async fn exchange<A: Answer>(
    service: Arc<Service<A>>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    wire: Wire,
    calm: Calm,
) -> bool {
    let (parts, mut stream) = request.into_parts();
    let bare = head::is_bare(&parts);
    let settings = &service.settings;
    let (arrival, response) = match head::judge(parts, settings) {
        Err(problem) => {
            let arrival = Arrival::unread(&service);
            (arrival, refuse(&service, &problem, bare).map(Content::Whole))
        }
        Ok(head) => {
            let arrival = Arrival::of(&service, &head.request);
            let answered =
                answer(&service, head, &mut stream, &mut respond, (&arrival, wire, &calm));
            match answered.await {
                Answered::Response(response) => (arrival, response),
                Answered::Panicked => {
                    let response = arrival.panicked(&service, bare).map(Content::Whole);
                    (arrival, response)
                }
                Answered::Left => {
                    arrival.left(&service);
                    return false;
                }
            }
        }
    };
    let mut response = response;
    let report = response.extensions_mut().remove::<Report>().unwrap_or_default();
    let status = response.status().as_u16();
    let pace = Pace::of_reader(settings);
    let sent = answer::send(&mut respond, response, bare, &arrival, &calm, pace);
    let (first_byte, sent) = sent.await;
    let ending = arrival.close(&service, report, status, first_byte, sent);
    if ending == Ending::Whole && !stream.is_end_stream() {
        content::drain(&mut stream).await;
    }
    ending != Ending::Left
}

fn refuse<A: Answer>(service: &Service<A>, problem: &Problem, bare: bool) -> Response<Bytes> {
    let mut response = service.answerer.refuse(problem, bare);
    if response.extensions().get::<Report>().is_none() {
        let problem = Some(problem.kind.entry().slug);
        response.extensions_mut().insert(Report { problem, ..Report::default() });
    }
    response
}

/// Polls the answerer. While it takes its time, `100 Continue` is sent once content is wanted, and
/// a client that takes a safe request back is noticed. An unsafe one is carried out to its end:
/// nobody could tell how far it has come.
async fn answer<A: Answer>(
    service: &Service<A>,
    head: Head,
    stream: &mut RecvStream,
    respond: &mut SendResponse<Bytes>,
    (arrival, wire, calm): (&Arrival, Wire, &Calm),
) -> Answered<A::Stream> {
    let Head { request, expects_continue, safe } = head;
    let asked = Asked::default();
    let mut continues = expects_continue;
    let settings = &service.settings;
    let content = Arriving::new(stream, request.headers(), settings, &asked, calm.clone());
    let mut request = request.map(|()| content);
    arrival.accompany(&mut request, wire);
    let mut future = pin!(service.answerer.answer(request));
    poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Ready(response)) => return Poll::Ready(Answered::Response(response)),
            Ok(Poll::Pending) => {}
            Err(_) => return Poll::Ready(Answered::Panicked),
        }
        if asked.take() && std::mem::take(&mut continues) {
            let mut interim = Response::new(());
            *interim.status_mut() = http::StatusCode::CONTINUE;
            // Whoever has left needs none.
            let _ = respond.send_informational(interim);
        }
        if safe && respond.poll_reset(context).is_ready() {
            return Poll::Ready(Answered::Left);
        }
        Poll::Pending
    })
    .await
}
