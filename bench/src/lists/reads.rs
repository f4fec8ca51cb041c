//! The reads of lists that are measured: every request another one, so that no answer is one that
//! the server has kept.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use super::{data, words};
use crate::data::mix;
use crate::load;
use crate::requests::{self, Pool, Source};
use crate::work::{Baseline, Ground, Work};

/// What a line may grow by from ten thousand records to the most, where an index serves it.
const GROWS: f64 = 1.5;
/// Requests that are drawn before a run; their answers together are more than the server keeps.
const DRAWN: u64 = 16_384;
/// Records of a page while a place is walked to.
const STEP: u64 = 100;
/// Records before page 10,000.
const FAR: u64 = 100_000;
/// Places that are kept of a walk, the last of it.
const PLACES: usize = 256;
const BY_INDEX: &str = "/api/orders?sort=placed";

const READ: Work = Work {
    name: "",
    baseline: Baseline::Hyper,
    least: 0.0,
    moonshot: f64::INFINITY,
    grows: Some(GROWS),
    connections: 64,
    changing: false,
    status: 200,
    requests: |ground| drawn(ground, |id, _| requests::item(id)),
};

/// Searches take long, and wait for each other.
const SEARCH: Work = Work { connections: 4, ..READ };

/// Every line.
pub(super) const READS: &[Work] = &[
    Work {
        name: "filter by an indexed field, 8 records",
        requests: |ground| {
            drawn(ground, |id, size| format!("/api/orders?product={}", product(id, size)))
        },
        ..READ
    },
    Work {
        name: "filter by an indexed field of a reference, 8 records",
        requests: |ground| {
            drawn(ground, |id, size| format!("/api/orders?customer.name={}", customer(id, size)))
        },
        ..READ
    },
    Work {
        name: "first page of 10 by an index",
        requests: |ground| drawn(ground, |_, _| format!("{BY_INDEX}&limit=10")),
        ..READ
    },
    Work {
        name: "page 10,000 of 10 by cursor and index",
        requests: |ground| walked(ground, FAR.min(ground.size - STEP)),
        ..READ
    },
    Work {
        name: "page of 10 in the middle by cursor and index",
        requests: |ground| walked(ground, ground.size / 2),
        ..READ
    },
    Work {
        name: "list of 10 with total, all",
        requests: |ground| drawn(ground, |_, _| "/api/orders?limit=10".to_owned()),
        ..READ
    },
    Work {
        name: "list of 10 with total, filtered, counted to 10,000",
        connections: 16,
        requests: |ground| {
            drawn(ground, |id, _| format!("{BY_INDEX}&limit=10&placed[gte]={}", id % 8))
        },
        ..READ
    },
    Work {
        name: "8 records, each with the one that it refers to",
        requests: |ground| {
            drawn(ground, |id, size| {
                format!("/api/orders?product={}&include=customer", product(id, size))
            })
        },
        ..READ
    },
    Work {
        name: "a record with the 8 that refer to it",
        requests: |ground| {
            drawn(ground, |id, size| {
                format!("/api/customers/{}?include=orders", 1 + id % data::customers(size))
            })
        },
        ..READ
    },
    Work {
        name: "aggregate over 1,000 records by index, 10 groups",
        connections: 16,
        requests: |ground| {
            drawn(ground, |id, size| {
                format!(
                    "/api/orders?aggregate=count,sum(placed)&groupBy=quantity&region={}",
                    data::Order::of(id, size).region
                )
            })
        },
        ..READ
    },
    Work {
        name: "search, a word of 8 documents",
        requests: |ground| searches(ground, words::key),
        ..SEARCH
    },
    Work {
        name: "search, a prefix of 208 documents",
        requests: |ground| {
            searches(ground, |id| {
                let mut prefix = words::key(id);
                prefix.pop();
                format!("{prefix}*")
            })
        },
        ..SEARCH
    },
    Work {
        name: "search, a word of 3 % of the documents",
        grows: None,
        requests: |ground| searches(ground, |id| words::word(95 + id % 10)),
        ..SEARCH
    },
    Work {
        name: "search, the most frequent word",
        connections: 1,
        grows: None,
        requests: |ground| searches(ground, |_| words::word(0)),
        ..SEARCH
    },
];

fn product(id: u64, size: u64) -> String {
    data::Order::of(id, size).product
}

fn customer(id: u64, size: u64) -> String {
    data::name(1 + id % data::customers(size)).replace(' ', "%20")
}

fn get(target: &str, draw: u64) -> Vec<u8> {
    let and = if target.contains('?') { '&' } else { '?' };
    // A parameter that is passed over, and makes a query of its own.
    requests::get(&format!("{target}{and}_={draw}"), "")
}

// The signature is that of every line.
#[allow(clippy::unnecessary_wraps)]
fn drawn(ground: &Ground, target: impl Fn(u64, u64) -> String) -> Result<Box<dyn Source>, String> {
    let size = ground.size;
    let request = |draw| get(&target(1 + mix(draw + ground.series) % size, size), draw);
    Ok(Box::new(Pool::new((0..DRAWN).map(request).collect())))
}

fn searches(ground: &Ground, words: impl Fn(u64) -> String) -> Result<Box<dyn Source>, String> {
    drawn(ground, |id, size| {
        let id = 1 + id % data::documents(size);
        format!("/api/documents?limit=10&q={}", words(id))
    })
}

/// The last walk, so that the rounds of a line need one only.
static WALK: Mutex<Option<(SocketAddr, u64, Vec<String>)>> = Mutex::new(None);

/// Pages of ten at the places around a depth.
fn walked(ground: &Ground, depth: u64) -> Result<Box<dyn Source>, String> {
    let mut walk = WALK.lock().unwrap_or_else(PoisonError::into_inner);
    let places = match walk.take() {
        Some((address, known, places)) if (address, known) == (ground.address, depth) => places,
        _ => places(ground.address, depth)?,
    };
    let request = |draw: u64| {
        let cursor = &places[usize::try_from(mix(draw)).unwrap_or(0) % places.len()];
        get(&format!("{BY_INDEX}&limit=10&cursor={cursor}"), draw)
    };
    let requests = (0..DRAWN).map(request).collect();
    *walk = Some((ground.address, depth, places));
    Ok(Box::new(Pool::new(requests)))
}

/// Walks from page to page, and keeps the last cursors.
fn places(address: SocketAddr, depth: u64) -> Result<Vec<String>, String> {
    let mut client = load::Client::new(address)?;
    let mut places = vec![String::new()];
    for _ in 0..depth.div_ceil(STEP) {
        let cursor = places.last().map(String::as_str).unwrap_or_default();
        let target = format!("{BY_INDEX}&limit={STEP}&fields=id&cursor={cursor}");
        let answer = client.ask(&requests::get(&target, ""))?;
        let next = answer
            .content
            .split_once("\"cursor\":\"")
            .and_then(|(_, rest)| rest.split_once('"').map(|(cursor, _)| cursor.to_owned()));
        let Some(next) = next else { break };
        if places.len() == PLACES {
            places.remove(0);
        }
        places.push(next);
    }
    Ok(places)
}
