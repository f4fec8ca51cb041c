//! Whether a client gives us work to do that comes to nothing: pings, settings, priorities, windows
//! that move by a byte. What arrives is counted until a request begins, or content moves.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes since anything came of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Calm(Arc<AtomicUsize>);

impl Calm {
    /// Something came of what has arrived.
    pub(super) fn restore(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// How much has come to nothing.
    pub(super) fn idle_bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection whose incoming bytes are counted.
#[derive(Debug)]
pub(super) struct Counted<S> {
    stream: S,
    calm: Calm,
}

impl<S> Counted<S> {
    /// Counts from now on.
    pub(super) fn new(stream: S, calm: Calm) -> Self {
        Self { stream, calm }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let read = ready!(Pin::new(&mut this.stream).poll_read(context, into));
        this.calm.0.fetch_add(into.filled().len() - before, Ordering::Relaxed);
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
