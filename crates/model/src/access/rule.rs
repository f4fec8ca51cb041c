//! Conditions over record and caller: `when = "record.author == caller.id"`.

use crate::access::Caller;
use crate::model::{Model, ResourceIndex};
use crate::query::Filter;
use crate::value::Timestamp;

/// A condition, as it was declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {}

impl Rule {
    /// Which records fulfil it, for this caller at this moment.
    #[must_use]
    pub fn residual(&self, _: &Model, _: ResourceIndex, _: &Caller, _: Timestamp) -> Filter {
        Filter::nothing()
    }

    /// True where it looks at the clock.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        false
    }
}
