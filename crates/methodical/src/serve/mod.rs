//! Serving: the listener, the connections, the engine behind them, and their end.

pub(crate) mod acme;
pub(crate) mod alarm;
pub(crate) mod app;
pub(crate) mod backups;
pub(crate) mod date;
pub(crate) mod exchange;
pub(crate) mod first_key;
pub(crate) mod handover;
pub(crate) mod http1;
pub(crate) mod http2;
pub(crate) mod id;
pub(crate) mod inherit;
pub(crate) mod issuers;
pub(crate) mod listen;
pub(crate) mod meter;
pub(crate) mod metrics;
pub(crate) mod notify;
pub(crate) mod outside;
pub(crate) mod queue;
pub(crate) mod seed;
pub(crate) mod shutdown;
pub(crate) mod tls;
pub(crate) mod tour;
pub(crate) mod traces;
pub(crate) mod watch;
pub(crate) mod wire;
