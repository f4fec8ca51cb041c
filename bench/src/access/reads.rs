//! The reads that are measured: each asks for the same records as another request, which needs no
//! credentials or no rule.

use super::data::{self, OWN, SIGNERS};
use super::people::People;
use crate::data::mix;
use crate::requests;
use crate::work::Aim;

/// A signed-in read costs at most 15 % more than an open one.
const SIGNED_IN: f64 = 1.0 / 1.15;
/// A list with a rule costs at most 1.3 times one without.
const RULED: f64 = 1.0 / 1.3;
/// Requests that are drawn before a run; their answers together are more than the server keeps.
const DRAWN: u64 = 16_384;

/// Two requests that get the same.
pub(super) struct Twins {
    /// Without credentials, or without a rule.
    pub(super) plain: Vec<u8>,
    /// With them.
    pub(super) ours: Vec<u8>,
}

/// Whether something is changed meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// Nothing, and the same requests come again and again: the server may keep their answers.
    Kept,
    /// Nothing, and no request comes twice.
    Still,
    /// A record of the table that is read, all the time.
    Changing,
}

/// One line of this file.
pub(super) struct Read {
    /// What is wanted of it.
    pub(super) aim: Aim,
    /// What is compared with what.
    pub(super) remark: &'static str,
    /// The table that is read without a rule, and the one with it.
    pub(super) tables: [&'static str; 2],
    /// Whether they change.
    pub(super) data: Data,
    /// How many connections ask.
    pub(super) connections: usize,
    /// The requests of a draw. The last argument makes a query that no other draw has.
    pub(super) twins: fn(&People, u64, &str) -> Twins,
}

const fn aim(name: &'static str, least: f64) -> Aim {
    Aim { name, least, moonshot: f64::INFINITY, grows: None }
}

const ONE: Read = Read {
    aim: aim("", 0.0),
    remark: "baseline is the same without credentials",
    tables: ["notices", "letters"],
    data: Data::Still,
    connections: 64,
    twins: |people, draw, _| one(people, draw, ""),
};

const RULE: Read = Read { remark: "baseline asks by filter, with the same session", ..ONE };

/// A total that is counted to ten thousand takes long.
const COUNTED: Read = Read { tables: ["notices", "stories"], connections: 16, ..RULE };

/// Every line.
pub(super) const READS: &[Read] = &[
    Read {
        aim: aim("GET one, random, by a session", SIGNED_IN),
        twins: |people, draw, _| one(people, draw, pick(&people.sessions, draw)),
        ..ONE
    },
    Read {
        aim: aim("GET one, random, by an API key", SIGNED_IN),
        twins: |people, draw, _| one(people, draw, &people.key),
        ..ONE
    },
    Read {
        aim: aim("GET one, random, by a cookie", SIGNED_IN),
        twins: |people, draw, _| one(people, draw, pick(&people.cookies, draw)),
        ..ONE
    },
    Read {
        aim: aim("list of 10 with total, by a session", SIGNED_IN),
        twins: |people, draw, other| list(other, pick(&people.sessions, draw)),
        ..ONE
    },
    Read {
        aim: aim("list of 10 with total, by an API key", SIGNED_IN),
        twins: |people, _, other| list(other, &people.key),
        ..ONE
    },
    Read {
        aim: aim("list of 10 with total, by a cookie", SIGNED_IN),
        twins: |people, draw, other| list(other, pick(&people.cookies, draw)),
        ..ONE
    },
    Read {
        aim: aim("list of 10 with total, by a session, kept", SIGNED_IN),
        data: Data::Kept,
        twins: |people, draw, other| list(other, pick(&people.sessions, draw)),
        ..ONE
    },
    Read {
        aim: aim("own records, 10 of 100 with total", RULED),
        tables: ["notices", "diaries"],
        twins: own,
        ..RULE
    },
    Read {
        aim: aim("own records, 10 of 100 with total, data changing", RULED),
        tables: ["notices", "diaries"],
        data: Data::Changing,
        twins: own,
        ..RULE
    },
    Read {
        aim: aim("own records, 10 of 100 with total, kept", RULED),
        tables: ["notices", "diaries"],
        data: Data::Kept,
        twins: own,
        ..RULE
    },
    Read {
        aim: aim("published or own, 8 by an indexed field", RULED),
        tables: ["notices", "stories"],
        twins: topic,
        ..RULE
    },
    Read {
        aim: aim("published or own, 8 by an indexed field, data changing", RULED),
        tables: ["notices", "stories"],
        data: Data::Changing,
        twins: topic,
        ..RULE
    },
    Read { aim: aim("published or own, 10 with total", RULED), twins: published, ..COUNTED },
    Read {
        aim: aim("published or own, 10 with total, data changing", RULED),
        data: Data::Changing,
        twins: published,
        ..COUNTED
    },
    Read {
        aim: aim("published or own, 10 with total, kept", RULED),
        data: Data::Kept,
        twins: published,
        ..COUNTED
    },
];

impl Read {
    /// The requests of a run.
    pub(super) fn requests(&self, people: &People, series: u64) -> Vec<Twins> {
        let is_kept = self.data == Data::Kept;
        let draws = if is_kept { SIGNERS } else { DRAWN };
        let twins = |draw: u64| {
            // A parameter that is passed over, and makes a query of its own.
            let other = if is_kept { String::new() } else { format!("&_={series}.{draw}") };
            (self.twins)(people, draw, &other)
        };
        (0..draws).map(twins).collect()
    }

    /// Changes of records of a table, drawn at random.
    pub(super) fn changes(people: &People, table: &str) -> Vec<Vec<u8>> {
        let change = |draw: u64| {
            let start = format!("PATCH /api/{table}/{}", 1 + mix(draw) % people.size);
            let content = format!("{{\"note\":\"changed {draw}\"}}");
            requests::send(&start, "application/merge-patch+json", &people.admin, &content)
        };
        (0..4096).map(change).collect()
    }
}

fn pick(circle: &[String], draw: u64) -> &str {
    let at = usize::try_from(draw).unwrap_or(0) % circle.len().max(1);
    circle.get(at).map_or("", String::as_str)
}

fn one(people: &People, draw: u64, credentials: &str) -> Twins {
    let id = 1 + mix(draw) % people.size;
    Twins {
        plain: requests::get(&format!("/api/notices/{id}"), ""),
        ours: requests::get(&format!("/api/letters/{id}"), credentials),
    }
}

fn list(other: &str, credentials: &str) -> Twins {
    Twins {
        plain: requests::get(&format!("/api/notices?limit=10{other}"), ""),
        ours: requests::get(&format!("/api/letters?limit=10{other}"), credentials),
    }
}

fn own(people: &People, draw: u64, other: &str) -> Twins {
    let (session, user) = (pick(&people.sessions, draw), 1 + draw % SIGNERS);
    Twins {
        plain: requests::get(&format!("/api/notices?limit=10&author={user}{other}"), session),
        ours: requests::get(&format!("/api/diaries?limit=10{other}"), session),
    }
}

fn topic(people: &People, draw: u64, other: &str) -> Twins {
    let topic = data::topic(1 + mix(draw) % people.size, people.size);
    let session = pick(&people.sessions, draw);
    let plain = format!("/api/notices?topic={topic}&status=published{other}");
    Twins {
        plain: requests::get(&plain, session),
        ours: requests::get(&format!("/api/stories?topic={topic}{other}"), session),
    }
}

fn published(people: &People, draw: u64, other: &str) -> Twins {
    let session = pick(&people.sessions, draw);
    let plain = format!("/api/notices?limit=10&status=published{other}");
    Twins {
        plain: requests::get(&plain, session),
        ours: requests::get(&format!("/api/stories?limit=10{other}"), session),
    }
}

const _: () = assert!(OWN == 100, "names of lines say so");
