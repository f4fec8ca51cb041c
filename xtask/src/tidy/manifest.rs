//! Rules over the manifests: who may depend on whom, which lints hold, what no release contains.

use super::{Fault, House};

/// Every rule over manifests.
pub(crate) const RULES: &[fn(&House) -> Vec<Fault>] = &[
    edges_go_one_way,
    crates_do_without,
    lints_are_inherited,
    unsafe_is_forbidden,
    faults_are_off,
];

/// The crates of the house and the ones each may name. One line, no way back.
const EDGES: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("model", &["contract"]),
    ("store", &["model"]),
    ("engine", &["contract", "model", "store"]),
    ("outbound", &["model"]),
    ("methodical", &["contract", "model", "store", "engine", "outbound"]),
    ("properties", &["contract", "model", "store", "engine"]),
    ("xtask", &["contract", "model"]),
];

/// What a crate does without, in tests too, and why.
const WITHOUT: &[(&str, &[&str], &str)] = &[
    ("contract", RUNTIMES, "the contract is pure: no runtime"),
    ("contract", DATABASES, "the contract is pure: no database"),
    ("model", RUNTIMES, "the model is pure: no runtime"),
    ("model", DATABASES, "the model is pure: no database"),
    ("store", &["contract", "http", "http-body", "httparse"], "the store cannot name a status"),
    ("store", SERVERS, "only methodical names servers and TLS"),
    ("engine", DATABASES, "the engine cannot open a connection"),
    ("engine", SERVERS, "only methodical names servers and TLS"),
    ("outbound", DATABASES, "only the store spells SQL"),
    ("methodical", DATABASES, "only the store spells SQL"),
    ("xtask", DATABASES, "only the store spells SQL"),
];

const RUNTIMES: &[&str] = &["tokio", "async-std", "smol", "futures", "hyper", "axum", "tower"];
const DATABASES: &[&str] = &["rusqlite", "libsqlite3-sys", "sea-query", "sqlx", "tokio-postgres"];
const SERVERS: &[&str] = &["hyper", "hyper-util", "axum", "tower", "tower-http", "rustls"];

/// One dependency of a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The name it is listed under.
    pub(crate) name: String,
    /// Its line, from 1.
    pub(crate) line: usize,
    /// True under `[dev-dependencies]`.
    pub(crate) dev: bool,
}

/// The dependencies that a manifest lists, whatever their table.
pub(crate) fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut section: Option<bool> = None;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = dependency_table(header);
            if let Some((table, name)) = header.rsplit_once('.')
                && let Some(dev) = dependency_table(table)
            {
                found.push(Dependency { name: bare(name), line: index + 1, dev });
                section = None;
            }
        } else if let Some(dev) = section
            && let Some((key, _)) = line.split_once('=').filter(|_| !line.starts_with('#'))
        {
            let name = key.split('.').next().unwrap_or(key);
            found.push(Dependency { name: bare(name), line: index + 1, dev });
        }
    }
    found
}

fn bare(name: &str) -> String {
    name.trim().trim_matches('"').to_owned()
}

/// Whether a table lists dependencies, and whether they are for tests.
fn dependency_table(header: &str) -> Option<bool> {
    if header.starts_with("workspace.") {
        return None;
    }
    match header.rsplit('.').next().unwrap_or(header) {
        "dependencies" | "build-dependencies" => Some(false),
        "dev-dependencies" => Some(true),
        _ => None,
    }
}

/// The manifests of the workspace's members: path, crate's name, text. A manifest with a
/// workspace of its own (fuzz targets) is a world of its own.
fn members(house: &House) -> impl Iterator<Item = (&str, &str, &str)> {
    house.texts.iter().filter_map(|(path, text)| {
        let folder = path.strip_suffix("/Cargo.toml")?;
        let own_world = text.lines().any(|line| line.trim() == "[workspace]");
        let name = folder.rsplit('/').next().unwrap_or(folder);
        (!own_world).then_some((path.as_str(), name, text.as_str()))
    })
}

fn edges_go_one_way(house: &House) -> Vec<Fault> {
    let ours: Vec<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    let mut faults = Vec::new();
    for (path, name, text) in members(house) {
        let Some((_, allowed)) = EDGES.iter().find(|(owner, _)| *owner == name) else { continue };
        for dependency in dependencies(text).into_iter().filter(|dependency| !dependency.dev) {
            let wanted = dependency.name.as_str();
            if ours.contains(&wanted) && !allowed.contains(&wanted) {
                let text = format!("{name} must not name {wanted}: dependencies go one way");
                faults.push(Fault::at(path, dependency.line, text));
            }
        }
    }
    faults
}

fn crates_do_without(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, name, text) in members(house) {
        for dependency in dependencies(text) {
            let ban = WITHOUT.iter().find(|(owner, names, _)| {
                // Tests of the binary look into the database from outside.
                let looks_in = *owner == "methodical" && dependency.dev;
                *owner == name && names.contains(&dependency.name.as_str()) && !looks_in
            });
            if let Some((_, _, why)) = ban {
                let text = format!("{name} must not name {}: {why}", dependency.name);
                faults.push(Fault::at(path, dependency.line, text));
            }
        }
    }
    faults
}

fn lints_are_inherited(house: &House) -> Vec<Fault> {
    let loose = members(house).filter(|(_, _, text)| {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        !(lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true"))
    });
    let faults = loose.map(|(path, _, _)| Fault {
        path: path.to_owned(),
        line: 1,
        text: "does not inherit the workspace's lints: `[lints]`, `workspace = true`".to_owned(),
    });
    faults.collect()
}

fn unsafe_is_forbidden(house: &House) -> Vec<Fault> {
    let root = house.texts.iter().find(|(path, _)| path == "Cargo.toml");
    let forbidden = root.is_some_and(|(_, text)| {
        let mut lines = text.lines().map(str::trim).skip_while(|l| *l != "[workspace.lints.rust]");
        lines.next();
        lines
            .take_while(|line| !line.starts_with('['))
            .any(|line| line == "unsafe_code = \"forbid\"")
    });
    if forbidden {
        return Vec::new();
    }
    let text = "`[workspace.lints.rust]` has to say `unsafe_code = \"forbid\"`".to_owned();
    vec![Fault::at("Cargo.toml", 1, text)]
}

fn faults_are_off(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, _, text) in members(house) {
        for (index, line) in text.lines().enumerate() {
            let defaults = line.split_once('=').is_some_and(|(key, _)| key.trim() == "default");
            if defaults && line.contains("faults") {
                let text =
                    "seeded faults are on by default: no release may contain them".to_owned();
                faults.push(Fault::at(path, index + 1, text));
            }
        }
    }
    faults
}
