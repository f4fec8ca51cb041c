//! JSON Schema 2020-12 as a field declares it: read once, checked against every value.

/// A compiled schema.
#[derive(Clone, Debug, Default)]
pub struct Schema {}
