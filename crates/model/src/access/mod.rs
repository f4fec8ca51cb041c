//! Who may do what: callers, the rules that a declaration has for them, and what these leave of it
//! for one caller.
//!
//! A rule is written once, as an expression over record and caller (`rule`). For one caller and one
//! moment everything but the record is known, so what remains is a filter over records (`sight`),
//! which the database evaluates as a part of its statements and `query::holds` in memory.

mod caller;
mod rule;
mod sight;

pub use caller::{ADMIN, Caller};
pub use rule::{Fault, Reading, Rule, watched_columns};
pub(crate) use sight::Narrowed;
pub use sight::{FieldGrants, Grants, Sight};
