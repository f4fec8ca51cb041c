//! The contract of HTTP as values: what each method promises, which rows the product serves, and
//! the pure functions that keep the promises. No I/O, no async, no clock.

pub mod problem;
pub mod proof;
pub mod table;
