//! SQLite: the only backend of this part, hidden behind `Reader` and `Writer`.

mod aggregate;
pub(crate) mod anchor;
pub(crate) mod apply;
pub(crate) mod audit;
mod bind;
pub(crate) mod checkpoint;
pub(crate) mod constraint;
pub(crate) mod copy;
pub(crate) mod ddl;
pub(crate) mod failure;
pub(crate) mod find;
pub(crate) mod group;
pub(crate) mod home;
pub(crate) mod job;
mod keyset;
pub(crate) mod open;
pub(crate) mod pool;
pub(crate) mod reader;
mod related;
pub(crate) mod session;
mod sound;
pub(crate) mod trigger;
pub(crate) mod upkeep;
pub(crate) mod value;
pub(crate) mod writer;
