//! How far an import is, as it is remembered with its rows.

use serde_json::{Value as Json, json};

/// How far an import is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Rows that have been looked at.
    pub(crate) rows: u64,
    /// Bytes of the content up to the end of the last of them.
    pub(crate) bytes: u64,
    /// The digest of these bytes.
    pub(crate) digest: String,
    /// Records that were created.
    pub(crate) created: u64,
    /// Rows that were not taken.
    pub(crate) faulty: u64,
    /// Bytes of the file of faulty rows that count.
    pub(crate) faults_bytes: u64,
    /// True once everything was looked at.
    pub(crate) is_finished: bool,
}

impl State {
    /// As it is remembered.
    pub(crate) fn text(&self) -> String {
        json!({
            "rows": self.rows,
            "bytes": self.bytes,
            "digest": self.digest,
            "created": self.created,
            "faulty": self.faulty,
            "faultsBytes": self.faults_bytes,
            "finished": self.is_finished,
        })
        .to_string()
    }

    /// Reads what was remembered.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let state: Json = serde_json::from_str(text).ok()?;
        let number = |name: &str| state[name].as_u64();
        Some(Self {
            rows: number("rows")?,
            bytes: number("bytes")?,
            digest: state["digest"].as_str()?.to_owned(),
            created: number("created")?,
            faulty: number("faulty")?,
            faults_bytes: number("faultsBytes")?,
            is_finished: state["finished"].as_bool()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn what_is_remembered_is_read_again() {
        let digest = "ab".to_owned();
        let state = State { rows: 7, bytes: 99, digest, faulty: 1, ..State::default() };
        assert_eq!(State::parse(&state.text()), Some(state));
        assert_eq!(State::parse("{}"), None);
    }
}
