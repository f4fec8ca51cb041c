//! What a backup says of itself before its content.

use serde_json::{Value, json};

use super::error::CareError;

/// The format that this program writes, and the newest that it reads.
pub const FORMAT: u64 = 1;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of the program that made it.
    pub program: String,
    /// The version of SQLite that made it.
    pub sqlite: String,
    /// The layout of our own tables.
    pub layout: i64,
    /// When it was begun: everything acknowledged before is in it. RFC 3339, UTC.
    pub made: String,
    /// The digest of the declaration that the tables are for.
    pub declaration: String,
    /// Bytes of the database, uncompressed.
    pub bytes: u64,
    /// Name and number of records of every resource.
    pub resources: Vec<(String, u64)>,
}

impl Header {
    /// As one line of JSON.
    pub(crate) fn text(&self) -> String {
        let resources: serde_json::Map<String, Value> =
            self.resources.iter().map(|(name, rows)| (name.clone(), json!(rows))).collect();
        json!({
            "format": FORMAT,
            "methodical": self.program,
            "sqlite": self.sqlite,
            "layout": self.layout,
            "made": self.made,
            "declaration": self.declaration,
            "bytes": self.bytes,
            "resources": resources,
        })
        .to_string()
    }

    /// Reads that line.
    pub(crate) fn read(text: &str) -> Result<Self, CareError> {
        let wrong = |what: &str| CareError::BackupDamaged(format!("its header has no {what}"));
        let all: Value = serde_json::from_str(text).map_err(|_| wrong("JSON"))?;
        let number = |name: &str| all[name].as_u64().ok_or_else(|| wrong(name));
        let format = number("format")?;
        if format > FORMAT {
            return Err(CareError::NewerFormat(format));
        }
        let word = |name: &str| all[name].as_str().map(str::to_owned).ok_or_else(|| wrong(name));
        let resources = all["resources"].as_object().ok_or_else(|| wrong("resources"))?;
        Ok(Self {
            program: word("methodical")?,
            sqlite: word("sqlite")?,
            layout: all["layout"].as_i64().ok_or_else(|| wrong("layout"))?,
            made: word("made")?,
            declaration: word("declaration")?,
            bytes: number("bytes")?,
            resources: resources
                .iter()
                .map(|(name, rows)| (name.clone(), rows.as_u64().unwrap_or(0)))
                .collect(),
        })
    }

    /// Records of all resources.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.resources.iter().map(|(_, rows)| rows).sum()
    }
}
