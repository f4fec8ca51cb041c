//! What keeps a database alive for years: backups, restoring, checking, repairing, housekeeping.

pub mod audit;
pub mod backup;
pub mod beside;
pub mod error;
pub mod header;
pub mod jobs;
pub mod keys;
pub mod restore;
pub mod status;
pub mod vacuum;

pub(crate) mod archive;
mod desk;
pub(crate) mod exchange;
