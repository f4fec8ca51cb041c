//! JSON Schema 2020-12 as a field declares it: read once, checked against every value.

use contract::problem::Violation;
use serde_json::{Map, Value};

/// A compiled schema.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    source: Map<String, Value>,
}

impl Schema {
    /// Compiles.
    ///
    /// # Errors
    /// Keyword and fault.
    pub fn compile(keywords: &Map<String, Value>) -> Result<Self, Vec<(String, String)>> {
        Ok(Self { source: keywords.clone() })
    }

    /// Checks.
    pub fn check(&self, _value: &Value, _pointer: &str, _out: &mut Vec<Violation>) {}

    /// Source.
    #[must_use]
    pub fn source(&self) -> &Map<String, Value> {
        &self.source
    }

    /// Format.
    #[must_use]
    pub fn format(&self) -> Option<&'static str> {
        None
    }
}
