//! What was declared, validated once and immutable after, and the values that fit it: records,
//! queries, patches. No I/O but the text that is handed in.

pub mod access;
pub mod adopt;
pub mod batch;
mod calendar;
mod check;
pub mod complaint;
pub mod declaration;
pub mod declaration_schema;
mod digest;
pub mod fold;
pub mod form;
pub mod index;
pub mod issuer;
pub mod json;
pub mod model;
pub mod network;
pub mod patch;
pub mod query;
pub mod record;
pub mod rows;
#[cfg(test)]
mod sample;
pub mod schema;
pub mod search;
pub mod setting;
pub mod shape;
mod source;
pub mod suggest;
pub mod value;
