//! One operation a file: what must be known, and what follows from it. Operations never call
//! operations, and know nothing of keys, ETags or media types.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod changes;
pub(crate) mod chunk;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod fetch;
pub(crate) mod list;
pub(crate) mod login;
pub mod mail;
pub(crate) mod page;
pub(crate) mod patch;
pub(crate) mod permission;
pub(crate) mod replace;
pub(crate) mod search;

pub(crate) mod change;
