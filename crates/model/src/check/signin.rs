//! The one resource whose records sign in: its password, its role, and who owns what.

use super::Check;
use super::place::{FieldPlace, Place};
use crate::model::{Kind, Model, Resource, ResourceIndex, Who};
use crate::source::Written;
use crate::value::Value;

/// Checks everything about signing in and owning.
pub(super) fn check(check: &mut Check, model: &Model, places: &[Place<'_>]) {
    let users = model.users();
    for (resource, place) in model.resources.iter().zip(places) {
        passwords(check, resource, place, users.map(|at| model.resources[at].name.as_str()));
        owners(check, resource, place, users);
    }
    if let Some(at) = users {
        role(check, &model.resources[at], &places[at]);
    }
}

fn passwords(check: &mut Check, resource: &Resource, place: &Place<'_>, users: Option<&str>) {
    let passwords = resource.fields.iter().zip(&place.fields).filter(|(field, _)| field.password);
    for (count, (_, at)) in passwords.clone().enumerate() {
        if users.is_some_and(|users| users != resource.name) {
            let message =
                format!("only one resource has users, and `{}` is it", users.unwrap_or_default());
            let help = "for another secret use `writeOnly = true` or `secret = true`";
            check.error(at.value("format"), message, help);
        } else if count > 0 {
            let help = "for another secret use `writeOnly = true` or `secret = true`";
            check.error(at.value("format"), "a user has one password", help);
        }
    }
    let signs_in = passwords.count() > 0;
    let login = place.table.entry("login");
    if let Some(entry) = login.filter(|_| !signs_in) {
        let help = "add fields.password = { type = \"string\", format = \"password\" }";
        check.error(&entry.key_span, "nobody can sign in without a password", help);
    }
    let named = login.is_some_and(|entry| match &entry.node.written {
        Written::List(items) => !items.is_empty(),
        _ => true,
    });
    if signs_in && !named {
        let unique = resource.fields.iter().find(|field| field.unique && field.kind == Kind::Text);
        let help = match unique {
            Some(field) => format!("write `login = [\"{}\"]`", field.name),
            None => "name a unique field of strings: `login = [\"username\"]`".to_owned(),
        };
        check.error(place.of("login"), "`login` is missing: by what do users sign in?", &help);
    }
}

fn owners(check: &mut Check, resource: &Resource, place: &Place<'_>, users: Option<ResourceIndex>) {
    let owners = resource.fields.iter().zip(&place.fields).filter(|(field, _)| field.owner);
    for (count, (field, at)) in owners.enumerate() {
        let span = at.key("owner");
        if users.is_none() {
            let help = "give one resource a password: { type = \"string\", format = \"password\" }";
            check.error(span, "nobody can own a record where nobody can sign in", help);
        } else if field.references.map(|reference| reference.resource) != users {
            let help = "write `references` to the resource with the password";
            check.error(span, "an owner is a user: this field refers to none", help);
        } else if count > 0 {
            check.error(span, "a record has one owner", "leave `owner` to one field");
        }
    }
}

/// Whoever can write a role can make an administrator.
fn role(check: &mut Check, resource: &Resource, place: &Place<'_>) {
    let Some((at, role)) = resource.field("role") else { return };
    let written = &place.fields[at];
    if role.kind != Kind::Text || !written.has("enum") {
        let help = "write `type = \"string\", enum = [\"customer\", \"admin\"]`";
        check.error(written.span, "a user's role is one of some names", help);
    }
    if !role.visible() {
        check.error(written.span, "a user's role must be readable", "leave the hiding key out");
    }
    if role.default == Some(Value::Text("admin".to_owned())) {
        let help = "choose the role that may do least";
        check.error(written.value("default"), "every new user would be an administrator", help);
    }
    if !role.read_only {
        writers(check, resource, place, written);
    }
}

fn writers(check: &mut Check, resource: &Resource, place: &Place<'_>, role: &FieldPlace<'_>) {
    let admins = |who: &Option<Who>| who.iter().flat_map(|who| &who.names).all(|n| n == "admin");
    let field = resource.field("role").and_then(|(_, field)| field.write.as_ref());
    if let Some(who) = field {
        if !who.names.iter().all(|name| name == "admin") {
            let message = "a role must not be writable by its bearer";
            let help = "write `write = \"admin\"`: who writes a role can make an administrator";
            check.error(role.value("write"), message, help);
        }
        return;
    }
    let access = resource.access.as_ref();
    let open = access.is_some_and(|access| !(admins(&access.create) && admins(&access.update)));
    if open {
        let message = format!("`access` of `{}` lets a role be written by its bearer", place.name);
        let help = "add `write = \"admin\"` to this field";
        check.error(role.span, message, help);
    }
}
