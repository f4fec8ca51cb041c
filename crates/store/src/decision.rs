//! A write as a pure decision: from what is there now to an outcome and its changes.

use crate::change::Change;
use crate::lookup::{Current, Lookup};

/// What a decision comes to. The store never looks at the outcome.
#[derive(Clone, Debug)]
pub enum Decision<O> {
    /// These changes, all of them or none.
    Commit {
        /// What the caller is told once they are on disk.
        outcome: O,
        /// What is written.
        changes: Vec<Change>,
    },
    /// Nothing: every step of this write is undone, and those after it are not asked.
    Refuse(O),
    /// More must be known; asked again with what this lookup adds to the roots found before.
    More(Lookup),
}

/// Decides, without I/O, and may be asked twice: a group that is lost is run again. Beside what is
/// there it is given the outcomes of the steps before it, in their order.
pub type Decide<O> = Box<dyn Fn(&Current, &[O]) -> Decision<O> + Send>;

/// What must be known, by the outcomes of the steps before. As pure as the decision.
pub type Look<O> = Box<dyn Fn(&[O]) -> Lookup + Send>;

/// What a step must know first.
pub enum Asks<O> {
    /// This, whatever the steps before it came to.
    This(Lookup),
    /// What follows from the outcomes of the steps before it.
    Of(Look<O>),
}

/// One step of a write. A write is a list of them in one transaction, each seeing the changes of
/// those before it.
pub struct Step<O> {
    /// What it must know first.
    pub asks: Asks<O>,
    /// What it decides then.
    pub decide: Decide<O>,
}

impl<O> Step<O> {
    /// A step that depends on no other.
    pub fn alone(
        lookup: Lookup,
        decide: impl Fn(&Current) -> Decision<O> + Send + 'static,
    ) -> Self {
        Self { asks: Asks::This(lookup), decide: Box::new(move |current, _| decide(current)) }
    }
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<O> {
    /// On disk. One outcome a step.
    Committed(Vec<O>),
    /// Refused by this step, and nothing was written.
    Refused {
        /// The step, from 0.
        step: usize,
        /// Its outcome.
        outcome: O,
    },
}
