//! How often one address and one caller may ask, by class, and how they are told where they stand
//! (draft-ietf-httpapi-ratelimit-headers).

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::OnceLock;

use contract::problem::{Kind, Problem};
use contract::table::Class;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use model::network::neighbourhood;
use model::setting::Settings;
use store::audit_log::Actor;

use crate::limit::{Level, Limit, WINDOW_S};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The limits. Each takes its memory with the first who is counted.
pub(crate) struct Rates([Policy; 4]);

struct Policy {
    name: &'static str,
    quota: Option<u64>,
    /// True where it counts this machine too: where it was set. Without that, whoever is on it can
    /// do worse than ask too often.
    is_for_all: bool,
    limit: OnceLock<Limit>,
}

/// Where a request stands with the limits that count it.
#[derive(Default)]
pub(crate) struct Standing {
    entries: [Option<Entry>; 2],
}

#[derive(Clone, Copy)]
struct Entry {
    name: &'static str,
    quota: u64,
    level: Level,
}

/// Whom a limit counts.
#[derive(Clone, Copy)]
enum Who<'a> {
    Address(IpAddr),
    Caller(&'a Actor),
}

impl Rates {
    pub(crate) fn new(settings: &Settings) -> Self {
        let usual = Settings::default();
        let policy = |name, quota: fn(&Settings) -> Option<u64>| {
            let is_for_all = quota(settings) != quota(&usual);
            Policy { name, quota: quota(settings), is_for_all, limit: OnceLock::new() }
        };
        Self([
            policy("read", |settings| settings.address_reads_max),
            policy("write", |settings| settings.address_writes_max),
            policy("read-caller", |settings| settings.caller_reads_max),
            policy("write-caller", |settings| settings.caller_writes_max),
        ])
    }

    /// Counts a request by its address.
    ///
    /// # Errors
    /// 429, with the seconds after which there is room again.
    pub(crate) fn by_address(
        &self,
        class: Class,
        address: IpAddr,
        standing: &mut Standing,
    ) -> Result<(), Problem> {
        self.count(class, Who::Address(address), address, standing)
    }

    /// Counts a request by its caller, who is at this address.
    ///
    /// # Errors
    /// As `by_address`.
    pub(crate) fn by_caller(
        &self,
        class: Class,
        caller: &Actor,
        address: IpAddr,
        standing: &mut Standing,
    ) -> Result<(), Problem> {
        self.count(class, Who::Caller(caller), address, standing)
    }

    /// Counts what a request has done beyond one write.
    pub(crate) fn charge(&self, address: IpAddr, caller: Option<&Actor>, writes: u64) {
        let who = [Some(Who::Address(address)), caller.map(Who::Caller)];
        for who in who.into_iter().flatten() {
            let policy = self.policy(Class::Write, who);
            if let Some(limit) = policy.limit.get().filter(|_| policy.counts(address)) {
                match who {
                    Who::Address(address) => limit.charge(&neighbourhood(Some(address)), writes),
                    Who::Caller(caller) => limit.charge(&key(caller), writes),
                }
            }
        }
    }

    fn policy(&self, class: Class, who: Who<'_>) -> &Policy {
        let at = class as usize + if matches!(who, Who::Caller(_)) { 2 } else { 0 };
        &self.0[at]
    }

    fn count(
        &self,
        class: Class,
        who: Who<'_>,
        from: IpAddr,
        standing: &mut Standing,
    ) -> Result<(), Problem> {
        let policy = self.policy(class, who);
        let Some(quota) = policy.quota.filter(|_| policy.counts(from)) else { return Ok(()) };
        let limit = policy.limit.get_or_init(|| Limit::a_minute(quota));
        let (counted, level) = match who {
            Who::Address(address) => limit.count(&neighbourhood(Some(address))),
            Who::Caller(caller) => limit.count(&key(caller)),
        };
        standing.add(Entry { name: policy.name, quota, level });
        let Err(seconds) = counted else { return Ok(()) };
        let whose = match who {
            Who::Address(_) => "from your address",
            Who::Caller(_) => "under your name",
        };
        let what = match class {
            Class::Read => "reads",
            Class::Write => "writes",
        };
        let detail = format!(
            "There are more than {quota} {what} a minute {whose}. Nothing was done; send it again \
             after {seconds} s, and more slowly."
        );
        Err(Problem::new(Kind::TooManyRequests, detail)
            .with_field(header::RETRY_AFTER, HeaderValue::from(seconds)))
    }
}

impl Policy {
    fn counts(&self, address: IpAddr) -> bool {
        self.is_for_all || !address.to_canonical().is_loopback()
    }
}

/// What an actor is counted under.
fn key(actor: &Actor) -> (&'static str, Option<&str>) {
    (actor.kind, actor.id.as_deref())
}

impl Standing {
    fn add(&mut self, entry: Entry) {
        if let Some(free) = self.entries.iter_mut().find(|entry| entry.is_none()) {
            *free = Some(entry);
        }
    }

    /// Tells the client, before it meets the limit.
    pub(crate) fn write(&self, fields: &mut HeaderMap) {
        if self.entries[0].is_none() {
            return;
        }
        let (mut policy, mut standing) = (String::with_capacity(64), String::with_capacity(64));
        for Entry { name, quota, level } in self.entries.iter().flatten() {
            for text in [&mut policy, &mut standing].into_iter().filter(|text| !text.is_empty()) {
                text.push_str(", ");
            }
            // Writing into a String does not fail.
            let _ = write!(policy, "\"{name}\";q={quota};w={WINDOW_S}");
            let _ = write!(standing, "\"{name}\";r={};t={}", level.left, level.reset_s);
        }
        for (field, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, standing)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                fields.insert(field, value);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Rates, Standing};
    use contract::table::Class;
    use http::HeaderMap;
    use model::setting::Settings;
    use std::net::IpAddr;
    use store::audit_log::Actor;

    #[test]
    fn who_asks_too_often_is_told_before_and_after() {
        let mut settings = Settings::default();
        settings.set("limits.reads_per_address", "3").unwrap();
        settings.set("limits.writes_per_caller", "2").unwrap();
        settings.set("limits.writes_per_address", "off").unwrap();
        let rates = Rates::new(&settings);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let ask = || {
            let mut standing = Standing::default();
            let answer = rates.by_address(Class::Read, address, &mut standing);
            let mut fields = HeaderMap::new();
            standing.write(&mut fields);
            let text = |name: &str| fields[name].to_str().unwrap().to_owned();
            (answer.is_ok(), text("ratelimit-policy"), text("ratelimit"))
        };
        let policy = "\"read\";q=3;w=60";
        assert_eq!(ask(), (true, policy.to_owned(), "\"read\";r=2;t=20".to_owned()));
        ask();
        assert_eq!(ask(), (true, policy.to_owned(), "\"read\";r=0;t=60".to_owned()));
        assert_eq!(ask(), (false, policy.to_owned(), "\"read\";r=0;t=60".to_owned()));
        let mut standing = Standing::default();
        assert!(rates.by_address(Class::Write, address, &mut standing).is_ok());
        let user = Actor { kind: "user", id: Some("1".to_owned()) };
        let key = Actor { kind: "key", id: Some("1".to_owned()) };
        let mut write =
            |actor| rates.by_caller(Class::Write, actor, address, &mut standing).is_ok();
        assert!(write(&user) && write(&user) && !write(&user) && write(&key));
        rates.charge(address, Some(&key), 5);
        assert!(!write(&key), "what was done together counts");
        let mut fields = HeaderMap::new();
        Standing::default().write(&mut fields);
        assert!(fields.is_empty());
    }
}
