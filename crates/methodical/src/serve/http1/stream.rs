//! Content that is read while it is sent, at the pace of the client: the next piece is asked for
//! once the one before it has been taken.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Chunks;
use super::answer::{Delimiter, Outgoing};
use super::connection::{LEFT_GRACE, Watch, watch};
use super::content::Incoming;
use crate::log::Ending;
use crate::serve::exchange::Sent;
use engine::content::Interrupted;

/// Sends content behind its head, which is lined up. What says that it is whole is lined up at its
/// end, and at no other.
pub(super) async fn send<S, R, W>(
    chunks: &mut S,
    delimiter: Delimiter,
    incoming: &mut Incoming<R>,
    outgoing: &mut Outgoing<W>,
) -> Sent
where
    S: Chunks,
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut bytes = 0;
    loop {
        match next(chunks, incoming, outgoing).await {
            Next::Piece(piece) => {
                outgoing.push_piece(&piece, delimiter);
                if outgoing.flush(&mut incoming.alarm).await.is_err() {
                    return Sent { bytes, ending: Ending::Left, cause: None };
                }
                bytes += piece.len() as u64;
                // A client that takes everything at once must not keep this thread from others.
                tokio::task::yield_now().await;
            }
            Next::End => {
                outgoing.push_end(delimiter);
                return Sent { bytes, ending: Ending::Whole, cause: None };
            }
            Next::Interrupted(cause) => {
                // What was read before is the client's; a failure here changes nothing.
                let _ = outgoing.flush(&mut incoming.alarm).await;
                return Sent { bytes, ending: Ending::Interrupted, cause: Some(cause) };
            }
            Next::Left => return Sent { bytes, ending: Ending::Left, cause: None },
        }
    }
}

/// What a wait for the next piece ends with.
enum Next {
    Piece(Bytes),
    End,
    Interrupted(String),
    /// The client has left.
    Left,
}

/// Waits for the next piece. While it takes its time, what is lined up leaves, and a client that
/// has left is noticed.
async fn next<S, R, W>(
    chunks: &mut S,
    incoming: &mut Incoming<R>,
    outgoing: &mut Outgoing<W>,
) -> Next
where
    S: Chunks,
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    // Whoever has finished sending may still be reading: each piece has its own time.
    if incoming.ended {
        incoming.alarm.set_after(LEFT_GRACE);
    }
    let mut next = pin!(chunks.next());
    poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| next.as_mut().poll(context))) {
            Ok(Poll::Ready(Some(Ok(piece)))) => return Poll::Ready(Next::Piece(piece)),
            Ok(Poll::Ready(Some(Err(Interrupted { cause })))) => {
                return Poll::Ready(Next::Interrupted(cause));
            }
            Ok(Poll::Ready(None)) => return Poll::Ready(Next::End),
            Ok(Poll::Pending) => {}
            Err(_) => {
                let cause = "a panic; its message is in the log before this line";
                return Poll::Ready(Next::Interrupted(cause.to_owned()));
            }
        }
        if has_left(incoming, outgoing, context) { Poll::Ready(Next::Left) } else { Poll::Pending }
    })
    .await
}

/// True where the client has left. One that sends its next request is there, and what it sends is
/// read later.
fn has_left<R, W>(
    incoming: &mut Incoming<R>,
    outgoing: &mut Outgoing<W>,
    context: &mut Context<'_>,
) -> bool
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    if matches!(outgoing.poll_flush(context), Poll::Ready(Err(_))) {
        return true;
    }
    incoming.input.is_empty() && matches!(watch(incoming, context), Poll::Ready(Watch::Left))
}
