//! A database that is not ours, as a declaration: what it holds, what can be said of it here, and
//! what cannot. Who reads the database and who copies it are elsewhere.

pub mod cell;
mod draft;
pub mod facts;
mod field;
pub mod foreign;
mod group;
mod name;
pub mod note;
pub mod plan;
mod report;
mod text;
mod view;

#[cfg(test)]
mod tests;
