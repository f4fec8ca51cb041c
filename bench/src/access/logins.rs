//! What people who sign in do to the others: verifying a password takes milliseconds on purpose.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Access;
use super::data::SIGNERS;
use super::people;
use crate::beside::{Beside, READERS};
use crate::data::mix;
use crate::latency::Histogram;
use crate::load::{Lane, Run};
use crate::measure::Figure;
use crate::process::Server;
use crate::requests::{self, Pool};
use crate::work::Aim;

/// The p99 is moved by at most 2 times.
const HALF: f64 = 0.5;
/// Clients that sign in at a time.
const CLIENTS: usize = 100;
/// How long each waits after its answer: what a refusal asks for, at least.
const REST: Duration = Duration::from_secs(1);
/// Limits that refuse nobody, so that only the queue of passwords does.
pub(super) const UNLIMITED: &[&str] = &["login.address=1000000", "login.account=1000000"];

/// What the reads are measured without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alone {
    /// Anything.
    Nothing,
    /// Logins: as many clients read as would sign in.
    Reads,
}

/// One line of this file.
pub(super) struct Logins {
    /// What is wanted of it.
    pub(super) aim: Aim,
    /// Settings of the server.
    pub(super) settings: &'static [&'static str],
    rest: Duration,
    alone: Alone,
}

const fn aim(name: &'static str, least: f64) -> Aim {
    Aim { name, least, moonshot: f64::INFINITY, grows: None }
}

/// Every line.
pub(super) const LOGINS: &[Logins] = &[
    Logins {
        aim: aim("p99 of GET one beside 100 logins, no limits", HALF),
        settings: UNLIMITED,
        rest: REST,
        alone: Alone::Nothing,
    },
    Logins {
        aim: aim("p99 of GET one beside 100 logins from one address", HALF),
        settings: &[],
        rest: REST,
        alone: Alone::Nothing,
    },
    Logins {
        aim: aim("p99 of GET one beside a flood of logins, no limits", 0.0),
        settings: UNLIMITED,
        rest: Duration::ZERO,
        alone: Alone::Reads,
    },
];

impl Logins {
    /// Measures it on a server with its settings.
    pub(super) fn measure(&self, access: &Access<'_>, server: &Server) -> Result<Figure, String> {
        let item = |draw| format!("/api/notices/{}", 1 + mix(draw) % access.size);
        let items: Vec<Vec<u8>> = (0..16_384).map(|draw| requests::get(&item(draw), "")).collect();
        let logins: Vec<Vec<u8>> = (1..=SIGNERS).map(people::login).collect();
        let mut pairs = Beside::default();
        for _ in 0..access.effort.rounds {
            let [mut first, mut second, mut third] = [(); 3].map(|()| Pool::new(items.clone()));
            let mut logins = Pool::new(logins.clone());
            let mut lanes = vec![Lane::new(&mut first, READERS, 200)];
            if self.alone == Alone::Reads {
                lanes.push(Lane::new(&mut third, CLIENTS, 200));
            }
            let alone = access.effort.load(server, &mut lanes)?;
            let others = Lane { rest: self.rest, ..Lane::new(&mut logins, CLIENTS, 0) };
            let lanes = &mut [Lane::new(&mut second, READERS, 200), others];
            pairs.add(alone, access.effort.load(server, lanes)?)?;
        }
        Ok(pairs.figure(self.aim, access.size, |logins| self.remark(logins)))
    }

    fn remark(&self, logins: &Run) -> String {
        let what = match self.alone {
            Alone::Nothing => "",
            Alone::Reads => "alone is beside as many reads; ",
        };
        let Run { statuses, latency, .. } = logins;
        format!(
            "{what}{CLIENTS} clients, each again {} s after its answer, were answered {} in \
             {:.0} / {:.0} ms",
            self.rest.as_secs(),
            told(statuses),
            latency.per_mille(500),
            latency.per_mille(990)
        )
    }
}

fn told(statuses: &BTreeMap<u16, Histogram>) -> String {
    let one = |(status, times): (&u16, &Histogram)| format!("{} times {status}", times.number());
    statuses.iter().map(one).collect::<Vec<_>>().join(", ")
}
