//! Which questions have lately been too long for the caller's thread. While long reads wait for
//! their turn, whoever asks one of them again does not begin on the caller's thread, where it would
//! take time from the short ones only to be stopped.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::lookup::{Lookup, Pick};
use crate::sql::select::{Ask, Shape};
use crate::sql::term::terms;

/// How long a question is remembered.
const KEPT: Duration = Duration::from_secs(10);
/// How many are.
const KEPT_MAX: usize = 256;

/// Questions by the hash of their shape, each with when it was last too long.
#[derive(Debug, Default)]
pub(super) struct Heavy {
    seen: Mutex<HashMap<u64, Instant>>,
    hasher: RandomState,
}

impl Heavy {
    /// A question was too long.
    pub(super) fn remember(&self, lookup: &Lookup) {
        let Some(hash) = self.hash(lookup) else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= KEPT_MAX {
            seen.retain(|_, last| last.elapsed() < KEPT);
        }
        if seen.len() < KEPT_MAX {
            seen.insert(hash, Instant::now());
        }
    }

    /// True where a question of this shape has been too long lately.
    pub(super) fn knows(&self, lookup: &Lookup) -> bool {
        let Some(hash) = self.hash(lookup) else { return false };
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&hash).is_some_and(|last| last.elapsed() < KEPT)
    }

    /// The hash of what is asked, without its values; of the first root, which is all there is of
    /// a list.
    fn hash(&self, lookup: &Lookup) -> Option<u64> {
        let node = lookup.roots.first()?;
        let (filter, ask, sort) = match &node.pick {
            Pick::Page(page) => (&page.filter, Ask::Page, page.sort.as_slice()),
            Pick::Groups(groups) => {
                (&groups.filter, Ask::Groups(groups.aggregate.clone()), [].as_slice())
            }
            Pick::Number(filter) => (filter, Ask::Count, [].as_slice()),
            Pick::Key(_) | Pick::Related { .. } | Pick::Dependents { .. } | Pick::NextId => {
                return None;
            }
        };
        let shape = Shape::new(node.resource, ask, &terms(filter), sort);
        Some(self.hasher.hash_one(shape))
    }
}
