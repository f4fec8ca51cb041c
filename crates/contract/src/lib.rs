//! The contract of HTTP as values: what each method promises, which rows the product serves, and
//! the pure functions that keep the promises. No I/O, no async, no clock.

pub mod allow;
pub mod cors;
pub mod date;
pub mod etag;
pub mod fault;
mod field;
pub mod freshness;
pub mod host;
pub mod idempotency;
pub mod link;
pub mod media_type;
pub mod negotiate;
pub mod precondition;
pub mod prefer;
pub mod problem;
pub mod proof;
pub mod secret;
pub mod structured;
pub mod table;
pub mod token;
pub mod trace_context;
