//! Serving: the listener, the connections, and their end.

pub(crate) mod http1;
pub(crate) mod id;
pub(crate) mod shutdown;
