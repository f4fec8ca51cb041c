//! The roles that there are: those of the users, and those that only keys have.

use super::place::Place;
use super::{Check, Word};
use crate::access::ADMIN;
use crate::model::Model;
use crate::source::{Table, Written};

/// What every declaration knows beside roles.
pub(super) const CIRCLES: [&str; 3] = ["anyone", "signed-in", "owner"];

/// Every role, each once, `admin` first.
pub(super) fn read(
    check: &mut Check,
    root: &Table,
    model: &Model,
    places: &[Place<'_>],
) -> Vec<String> {
    let mut roles = vec![ADMIN.to_owned()];
    let of_users = model.users().map(|at| of_users(&places[at])).unwrap_or_default();
    for word in &of_users {
        named(check, word);
    }
    roles.extend(of_users.into_iter().map(|word| word.text));
    for word in check.texts(root, "roles") {
        named(check, &word);
        if roles.contains(&word.text) {
            let message = format!("`{}` is a role without being named here", word.text);
            check.warn(&word.span, message, "leave it out");
        }
        roles.push(word.text);
    }
    let mut each: Vec<String> = Vec::new();
    for role in roles {
        if !each.contains(&role) {
            each.push(role);
        }
    }
    each
}

/// The roles that users can have: the `enum` of their `role`.
fn of_users(users: &Place<'_>) -> Vec<Word> {
    let role = users.fields.iter().find(|field| field.name == "role");
    let Some(Written::List(items)) =
        role.and_then(|role| role.table.get("enum")).map(|node| &node.written)
    else {
        return Vec::new();
    };
    let word = |item: &crate::source::Node| match &item.written {
        Written::Text(text) => Some(Word { text: text.clone(), span: item.span.clone() }),
        _ => None,
    };
    items.iter().filter_map(word).collect()
}

/// A role is no circle, and can be typed on a command line.
fn named(check: &mut Check, word: &Word) {
    let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if CIRCLES.contains(&word.text.as_str()) {
        let message = format!("`{}` says who somebody is and can be no role", word.text);
        check.error(&word.span, message, "choose another name");
    } else if word.text.is_empty() || !word.text.chars().all(plain) {
        let help = "letters, digits and - _ . only";
        check.error(&word.span, "this cannot be the name of a role", help);
    }
}
