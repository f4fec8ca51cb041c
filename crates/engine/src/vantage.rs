//! What a caller sees of the resources that a write is about, kept with its remembered answer:
//! under other rules, or with another role, that answer may show what is hidden by now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::call::Call;

/// What a caller sees, by the names of the resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vantage(BTreeMap<String, Seen>);

/// Of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Stands for the records and fields that are seen; empty where all of them are.
    digest: String,
    /// The fields that are seen in no record.
    hidden: BTreeSet<String>,
}

impl Vantage {
    /// What the caller of a write sees of all that it touches.
    pub(crate) fn of(call: &Call) -> Self {
        let operations = call.batch().into_iter().flat_map(|batch| &batch.operations);
        let calls = operations.map(|operation| &operation.call).chain([call]);
        let touched = calls.flat_map(|call| call.routed.resource.iter().chain(&call.tables));
        let seen = |at: usize| {
            let resource = &call.model.resources[at];
            let hidden = resource.fields.iter().filter(|field| !field.visible());
            let hidden = hidden.map(|field| field.name.clone()).collect();
            let digest = call.grants(at).digest.clone();
            (resource.name.clone(), Seen { digest, hidden })
        };
        Self(touched.map(|at| seen(*at)).collect())
    }

    /// The resources of which less, or something else, is seen now than was seen then. Whoever sees
    /// all by now is shown nothing new. Nothing is known of what was hidden where it is not kept.
    pub(crate) fn lost_since(&self, then: &Self) -> Vec<&str> {
        let is_lost = |(name, now): &(&String, &Seen)| match then.0.get(name.as_str()) {
            None => !now.digest.is_empty(),
            Some(then) => {
                let is_narrowed = !now.digest.is_empty() && now.digest != then.digest;
                is_narrowed || !now.hidden.is_subset(&then.hidden)
            }
        };
        self.0.iter().filter(is_lost).map(|(name, _)| name.as_str()).collect()
    }

    /// It as text: a line a resource.
    pub(crate) fn written(&self) -> String {
        let mut out = String::new();
        for (name, Seen { digest, hidden }) in &self.0 {
            let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
            // Writing to a string never fails.
            let _ = writeln!(out, "{name} {digest} {}", hidden.join(","));
        }
        out
    }

    /// Reads what was written.
    pub(crate) fn read(text: &str) -> Self {
        let line = |line: &str| {
            let mut parts = line.split(' ');
            let name = parts.next().unwrap_or_default().to_owned();
            let digest = parts.next().unwrap_or_default().to_owned();
            let hidden = parts.next().unwrap_or_default().split(',');
            let hidden = hidden.filter(|name| !name.is_empty()).map(str::to_owned).collect();
            (name, Seen { digest, hidden })
        };
        Self(text.lines().map(line).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Vantage;

    #[test]
    fn what_is_lost_is_named_and_what_is_won_is_not() {
        let then = Vantage::read("notes 0a code\nusers  \n");
        assert_eq!(then.written(), "notes 0a code\nusers  \n");
        for (now, lost) in [
            ("notes 0a code\nusers  \n", &[][..]),
            ("notes 0b code\nusers  \n", &["notes"]),
            ("notes 0a code,draft\nusers  \n", &["notes"]),
            ("notes  \nusers  \n", &[]),
            ("notes 0a code\nusers 0c \n", &["users"]),
            ("notes  \nusers  password\n", &["users"]),
        ] {
            assert_eq!(Vantage::read(now).lost_since(&then), lost, "{now}");
        }
        let unknown = Vantage::default();
        assert_eq!(Vantage::read("notes  code\n").lost_since(&unknown), [""; 0]);
        assert_eq!(Vantage::read("notes 0a \n").lost_since(&unknown), ["notes"]);
    }
}
