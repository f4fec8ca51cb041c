//! What every request is accompanied by, whichever version of HTTP it came in: its id, its times,
//! and the line that is written when it has been answered.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Request, Response};

use contract::problem::{Kind, Problem};
use contract::table::{self, Token};
use contract::trace_context::TraceParent;
use engine::report::{Close, Peer, Received, Report, RequestId};

use super::http1::Answer;
use super::http1::connection::Service;
use super::traces::Noted;
use super::wire::Wire;
use crate::log::{self, Ending, Entry};

/// What is known of a request when it begins, and is needed after it is gone.
pub(crate) struct Arrival {
    /// Its id.
    pub(crate) id: String,
    /// When its head was complete.
    at: SystemTime,
    /// The same, to measure from.
    pub(crate) start: Instant,
    /// Its method, where that is one of the table.
    method: &'static str,
    /// The trace that it is part of.
    parent: Option<TraceParent>,
}

/// What became of its answer.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Bytes of content that left, before they were framed.
    pub(crate) bytes: u64,
    /// How it ended. Only a whole one may look whole to the client.
    pub(crate) ending: Ending,
    /// Why it was interrupted. For the log only.
    pub(crate) cause: Option<String>,
}

impl Sent {
    /// All of it has left.
    pub(crate) fn whole(bytes: u64) -> Self {
        Self { bytes, ending: Ending::Whole, cause: None }
    }
}

impl Arrival {
    /// A request whose head is complete.
    pub(crate) fn of<A>(service: &Service<A>, request: &Request<()>) -> Self {
        let method = match table::method(request.method().as_str()) {
            Token::Served(method) => table::nature(method).name,
            // An unknown token could be anything, a secret too: it is not logged.
            Token::Withheld | Token::Unknown => "-",
        };
        Self { method, parent: TraceParent::read(request.headers()), ..Self::unread(service) }
    }

    /// A request of which nothing can be read.
    pub(crate) fn unread<A>(service: &Service<A>) -> Self {
        let (at, start) = (log::now(), Instant::now());
        Self { id: service.ids.next(), at, start, method: "-", parent: None }
    }

    /// Tells the engine what it is to know beside the request.
    pub(crate) fn accompany<B>(&self, request: &mut Request<B>, wire: Wire) {
        let extensions = request.extensions_mut();
        extensions.insert(RequestId(self.id.clone()));
        extensions.insert(Received(self.at, self.start));
        extensions.insert(wire.scheme);
        if let Some(peer) = wire.peer {
            extensions.insert(Peer(peer));
        }
    }

    /// What a panic is answered with. Its message went to the log where it happened.
    pub(crate) fn panicked<A: Answer>(&self, service: &Service<A>, bare: bool) -> Response<Bytes> {
        let detail = format!("Report it with the id {}; the log has the same.", self.id);
        let problem = Problem::new(Kind::Internal, detail).closing();
        let mut response = service.answerer.refuse(&problem, bare);
        let slug = Kind::Internal.entry().slug;
        let cause = Some("a panic; its message is in the log before this line".to_owned());
        let report = Report { problem: Some(slug), cause, ..Report::default() };
        response.extensions_mut().insert(report);
        response.extensions_mut().insert(Close);
        response
    }

    /// Writes down that it has been answered. Gives how that ended.
    pub(crate) fn close<A>(
        &self,
        service: &Service<A>,
        mut report: Report,
        status: u16,
        first_byte: Duration,
        sent: Sent,
    ) -> Ending {
        let Sent { bytes, ending, cause } = sent;
        report.cause = cause.or(report.cause);
        let total = self.start.elapsed();
        if let Some(meter) = service.meter.as_ref().filter(|_| status > 0) {
            meter.count(report.route, self.method, status, total);
        }
        if let Some(traces) = &service.traces {
            let (at, method, id) = (self.at, self.method, self.id.as_str());
            traces.note(self.parent, &report, &Noted { at, first_byte, total, method, status, id });
        }
        service.log.request(&Entry {
            at: self.at,
            id: &self.id,
            parent: self.parent,
            method: self.method,
            report: &report,
            status,
            bytes,
            first_byte,
            total,
            ending,
        });
        ending
    }

    /// Writes down that the client has left before there was an answer.
    pub(crate) fn left<A>(&self, service: &Service<A>) {
        let sent = Sent { bytes: 0, ending: Ending::Left, cause: None };
        self.close(service, Report::default(), 0, Duration::ZERO, sent);
    }
}
