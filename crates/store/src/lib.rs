//! All SQL, and nothing of HTTP: a Reader that cannot write, and a Writer that commits decisions.

pub mod change;
pub mod decision;
pub mod error;
pub mod lookup;
