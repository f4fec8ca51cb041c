//! 200 pairs of declarations, drawn at random, with data: there and back where nothing is lost,
//! and then everything is as it was; otherwise nothing happens before somebody agrees.

use std::fmt::Write;

use super::*;

/// Numbers that look random and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % most
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }
}

const KINDS: &[&str] = &["string", "integer", "number", "boolean", "any"];

#[derive(Clone, Debug)]
struct Field {
    name: String,
    was: Option<String>,
    kind: &'static str,
    /// `required`, `optional`, `nullable` or `default`.
    presence: &'static str,
    unique: bool,
    index: bool,
    ignore_case: bool,
    /// A `minimum` or a `minLength`.
    least: Option<i64>,
    references: Option<usize>,
}

#[derive(Clone, Debug)]
struct Resource {
    name: String,
    was: Option<String>,
    id: &'static str,
    fields: Vec<Field>,
    search: bool,
    pair: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Declaration {
    resources: Vec<Resource>,
    names: usize,
}

impl Declaration {
    fn draw(chance: &mut Chance) -> Self {
        let mut declaration = Self { resources: Vec::new(), names: 0 };
        for at in 0..1 + chance.below(3) {
            let name = declaration.name("t");
            let id = chance.pick(&["integer", "integer", "text"]);
            let fields = Vec::new();
            let search = chance.one_in(3);
            let pair = chance.pick(&[None, Some("unique"), Some("index")]);
            declaration.resources.push(Resource { name, was: None, id, fields, search, pair });
            for _ in 0..2 + chance.below(3) {
                let field = declaration.field(chance, at);
                declaration.resources[at].fields.push(field);
            }
        }
        declaration
    }

    fn name(&mut self, letter: &str) -> String {
        self.names += 1;
        format!("{letter}{}", self.names)
    }

    fn field(&mut self, chance: &mut Chance, at: usize) -> Field {
        let references = chance.one_in(6).then(|| chance.below(at + 1));
        let kind = chance.pick(KINDS);
        let presence = match references {
            // A row may be the first one.
            Some(_) => "optional",
            None => chance.pick(&["required", "optional", "nullable", "default"]),
        };
        let mut field = Field {
            name: self.name("f"),
            was: None,
            kind,
            presence,
            unique: chance.one_in(5),
            index: chance.one_in(4),
            ignore_case: chance.one_in(3),
            least: None,
            references,
        };
        field.settle();
        field
    }

    /// Another declaration, by a few changes that people make.
    fn changed(&self, chance: &mut Chance) -> Self {
        let mut next = self.clone();
        for _ in 0..1 + chance.below(3) {
            let at = chance.below(next.resources.len());
            match chance.below(12) {
                0 => {
                    let field = next.field(chance, at);
                    let place = chance.below(next.resources[at].fields.len() + 1);
                    next.resources[at].fields.insert(place, field);
                }
                1 if next.resources[at].fields.len() > 1 && chance.one_in(2) => {
                    let gone = chance.below(next.resources[at].fields.len());
                    next.resources[at].fields.remove(gone);
                }
                2 => {
                    let name = next.name("t");
                    let resource = &mut next.resources[at];
                    let old = std::mem::replace(&mut resource.name, name);
                    resource.was.get_or_insert(old);
                }
                3 => {
                    let name = next.name("t");
                    let (id, pair) = ("integer", None);
                    let resource =
                        Resource { name, was: None, id, fields: vec![], search: false, pair };
                    next.resources.push(resource);
                    let field = next.field(chance, next.resources.len() - 1);
                    next.resources.last_mut().unwrap().fields.push(field);
                }
                4 => next.resources[at].search ^= true,
                5 => next.resources[at].pair = chance.pick(&[None, Some("unique"), Some("index")]),
                6 if next.resources[at].id == "integer" => next.resources[at].id = "text",
                _ => {
                    let name = next.name("f");
                    let field = chance.below(next.resources[at].fields.len());
                    next.resources[at].fields[field].change(chance, name);
                }
            }
        }
        next
    }

    /// The first declaration again, said of the second one's names.
    fn back_from(&self, next: &Self) -> Self {
        let mut back = self.clone();
        for resource in &mut back.resources {
            let is = |it: &&Resource| it.was.as_deref().unwrap_or(&it.name) == resource.name;
            let Some(now) = next.resources.iter().find(is) else { continue };
            resource.was = (now.name != resource.name).then(|| now.name.clone());
            for field in &mut resource.fields {
                let is = |it: &&Field| it.was.as_deref().unwrap_or(&it.name) == field.name;
                let Some(now) = now.fields.iter().find(is) else { continue };
                field.was = (now.name != field.name).then(|| now.name.clone());
            }
        }
        back
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for resource in &self.resources {
            let _ = writeln!(out, "[resources.{}]\nid = \"{}\"", resource.name, resource.id);
            if let Some(was) = &resource.was {
                let _ = writeln!(out, "was = \"{was}\"");
            }
            let texts = resource.fields.iter().filter(|it| it.kind == "string");
            let names: Vec<String> = texts
                .filter(|it| it.references.is_none())
                .map(|it| format!("\"{}\"", it.name))
                .collect();
            if resource.search && !names.is_empty() {
                let _ = writeln!(out, "search = [{}]", names.join(", "));
            }
            let mut plain = resource.fields.iter().filter(|it| it.kind != "any");
            if let (Some(key), Some(a), Some(b)) = (resource.pair, plain.next(), plain.next()) {
                let _ = writeln!(out, "{key} = [[\"{}\", \"{}\"]]", a.name, b.name);
            }
            for field in &resource.fields {
                let _ = writeln!(out, "{}", field.text(self));
            }
        }
        out
    }

    /// Statements that fill it.
    fn rows(&self, chance: &mut Chance) -> String {
        let mut out = String::new();
        for (at, resource) in self.resources.iter().enumerate() {
            for row in 1..=chance.below(7) {
                let mut names = vec!["id".to_owned()];
                let mut values = vec![id(resource.id, row)];
                for field in &resource.fields {
                    let value = field.value(chance, row, &self.resources, at);
                    names.extend(value.is_some().then(|| field.name.clone()));
                    values.extend(value);
                }
                let (names, values) = (names.join(", "), values.join(", "));
                // Of rows that are not unique the first one counts.
                let _ = writeln!(
                    out,
                    "INSERT OR IGNORE INTO {} ({names}) VALUES ({values});",
                    resource.name
                );
            }
        }
        out
    }

    /// All that is kept, under the names of this declaration.
    fn dump(&self, ground: &Ground) -> String {
        let mut out = String::new();
        for resource in &self.resources {
            let model = reading(&self.text());
            let (_, made) = model
                .resources
                .iter()
                .enumerate()
                .find(|(_, it)| it.name == resource.name)
                .unwrap();
            let columns: Vec<String> =
                ddl::columns(&model, made).iter().map(|it| format!("\"{}\"", it.name)).collect();
            let query = format!("SELECT {} FROM {} ORDER BY id", columns.join(", "), resource.name);
            let _ = writeln!(out, "{}\n{}", resource.name, ground.ask(&query));
            let query = format!(
                "SELECT resource, total FROM _methodical_resource WHERE name = '{}'",
                resource.name
            );
            let _ = writeln!(out, "{}", ground.ask(&query));
        }
        out
    }
}

fn id(kind: &str, row: usize) -> String {
    if kind == "integer" { row.to_string() } else { format!("'{row}'") }
}

impl Field {
    /// Takes away what cannot stand together.
    fn settle(&mut self) {
        if self.references.is_some() {
            self.presence = "optional";
            self.least = None;
        }
        if self.kind == "any" && self.references.is_none() {
            (self.unique, self.index, self.least) = (false, false, None);
            if self.presence == "nullable" {
                self.presence = "required";
            }
        }
        if self.kind != "string" || self.references.is_some() {
            self.ignore_case = false;
        }
        if self.kind == "boolean" {
            self.least = None;
        }
        self.index &= !self.unique;
    }

    fn change(&mut self, chance: &mut Chance, name: String) {
        match chance.below(7) {
            0 => {
                let old = std::mem::replace(&mut self.name, name);
                self.was.get_or_insert(old);
            }
            1 | 2 if self.references.is_none() => self.kind = chance.pick(KINDS),
            3 => self.presence = chance.pick(&["required", "optional", "nullable", "default"]),
            4 => self.unique ^= true,
            5 => self.ignore_case ^= true,
            6 => self.least = chance.pick(&[None, Some(0), Some(1), Some(2)]),
            _ => self.index ^= true,
        }
        self.settle();
    }

    fn text(&self, declaration: &Declaration) -> String {
        let mut keys = Vec::new();
        match (self.references, self.kind) {
            (Some(to), _) => {
                keys.push(format!("references = \"{}\"", declaration.resources[to].name));
            }
            (None, "any") => {}
            (None, kind) if self.presence == "nullable" => {
                keys.push(format!("type = [\"{kind}\", \"null\"]"));
            }
            (None, kind) => keys.push(format!("type = \"{kind}\"")),
        }
        match (self.presence, self.kind) {
            ("optional", _) => keys.push("optional = true".to_owned()),
            ("default", "string") => keys.push("default = \"it's\"".to_owned()),
            ("default", "boolean") => keys.push("default = true".to_owned()),
            ("default", "any") => keys.push("default = [1]".to_owned()),
            ("default", _) => keys.push("default = 5".to_owned()),
            _ => {}
        }
        for (key, set) in
            [("unique", self.unique), ("index", self.index), ("ignoreCase", self.ignore_case)]
        {
            if set {
                keys.push(format!("{key} = true"));
            }
        }
        match (self.least, self.kind) {
            (Some(least), "string") => keys.push(format!("minLength = {least}")),
            (Some(least), _) => keys.push(format!("minimum = {least}")),
            (None, _) => {}
        }
        keys.extend(self.was.as_ref().map(|was| format!("was = \"{was}\"")));
        format!("fields.{} = {{ {} }}", self.name, keys.join(", "))
    }

    /// A value as SQL writes it; None leaves the column out.
    fn value(
        &self,
        chance: &mut Chance,
        row: usize,
        all: &[Resource],
        own: usize,
    ) -> Option<String> {
        if let Some(to) = self.references {
            let first = format!("(SELECT min(id) FROM {})", all[to].name);
            return Some(if to == own { id(all[to].id, row) } else { first });
        }
        let may_be_empty = matches!(self.presence, "optional" | "nullable" | "default");
        if self.presence != "required" && self.kind != "any" && may_be_empty && chance.one_in(3) {
            return (self.presence == "nullable").then(|| "NULL".to_owned());
        }
        Some(match self.kind {
            "string" => {
                let words = ["'12'", "'007'", "'true'", "'Straße'", "'1.5'", "'word'", "'Word'"];
                match chance.one_in(2) {
                    true => format!("'{row}'"),
                    false => chance.pick(&words).to_owned(),
                }
            }
            "integer" => chance.pick(&["0", "1", "-3", "12", "9007199254740991"]).to_owned(),
            "number" => chance.pick(&["0.0", "1.0", "2.5", "-1e300", "0.1"]).to_owned(),
            "boolean" => chance.pick(&["0", "1"]).to_owned(),
            _ => chance.pick(&["'{\"a\":1}'", "'\"text\"'", "'3'", "'true'", "'[]'"]).to_owned(),
        })
    }
}

/// Fifty pairs. How many led there and back, and how many were refused.
fn fifty(seed: u64) -> (usize, usize) {
    let mut chance = Chance(seed);
    let (mut there_and_back, mut refused) = (0, 0);
    for number in 0..50 {
        let first = Declaration::draw(&mut chance);
        let rows = first.rows(&mut chance);
        let next = first.changed(&mut chance);
        let (before, after) = (first.text(), next.text());
        let told = format!("{seed:x} {number}:\n{before}\n{rows}\n{after}");
        let ground = Ground::new(&before, &rows);
        let was = first.dump(&ground);
        match ground.migrate(&after, DataLoss::Refused) {
            Applied::Nothing => assert_eq!(
                reading(&before).table_digest(),
                reading(&after).table_digest(),
                "{told}"
            ),
            Applied::Refused(plan) => {
                refused += 1;
                assert!(plan.loses() || !plan.obstacles.is_empty(), "{told}");
                assert_eq!(first.dump(&ground), was, "{told}");
                if plan.obstacles.is_empty() {
                    ground.migrated(&after, DataLoss::Allowed);
                }
            }
            Applied::Done(..) => {
                there_and_back += 1;
                ground.assert_as_made(&after);
                ground.migrated(&first.back_from(&next).text(), DataLoss::Allowed);
                assert_eq!(first.dump(&ground), was, "{told}");
            }
        }
    }
    (there_and_back, refused)
}

#[test]
fn there_and_back_is_where_it_began() {
    // Most of the time goes into waiting for the disk.
    let counts = std::thread::scope(|scope| {
        let seeds = [0x5EED_0030_u64, 0x1234_5678_9ABC, 0xFEED_BEEF, 0x30_0000_0031];
        let threads = seeds.map(|seed| scope.spawn(move || fifty(seed)));
        threads.map(|thread| thread.join().unwrap())
    });
    let there_and_back: usize = counts.iter().map(|(done, _)| done).sum();
    let refused: usize = counts.iter().map(|(_, refused)| refused).sum();
    // So that the test does not become empty by a change of what is drawn.
    assert!(there_and_back > 80 && refused > 20, "{there_and_back} there and back, {refused} not");
}
