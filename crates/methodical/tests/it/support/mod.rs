//! What every test here needs: a real server on a fresh folder, and a client that trusts nothing.

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod gate;
pub(crate) mod pattern;
pub(crate) mod server;
