//! Rules: any text is a rule or is told why not. A rule is read again from what is shown of it, and
//! what is left of it for a caller is true or false of a record.

use model::access::{Caller, Rule};
use model::query::Seen;
use model::record::{Record, Version};
use model::value::{Id, Timestamp};

use crate::world::{MODEL, utf8};

pub(crate) fn rule(data: &[u8]) {
    let Some(text) = utf8(data) else { return };
    for resource in 0..MODEL.resources.len() {
        let reading = Rule::read(&MODEL, resource, text);
        assert_eq!(reading.rule.is_none(), !reading.errors.is_empty());
        for fault in reading.errors.iter().chain(&reading.doubts) {
            assert!(text.get(fault.span.clone()).is_some(), "{fault:?} in {} bytes", text.len());
            assert!(!fault.message.is_empty());
        }
        let Some(rule) = reading.rule else { continue };
        let shown = rule.to_string();
        assert_eq!(Rule::read(&MODEL, resource, &shown).rule.as_ref(), Some(&rule), "{shown}");
        for caller in [Caller::Nobody, key(&["a", "b"])] {
            holds(&rule, resource, &caller);
        }
        assert!(rule.residual(&MODEL, resource, &key(&["admin"]), Timestamp(0)).is_all());
    }
}

/// Of a record without any value: nothing falls between true and false, and what is left looks at
/// no column that the rule does not.
fn holds(rule: &Rule, resource: usize, caller: &Caller) {
    let fields = MODEL.resources[resource].fields.len();
    let record = Record {
        id: Id::Integer(1),
        version: Version { birth: 0, counter: 1 },
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        values: vec![None; fields],
    };
    let seen = Seen::alone(&record);
    let filter = rule.residual(&MODEL, resource, caller, Timestamp(0));
    let truth = filter.holds(&MODEL, resource, seen);
    assert_ne!(filter.clone().negated().holds(&MODEL, resource, seen), truth, "{rule}");
    assert!(!filter.is_all() || truth, "{rule}");
    assert!(!filter.is_nothing() || !truth, "{rule}");
    let columns = rule.columns();
    filter.each_path(&mut |path| {
        let field = |at: &usize| model::query::Column::Field(*at);
        let own = path.through.first().map_or(path.column, field);
        assert!(columns.contains(&own), "{rule}");
    });
}

fn key(roles: &[&str]) -> Caller {
    Caller::Key { id: 1, roles: roles.iter().map(|role| (*role).to_owned()).collect() }
}
