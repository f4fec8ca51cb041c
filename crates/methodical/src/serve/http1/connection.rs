//! The life of a connection: heads are read, answered in order, and the end is made so that the
//! last answer arrives (RFC 9112 §9). One task a connection, none a request.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use http::response::Parts;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::futures::Notified;

use contract::problem::{Kind, Problem};
use engine::content::Content;
use engine::report::{Close, Report};
use model::setting::Settings;

use super::Answer;
use super::answer::{Delimiter, Manner, Outgoing};
use super::content::{Content as Arriving, Expectation, Incoming};
use super::framing::malformed;
use super::head::{self, Head, Reading, Refusal};
use super::stream;
use crate::log::{Ending, Log};
use crate::serve::exchange::{Arrival, Sent};
use crate::serve::id::Ids;
use crate::serve::meter::Meter;
use crate::serve::shutdown::Stop;
use crate::serve::traces::Traces;
use crate::serve::wire::Wire;

/// How long an idle connection is still listened to when the server stops: a request that was
/// already on its way is answered.
const STOP_GRACE: Duration = Duration::from_millis(50);
/// How long a safe request that takes its time goes on after its client has finished sending. Most
/// have left then; one that only half-closed gets what is ready in this time.
pub(super) const LEFT_GRACE: Duration = Duration::from_millis(500);
/// How long, and how much, is read after the last answer, so that the peer's system does not throw
/// that answer away because of bytes that nobody read (RFC 9112 §9.6).
const LINGER_TIME: Duration = Duration::from_secs(2);
/// The same when the server stops: somebody may be waiting for its successor.
const STOP_LINGER_TIME: Duration = Duration::from_millis(200);
const LINGER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Service<A> {
    /// Answers the requests.
    pub(crate) answerer: A,
    /// Limits and timeouts.
    pub(crate) settings: Settings,
    /// Where a line a request goes.
    pub(crate) log: Log,
    /// Makes request ids.
    pub(crate) ids: Ids,
    /// Counts requests, where somebody wants to know.
    pub(crate) meter: Option<Arc<Meter>>,
    /// Takes note of requests, where somebody collects that.
    pub(crate) traces: Option<Traces>,
}

/// Serves one connection until it ends, and says how its end has to be made.
pub(crate) async fn serve<A, R, W>(
    service: &Service<A>,
    reader: R,
    writer: W,
    wire: Wire,
    stop: &Stop,
) -> End
where
    A: Answer,
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let stopped = pin!(stop.notified());
    let mut connection = Connection::new(service, (reader, writer), wire, (stop, stopped));
    let end = connection.run().await;
    if end == End::Linger {
        connection.linger().await;
    }
    end
}

/// Refuses a connection before anything of it was read, and ends it so that the refusal arrives.
pub(crate) async fn refuse<A, R, W>(
    service: &Service<A>,
    reader: R,
    writer: W,
    wire: Wire,
    stop: &Stop,
    problem: Problem,
) where
    A: Answer,
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let stopped = pin!(stop.notified());
    let mut connection = Connection::new(service, (reader, writer), wire, (stop, stopped));
    if connection.refuse(Refusal { problem, bare: false }).await == End::Linger {
        connection.linger().await;
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// An answer is on its way: the end is made gently.
    Linger,
    /// There is nothing to say, or nobody to say it to.
    Drop,
    /// Content broke off that ends with the connection: an end in order would make it look whole,
    /// so the connection has to be reset (RFC 9112 §8).
    Reset,
}

/// What a wait for the next head ends with.
enum Next {
    Head(Box<Head>),
    Refused(Refusal),
    End(End),
}

/// What answering ends with.
enum Answered<S> {
    Response(Response<Content<S>>),
    /// The client has left; nothing was or will be changed.
    Left,
    /// The answerer panicked.
    Panicked,
}

struct Connection<'a, 'p, A, R, W> {
    service: &'a Service<A>,
    incoming: Incoming<R>,
    outgoing: Outgoing<W>,
    heads: head::Reader,
    wire: Wire,
    stop: &'a Stop,
    stopped: Pin<&'p mut Notified<'a>>,
    /// True once it is known here that the server stops.
    told: bool,
}

impl<'a, 'p, A, R, W> Connection<'a, 'p, A, R, W>
where
    A: Answer,
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    fn new(
        service: &'a Service<A>,
        (reader, writer): (R, W),
        wire: Wire,
        (stop, stopped): (&'a Stop, Pin<&'p mut Notified<'a>>),
    ) -> Self {
        Self {
            service,
            incoming: Incoming::new(reader, &service.settings),
            outgoing: Outgoing::new(writer, &service.settings),
            heads: head::Reader::default(),
            wire,
            stop,
            stopped,
            told: false,
        }
    }

    async fn run(&mut self) -> End {
        loop {
            let end = match self.next().await {
                // What a request needs is had while there is one: most connections idle.
                Next::Head(head) => {
                    let end = Box::pin(self.exchange(*head)).await;
                    if !self.incoming.input.is_empty() {
                        // Whoever sends many at once must not keep this thread from others.
                        tokio::task::yield_now().await;
                    }
                    end
                }
                Next::Refused(refusal) => Some(Box::pin(self.refuse(refusal)).await),
                Next::End(end) => Some(end),
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Waits for the next head. Answers that are collected leave before the wait.
    async fn next(&mut self) -> Next {
        let settings = &self.service.settings;
        let mut began = false;
        loop {
            match self.heads.read(&mut self.incoming.input, settings) {
                Reading::Complete(head) => return Next::Head(head),
                Reading::Refused(refusal) => return Next::Refused(refusal),
                Reading::Partial => {}
            }
            if !self.outgoing.is_empty() && self.flush().await.is_err() {
                return Next::End(End::Drop);
            }
            let partial = !self.incoming.input.is_empty();
            if self.incoming.ended {
                return if partial { Next::Refused(cut_off()) } else { Next::End(End::Linger) };
            }
            if partial && !began {
                began = true;
                self.incoming.alarm.set_after(settings.head_timeout);
            }
            match self.wait(partial).await {
                Waited::More => {}
                Waited::Late if partial => return Next::Refused(late()),
                Waited::Late => return Next::End(End::Linger),
                Waited::Broken => return Next::End(End::Drop),
            }
        }
    }

    /// Waits for bytes, for the timer, or for the server to stop.
    async fn wait(&mut self, partial: bool) -> Waited {
        poll_fn(|context| {
            match self.incoming.poll_fill(context) {
                Poll::Ready(Ok(_)) => return Poll::Ready(Waited::More),
                Poll::Ready(Err(_)) => return Poll::Ready(Waited::Broken),
                Poll::Pending => {}
            }
            if !self.told && self.stopped.as_mut().poll(context).is_ready() {
                self.told = true;
                if !partial {
                    self.incoming.alarm.set_after(STOP_GRACE);
                }
            }
            self.incoming.alarm.poll(context).map(|()| Waited::Late)
        })
        .await
    }

    /// Answers one request. `None`: the connection goes on.
    async fn exchange(&mut self, head: Head) -> Option<End> {
        let settings = &self.service.settings;
        let Head { request, framing, http_1_0, keep_alive, bare, safe, expects_continue } = head;
        self.incoming.expect(framing, settings);
        let arrival = Arrival::of(self.service, &request);
        // Content that is already here needs no 100 Continue (RFC 9110 §10.1.1).
        let expectation = Expectation::new(expects_continue && self.incoming.input.is_empty());
        let answered = {
            let (lent, watched) = if framing == super::framing::Framing::Empty {
                (None, safe.then_some(&mut self.incoming))
            } else {
                (Some(&mut self.incoming), None)
            };
            let mut request = request.map(|()| Arriving::new(lent, &expectation));
            arrival.accompany(&mut request, self.wire);
            let future = pin!(self.service.answerer.answer(request));
            answer(future, &mut self.outgoing, &expectation, watched).await
        };
        let response = match answered {
            Answered::Response(response) => response,
            Answered::Left => {
                arrival.left(self.service);
                return Some(End::Drop);
            }
            Answered::Panicked => arrival.panicked(self.service, bare).map(Content::Whole),
        };
        let drained = self.incoming.can_be_drained(&expectation);
        let ends = response.extensions().get::<Close>().is_some();
        // What has arrived behind this request was accepted too, and is answered first.
        let is_last = self.incoming.input.is_empty() && (self.stop.is_set() || self.incoming.ended);
        let until_close = http_1_0 && matches!(response.body(), Content::Stream(_));
        let close = ends || !keep_alive || !drained || is_last || until_close;
        let manner = Manner { bare, close, http_1_0, id: &arrival.id };
        if let Err(end) = self.send(response, manner, &arrival).await {
            return Some(end);
        }
        if close || !self.incoming.drain().await {
            return Some(End::Linger);
        }
        self.incoming.alarm.set_after(settings.idle_timeout);
        None
    }

    /// Lines up an answer, and sends it unless another request is already here.
    async fn send(
        &mut self,
        mut response: Response<Content<A::Stream>>,
        manner: Manner<'_>,
        arrival: &Arrival,
    ) -> Result<(), End> {
        let status = response.status().as_u16();
        let report = response.extensions_mut().remove::<Report>().unwrap_or_default();
        if !self.outgoing.has_room() {
            self.flush().await.map_err(|_| End::Drop)?;
        }
        let (parts, content) = response.into_parts();
        let (first_byte, mut sent) = match content {
            Content::Whole(content) => {
                let bytes = self.outgoing.push(Response::from_parts(parts, content), manner);
                (arrival.start.elapsed(), Sent::whole(bytes))
            }
            Content::Stream(chunks) => self.stream(&parts, chunks, manner, arrival).await,
        };
        let pipelined = !manner.close && !self.incoming.input.is_empty();
        let waits = pipelined && self.outgoing.has_room();
        if sent.ending == Ending::Whole && !waits && self.flush().await.is_err() {
            sent.ending = Ending::Left;
        }
        let ending = arrival.close(self.service, report, status, first_byte, sent);
        match ending {
            Ending::Whole => Ok(()),
            Ending::Interrupted if manner.http_1_0 => Err(End::Reset),
            Ending::Left | Ending::Interrupted => Err(End::Drop),
        }
    }

    /// Sends a head, and the content behind it while it is read; where there is to be none, it is
    /// not read further.
    async fn stream(
        &mut self,
        parts: &Parts,
        mut chunks: A::Stream,
        manner: Manner<'_>,
        arrival: &Arrival,
    ) -> (Duration, Sent) {
        let delimiter = if manner.http_1_0 { Delimiter::Close } else { Delimiter::Chunk };
        self.outgoing.push_head(parts, delimiter, manner);
        let first_byte = arrival.start.elapsed();
        if manner.bare {
            return (first_byte, Sent::whole(0));
        }
        let (incoming, outgoing) = (&mut self.incoming, &mut self.outgoing);
        (first_byte, stream::send(&mut chunks, delimiter, incoming, outgoing).await)
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        self.outgoing.flush(&mut self.incoming.alarm).await
    }

    /// Answers what is refused before the answerer sees it. The connection ends after it.
    async fn refuse(&mut self, Refusal { problem, bare }: Refusal) -> End {
        let arrival = Arrival::unread(self.service);
        let slug = problem.kind.entry().slug;
        let mut response = self.service.answerer.refuse(&problem.closing(), bare);
        if response.extensions().get::<Report>().is_none() {
            response.extensions_mut().insert(Report { problem: Some(slug), ..Report::default() });
        }
        let manner = Manner { bare, close: true, http_1_0: false, id: &arrival.id };
        let sent = self.send(response.map(Content::Whole), manner, &arrival).await;
        sent.err().unwrap_or(End::Linger)
    }

    /// Ends the connection so that the peer can read the last answer: nothing more is sent, and
    /// what still arrives is read and dropped for a while (RFC 9112 §9.6).
    async fn linger(&mut self) {
        let is_last = self.stop.is_set();
        let time = if is_last { STOP_LINGER_TIME } else { LINGER_TIME };
        self.incoming.alarm.set_after(time);
        let mut left = LINGER_BYTES_MAX;
        poll_fn(|context| {
            std::task::ready!(self.outgoing.poll_finish(context)).ok();
            loop {
                self.incoming.input.clear();
                match self.incoming.poll_fill(context) {
                    Poll::Ready(Ok(read)) if read > 0 && read < left => left -= read,
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return self.incoming.alarm.poll(context),
                }
            }
        })
        .await;
    }
}

/// What a wait ends with.
enum Waited {
    More,
    Late,
    Broken,
}

/// Polls the answerer. While it takes its time, collected answers leave, `100 Continue` is sent
/// once content is wanted, and a client that has left is noticed.
async fn answer<F, S, R, W>(
    mut future: Pin<&mut F>,
    outgoing: &mut Outgoing<W>,
    expectation: &Expectation,
    mut watched: Option<&mut Incoming<R>>,
) -> Answered<S>
where
    F: Future<Output = Response<Content<S>>>,
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Ready(response)) => return Poll::Ready(Answered::Response(response)),
            Ok(Poll::Pending) => {}
            Err(_) => return Poll::Ready(Answered::Panicked),
        }
        if expectation.must_continue() {
            outgoing.push_continue();
        }
        if matches!(outgoing.poll_flush(context), Poll::Ready(Err(_))) && watched.is_some() {
            return Poll::Ready(Answered::Left);
        }
        match watched.as_deref_mut().map(|incoming| watch(incoming, context)) {
            Some(Poll::Ready(Watch::Left)) => Poll::Ready(Answered::Left),
            Some(Poll::Ready(Watch::Sends)) => {
                watched = None;
                Poll::Pending
            }
            Some(Poll::Pending) | None => Poll::Pending,
        }
    })
    .await
}

/// What is seen of a client whose safe request takes its time.
pub(super) enum Watch {
    /// It has left, or has half-closed and waited long enough.
    Left,
    /// It sends its next request.
    Sends,
}

/// Looks whether the client has left.
pub(super) fn watch<R: AsyncRead + Unpin>(
    incoming: &mut Incoming<R>,
    context: &mut Context<'_>,
) -> Poll<Watch> {
    if !incoming.ended {
        match incoming.poll_fill(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => return Poll::Ready(Watch::Left),
            Poll::Ready(Ok(1..)) => return Poll::Ready(Watch::Sends),
            Poll::Ready(Ok(0)) => incoming.alarm.set_after(LEFT_GRACE),
        }
    }
    incoming.alarm.poll(context).map(|()| Watch::Left)
}

fn late() -> Refusal {
    let detail = "Request line and fields were not complete in time. Nothing was done.";
    Refusal { problem: Problem::new(Kind::RequestTimeout, detail).closing(), bare: false }
}

fn cut_off() -> Refusal {
    let problem = malformed("The connection ended inside the header section (RFC 9112 §8).");
    Refusal { problem, bare: false }
}
