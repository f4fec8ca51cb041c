//! The table of what is measured: each piece of work, its baseline, and what must be reached.

use std::net::SocketAddr;

use crate::load::{self, Whole};
use crate::requests::{self, Keyed, Pool, Source};

/// What a figure is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Baseline {
    /// A bare hyper server that sends answers of the same size.
    Hyper,
    /// Raw SQLite in groups of so many, on tables with the server's triggers and without them.
    Raw(u64),
    /// Another piece of work of ours.
    Ours(&'static str),
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is compared with.
    pub(crate) baseline: Baseline,
    /// The least ratio.
    pub(crate) least: f64,
    /// The ratio to dream of.
    pub(crate) moonshot: f64,
    /// How much longer an answer may take among the most records than among ten thousand.
    pub(crate) grows: Option<f64>,
    /// How many connections ask.
    pub(crate) connections: usize,
    /// True where one more connection changes a record all the time, and no answer is asked for
    /// twice.
    pub(crate) changing: bool,
    /// The status of every answer.
    pub(crate) status: u16,
    /// Its requests.
    pub(crate) requests: fn(&Ground) -> Result<Box<dyn Source>, String>,
}

/// What is wanted of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aim {
    /// Its name.
    pub(crate) name: &'static str,
    /// The least ratio; 0 where none is wanted.
    pub(crate) least: f64,
    /// The ratio to dream of.
    pub(crate) moonshot: f64,
    /// How much it may grow, if that is wanted of it.
    pub(crate) grows: Option<f64>,
}

impl Work {
    /// What is wanted of it.
    pub(crate) fn aim(&self) -> Aim {
        let Self { name, least, moonshot, grows, .. } = *self;
        Aim { name, least, moonshot, grows }
    }
}

/// What requests are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground {
    /// The server, for what has to be asked first.
    pub(crate) address: SocketAddr,
    /// Users in its database at the start.
    pub(crate) size: u64,
    /// Different in every run of a piece of work, so that no key is used twice.
    pub(crate) series: u64,
}

/// Requests that are drawn before a run; more than any cache of recent ones.
const DRAWN: u64 = 65_536;
const KEPT: u64 = 1024;

pub(crate) const GET_ONE: &str = "GET one, random";
pub(crate) const CREATE: &str = "POST, 64 connections";

const READ: Work = Work {
    name: "",
    baseline: Baseline::Hyper,
    least: 0.0,
    moonshot: 0.0,
    grows: None,
    connections: 64,
    changing: false,
    status: 200,
    requests: |ground| Ok(pool(requests::items(ground.size, DRAWN))),
};

const WRITE: Work =
    Work { status: 201, requests: |ground| Ok(pool(requests::creations(ground.size, ""))), ..READ };

/// Every line, reads before writes.
pub(crate) const WORKS: &[Work] = &[
    Work { name: GET_ONE, least: 0.55, moonshot: 0.75, ..READ },
    Work {
        name: "GET one, hot",
        least: 0.75,
        moonshot: 0.9,
        requests: |_| Ok(pool(vec![requests::get(&requests::item(7), "")])),
        ..READ
    },
    Work {
        name: "GET one, If-None-Match, 304",
        least: 0.75,
        moonshot: 0.9,
        status: 304,
        requests: |ground| conditional(ground, (1..=KEPT.min(ground.size)).map(requests::item)),
        ..READ
    },
    Work {
        name: "GET list, If-None-Match, 304",
        least: 0.75,
        moonshot: 0.9,
        status: 304,
        requests: |ground| conditional(ground, std::iter::once(requests::LIST.to_owned())),
        ..READ
    },
    Work {
        name: "GET list of 10 sorted, with total, data changing",
        least: 0.15,
        moonshot: 0.25,
        changing: true,
        requests: |_| Ok(pool(requests::spellings(DRAWN))),
        ..READ
    },
    Work {
        name: "GET list of 10 sorted, with total, unchanged",
        least: 0.6,
        moonshot: 0.85,
        requests: list,
        ..READ
    },
    Work {
        name: "GET filtered by an indexed field",
        least: 0.2,
        moonshot: 0.35,
        requests: |ground| Ok(pool(requests::filtered(ground.size, DRAWN))),
        ..READ
    },
    Work {
        name: "POST, 1 connection",
        baseline: Baseline::Raw(1),
        least: 0.6,
        moonshot: 0.85,
        connections: 1,
        ..WRITE
    },
    Work {
        name: "POST, 16 connections",
        baseline: Baseline::Raw(16),
        least: 0.65,
        moonshot: 0.85,
        connections: 16,
        ..WRITE
    },
    Work { name: CREATE, baseline: Baseline::Raw(64), least: 0.4, moonshot: 0.6, ..WRITE },
    Work {
        name: "POST with Idempotency-Key, 64 connections",
        baseline: Baseline::Ours(CREATE),
        least: 0.75,
        moonshot: 0.9,
        requests: |ground| Ok(Box::new(Keyed::new(ground.series, ground.size))),
        ..WRITE
    },
    Work {
        name: "replay of a stored answer",
        baseline: Baseline::Ours(GET_ONE),
        least: 0.6,
        moonshot: 0.9,
        requests: replays,
        ..WRITE
    },
];

fn pool(requests: Vec<Vec<u8>>) -> Box<dyn Source> {
    Box::new(Pool::new(requests))
}

// The signature is that of every line.
#[allow(clippy::unnecessary_wraps)]
fn list(_: &Ground) -> Result<Box<dyn Source>, String> {
    Ok(pool(vec![requests::get(requests::LIST, "")]))
}

/// Reads whose condition names what is there.
fn conditional(
    ground: &Ground,
    targets: impl Iterator<Item = String>,
) -> Result<Box<dyn Source>, String> {
    let request = |target: String| {
        let answer = load::once(ground.address, &requests::get(&target, ""))?;
        let tag = field(&answer, "etag").ok_or_else(|| format!("{target} has no ETag"))?;
        Ok(requests::get(&target, &format!("if-none-match: {tag}\r\n")))
    };
    targets.map(request).collect::<Result<Vec<_>, String>>().map(pool)
}

/// Creations whose keys have been used, for the same content.
fn replays(ground: &Ground) -> Result<Box<dyn Source>, String> {
    let mut source = Keyed::new(ground.series, ground.size);
    let mut kept = Vec::new();
    for _ in 0..KEPT {
        let request = source.next().to_vec();
        let first = load::once(ground.address, &request)?;
        if first.status != 201 {
            return Err(format!("a creation that is to be replayed is a {}", first.status));
        }
        kept.push(request);
    }
    let again = load::once(ground.address, &kept[0])?;
    if field(&again, "idempotent-replayed").is_none() {
        return Err("a second creation with the same key is no replay".to_owned());
    }
    Ok(pool(kept))
}

/// The value of a field of an answer.
pub(crate) fn field<'a>(answer: &'a Whole, name: &str) -> Option<&'a str> {
    answer.head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}
