//! SQLite: the only backend of this part, hidden behind `Reader` and `Writer`.

mod aggregate;
pub(crate) mod anchor;
pub(crate) mod apply;
mod bind;
pub(crate) mod constraint;
pub(crate) mod ddl;
mod dependents;
pub(crate) mod failure;
pub(crate) mod find;
pub(crate) mod group;
pub(crate) mod home;
pub(crate) mod index;
pub(crate) mod job;
mod keyset;
mod log;
pub(crate) mod many;
pub(crate) mod open;
pub(crate) mod pool;
mod priority;
pub(crate) mod reader;
mod related;
pub(crate) mod session;
pub(crate) mod transfer;
pub(crate) mod trigger;
pub(crate) mod upkeep;
pub(crate) mod value;
pub(crate) mod writer;
