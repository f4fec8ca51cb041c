//! `access`: who may do what, as the declaration says it.

use std::fmt::Write;

use clap::ArgMatches;

use model::access::ADMIN;
use model::complaint::Level;
use model::model::{Field, Model, Resource, Who};

use crate::command::{complain, count, place, read};
use crate::failure::{Failure, Outcome};

/// The cell of what is not allowed.
const NO: &str = "-";

/// The widest line, in characters.
const WIDTH_MAX: usize = 100;

/// Prints the matrix on standard output.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let declaration = read(&place(matches))?;
    let errors = complain(&declaration, &declaration.reading.complaints, Level::Error);
    let Some(model) = &declaration.reading.model else {
        let message = format!("{} in the declaration", count(errors.max(1), "error"));
        return Err(Failure::refused(message));
    };
    print!("{}", matrix(model));
    Ok(())
}

/// A kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind<'a> {
    Anyone,
    SignedIn,
    Owner,
    Role(&'a str),
    Admin,
}

impl<'a> Kind<'a> {
    /// Every kind that a declaration knows, from those who may least on.
    fn all(model: &'a Model) -> Vec<Self> {
        let mut kinds = vec![Self::Anyone, Self::SignedIn];
        if model.users().is_some() {
            kinds.push(Self::Owner);
        }
        let roles = model.roles.iter().filter(|role| *role != ADMIN);
        kinds.extend(roles.map(|role| Self::Role(role)));
        kinds.push(Self::Admin);
        kinds
    }

    fn name(self) -> &'a str {
        match self {
            Self::Anyone => "anyone",
            Self::SignedIn => "signed-in",
            Self::Owner => "owner",
            Self::Role(name) => name,
            Self::Admin => ADMIN,
        }
    }

    /// What a circle allows to it.
    fn cell(self, who: Option<&Who>, rules: &mut Vec<String>) -> String {
        if self == Self::Admin {
            return "yes".to_owned();
        }
        let Some(who) = who else { return NO.to_owned() };
        let has = |name: &str| who.names.iter().any(|other| other == name);
        let is_signed_in = self != Self::Anyone && has("signed-in");
        let is_role = matches!(self, Self::Role(name) if has(name));
        let is_owner = self == Self::Owner && has("owner");
        let word = match (has("anyone") || is_signed_in || is_role, is_owner) {
            (true, _) => "yes",
            (false, true) => "own",
            (false, false) => return NO.to_owned(),
        };
        match &who.when {
            Some(rule) => format!("{word} {}", number(rule.to_string(), rules)),
            None => word.to_owned(),
        }
    }
}

/// The number of a rule in the list below, in brackets.
fn number(rule: String, rules: &mut Vec<String>) -> String {
    let at = rules.iter().position(|other| *other == rule).unwrap_or_else(|| {
        rules.push(rule);
        rules.len() - 1
    });
    format!("[{}]", at + 1)
}

/// All of it, resource by resource, and the rules below.
fn matrix(model: &Model) -> String {
    let kinds = Kind::all(model);
    let mut rules = Vec::new();
    let mut notes = Vec::new();
    let mut out = String::new();
    for resource in &model.resources {
        let mut rows = vec![Row::head(&resource.name, &kinds)];
        let said = operations(resource, &kinds, &mut rules);
        rows.extend(possible(resource, &kinds, said, &mut notes));
        for field in &resource.fields {
            rows.extend(fields(field, &kinds, &mut rules));
        }
        out.push_str(&columns(&rows));
        out.push('\n');
    }
    for note in notes {
        let _ = writeln!(out, "{note}");
    }
    for (at, rule) in rules.iter().enumerate() {
        // Writing into memory does not fail.
        let _ = writeln!(out, "[{}]  {rule}", at + 1);
    }
    if !rules.is_empty() {
        out.push('\n');
    }
    out.push_str(
        "yes: in every record; own: in those of the caller; [n]: where rule n holds too.\n",
    );
    if let Some(users) = model.users() {
        let (prefix, users) = (&model.prefix, &model.resources[users].name);
        let _ = writeln!(
            out,
            "A password of {users} is set when its record is created, and written after that by \
             its user\nwith a POST to {prefix}/me/password, or by an admin."
        );
    }
    out
}

/// The operations without what is granted and cannot be done, of which notes tell.
fn possible(
    resource: &Resource,
    kinds: &[Kind<'_>],
    mut said: Vec<Row>,
    notes: &mut Vec<String>,
) -> Vec<Row> {
    let name = &resource.name;
    for (at, kind) in kinds.iter().enumerate() {
        let read = said[0].cells[at].clone();
        for row in &mut said[2..] {
            let cell = &mut row.cells[at];
            if read == NO && cell != NO {
                *cell = NO.to_owned();
                let (kind, operation) = (kind.name(), row.name.trim());
                notes.push(format!(
                    "{name}: {operation} is granted to {kind}, who cannot read the record: 404."
                ));
            } else if read.starts_with("own") && cell.starts_with("yes") {
                cell.replace_range(.."yes".len(), "own");
            }
        }
        let needed = resource.fields.iter().find(|field| is_kept_from(field, *kind));
        let create = &mut said[1].cells[at];
        if let Some(field) = needed.filter(|_| create != NO) {
            *create = NO.to_owned();
            notes.push(format!(
                "{name}: create is granted to {}, who may not write `{}`, which each record needs.",
                kind.name(),
                field.name
            ));
        }
    }
    said
}

/// True of a field that a new record needs and that this kind of caller may not write. Whoever
/// creates a record can be its owner.
fn is_kept_from(field: &Field, kind: Kind<'_>) -> bool {
    let is_needed = !(field.optional || field.read_only || field.owner) && field.default.is_none();
    let write = field.write.as_ref();
    let is_owned = write.is_some_and(|who| who.names.iter().any(|name| name == "owner"));
    let is_refused = || kind.cell(write, &mut Vec::new()) == NO;
    is_needed && write.is_some() && !(is_owned && kind != Kind::Anyone) && is_refused()
}

/// A line: what is done, and a cell for each kind of caller.
struct Row {
    name: String,
    cells: Vec<String>,
}

impl Row {
    fn head(resource: &str, kinds: &[Kind<'_>]) -> Self {
        let cells = kinds.iter().map(|kind| kind.name().to_owned()).collect();
        Self { name: resource.to_owned(), cells }
    }

    fn of(name: String, who: Option<&Who>, kinds: &[Kind<'_>], rules: &mut Vec<String>) -> Self {
        Self { name, cells: kinds.iter().map(|kind| kind.cell(who, rules)).collect() }
    }
}

fn operations(resource: &Resource, kinds: &[Kind<'_>], rules: &mut Vec<String>) -> Vec<Row> {
    let access = resource.access.as_ref();
    [
        ("read", access.and_then(|access| access.read.as_ref())),
        ("create", access.and_then(|access| access.create.as_ref())),
        ("update", access.and_then(|access| access.update.as_ref())),
        ("delete", access.and_then(|access| access.delete.as_ref())),
    ]
    .into_iter()
    .map(|(name, who)| Row::of(format!("  {name}"), who, kinds, rules))
    .collect()
}

/// The lines of a field that says something of its own.
fn fields(field: &Field, kinds: &[Kind<'_>], rules: &mut Vec<String>) -> Vec<Row> {
    if field.password {
        // Whoever may create a record sets it; from then on it is its user's.
        let who = Who { names: vec!["owner".to_owned()], when: None };
        return vec![Row::of(format!("  write {}", field.name), Some(&who), kinds, rules)];
    }
    // A user makes itself the owner, and nobody else.
    let own = Who { names: vec!["owner".to_owned()], when: None };
    let write = field.write.as_ref().or(field.owner.then_some(&own));
    let rows = [("read", field.read.as_ref()), ("write", write)];
    let said = rows.into_iter().filter(|(_, who)| who.is_some());
    let row = |(name, who)| Row::of(format!("  {name} {}", field.name), who, kinds, rules);
    said.map(row).collect()
}

/// Rows as columns; what is too wide for a line goes on below.
fn columns(rows: &[Row]) -> String {
    let wide = |texts: &mut dyn Iterator<Item = &String>| {
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let first = wide(&mut rows.iter().map(|row| &row.name));
    let number = rows.first().map_or(0, |row| row.cells.len());
    let widths: Vec<usize> =
        (0..number).map(|at| wide(&mut rows.iter().map(|row| &row.cells[at]))).collect();
    let mut out = String::new();
    let mut from = 0;
    while from < number {
        let mut to = from;
        let mut width = first;
        while to < number && (to == from || width + 2 + widths[to] <= WIDTH_MAX) {
            width += 2 + widths[to];
            to += 1;
        }
        for row in rows {
            let mut line = format!("{:first$}", row.name);
            for (cell, width) in row.cells[from..to].iter().zip(&widths[from..to]) {
                let _ = write!(line, "  {cell:width$}");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        from = to;
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{WIDTH_MAX, matrix};

    const TEXT: &str = r#"
roles = ["robot"]
[resources.users]
login = ["name"]
access = { read = "signed-in", create = "anyone", update = ["owner", "admin"] }
fields.name = { type = "string", unique = true }
fields.password = { type = "string", format = "password" }
fields.role = { enum = ["editor", "admin"], type = "string", optional = true, write = "admin" }
[resources.notes]
access.read = { who = "anyone", when = "record.done" }
access.write = { who = ["owner", "editor"], when = "!record.done  &&\n caller.id != null" }
fields.by = { references = "users", owner = true }
fields.done = { type = "boolean", default = false, read = "robot" }
[resources.logs]
fields.text = { type = "string" }
"#;

    fn of(text: &str) -> String {
        matrix(&model::declaration::read(text).model.unwrap())
    }

    #[test]
    fn each_resource_says_who_may_do_what() {
        let expected = "\
users             anyone  signed-in  owner  editor  robot  admin
  read            -       yes        yes    yes     yes    yes
  create          yes     yes        yes    yes     yes    yes
  update          -       -          own    -       -      yes
  delete          -       -          -      -       -      yes
  write password  -       -          own    -       -      yes
  write role      -       -          -      -       -      yes

notes        anyone   signed-in  owner    editor   robot    admin
  read       yes [1]  yes [1]    yes [1]  yes [1]  yes [1]  yes
  create     -        -          own [2]  yes [2]  -        yes
  update     -        -          own [2]  yes [2]  -        yes
  delete     -        -          own [2]  yes [2]  -        yes
  write by   -        -          own      -        -        yes
  read done  -        -          -        -        yes      yes

logs      anyone  signed-in  owner  editor  robot  admin
  read    -       -          -      -       -      yes
  create  -       -          -      -       -      yes
  update  -       -          -      -       -      yes
  delete  -       -          -      -       -      yes

[1]  record.done
[2]  !record.done && caller.id != null

yes: in every record; own: in those of the caller; [n]: where rule n holds too.
A password of users is set when its record is created, and written after that by its user
with a POST to /api/me/password, or by an admin.
";
        assert_eq!(of(TEXT), expected);
    }

    #[test]
    fn what_is_granted_and_cannot_be_done_is_told() {
        let shown = of(r#"
roles = ["robot", "clerk"]
[resources.users]
login = ["name"]
fields.name = { type = "string", unique = true }
fields.password = { type = "string", format = "password" }
[resources.notes]
access = { read = "owner", create = ["robot", "clerk"], update = ["signed-in"], delete = "robot" }
fields.by = { references = "users", owner = true }
fields.mark = { type = "string", write = "clerk" }
"#);
        for expected in [
            "  create      -       -          -      -      yes    yes",
            "  update      -       -          own    -      -      yes",
            "  delete      -       -          -      -      -      yes",
            "notes: update is granted to signed-in, who cannot read the record: 404.",
            "notes: delete is granted to robot, who cannot read the record: 404.",
            "notes: create is granted to robot, who may not write `mark`, which each record needs.",
        ] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
    }

    #[test]
    fn nobody_owns_where_nobody_signs_in_and_many_roles_go_on_below() {
        let roles: Vec<String> = (0..20).map(|at| format!("\"role-{at:02}\"")).collect();
        let text = format!(
            "roles = [{}]\n[resources.logs]\naccess.read = \"role-19\"\n\
             fields.text = {{ type = \"string\" }}\n",
            roles.join(", ")
        );
        let shown = of(&text);
        assert!(!shown.contains("owner "), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH_MAX), "{shown}");
        assert_eq!(shown.lines().filter(|line| line.starts_with("logs")).count(), 3, "{shown}");
        assert_eq!(shown.matches("yes").count(), 6, "{shown}");
    }
}
