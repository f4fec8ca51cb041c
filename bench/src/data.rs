//! The users that are measured with: 12,493 different names, the same in every run.

use std::path::Path;

use rusqlite::{Connection, params};

const FIRST: [&str; 31] = [
    "Ada",
    "Alan",
    "Barbara",
    "Bob",
    "Carol",
    "Charles",
    "Dennis",
    "Donald",
    "Edsger",
    "Evelyn",
    "Frances",
    "George",
    "Grace",
    "Hedy",
    "Ivan",
    "Jean",
    "John",
    "Karen",
    "Ken",
    "Leslie",
    "Linus",
    "Margaret",
    "Niklaus",
    "Olga",
    "Peter",
    "Radia",
    "Robin",
    "Sophie",
    "Tim",
    "Vint",
    "Whitfield",
];
const LAST: [&str; 31] = [
    "Allen", "Babbage", "Boole", "Cerf", "Clarke", "Diffie", "Dijkstra", "Floyd", "Gosling",
    "Hamilton", "Hoare", "Hopper", "Iverson", "Jones", "Kay", "Knuth", "Lamarr", "Lamport",
    "Liskov", "Lovelace", "McCarthy", "Milner", "Naur", "Perlman", "Ritchie", "Shannon",
    "Thompson", "Turing", "Ullman", "Wilkes", "Wirth",
];
const MIDDLE: [char; 13] = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N'];
const NAMES: u64 = 31 * 31 * 13;
const ROLES: [&str; 3] = ["customer", "developer", "admin"];
/// Rows in one transaction while a database is filled.
const CHUNK: u64 = 50_000;

/// A new user, as the server writes one.
pub(crate) const INSERT: &str = "INSERT INTO users \
    (id, name, email, role, createdAt, updatedAt, _birth, _version) VALUES (?, ?, ?, ?, ?, ?, \
        ?, ?)";

/// A user.
pub(crate) struct User {
    /// Its name: first, middle initial, last.
    pub(crate) name: String,
    /// Its address, which no other user has.
    pub(crate) email: String,
    /// Its role.
    pub(crate) role: &'static str,
    /// When it was made: a second after the one before it.
    moment: String,
}

/// The finalizer of SplitMix64: numbers without a pattern, the same in every run.
pub(crate) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Primes that divide no size: one after the other they visit every place once.
const STRIDES: [u64; 4] = [7_368_787, 15_485_863, 32_452_843, 49_979_687];

/// Where a record among so many stands in one of four orders without a pattern.
pub(crate) fn place(id: u64, size: u64, which: usize) -> u64 {
    id.wrapping_mul(STRIDES[which]) % size
}

/// A remainder as an index.
fn below(number: u64, bound: usize) -> usize {
    usize::try_from(number % bound as u64).unwrap_or(0)
}

impl User {
    /// The user of this id.
    pub(crate) fn of(id: u64) -> Self {
        let number = id.wrapping_mul(7919) % NAMES;
        let first = FIRST[below(number, FIRST.len())];
        let last = LAST[below(number / 31, LAST.len())];
        let middle = MIDDLE[below(number / 961, MIDDLE.len())];
        Self {
            name: format!("{first} {middle}. {last}"),
            email: format!("{}.{}.{id}@example.com", first.to_lowercase(), last.to_lowercase()),
            role: ROLES[below(mix(id), ROLES.len())],
            moment: moment(id),
        }
    }

    /// As the content of a creation.
    pub(crate) fn content(&self) -> String {
        let Self { name, email, role, .. } = self;
        format!("{{\"name\":\"{name}\",\"email\":\"{email}\",\"role\":\"{role}\"}}")
    }

    /// Writes it under an id with a prepared `INSERT`.
    pub(crate) fn insert(
        &self,
        id: u64,
        statement: &mut rusqlite::Statement<'_>,
    ) -> rusqlite::Result<()> {
        let birth = i64::try_from(mix(id) >> 2).unwrap_or(0);
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        let Self { name, email, role, moment, .. } = self;
        statement.execute(params![id, name, email, role, moment, moment, birth, 1]).map(drop)
    }
}

fn moment(id: u64) -> String {
    let second = id % 2_592_000;
    let (day, hour, minute) = (second / 86_400, second / 3600 % 24, second / 60 % 60);
    format!("2026-06-{:02}T{hour:02}:{minute:02}:{:02}.000Z", day + 1, second % 60)
}

/// Fills the tables that the server has made. Its triggers keep the bookkeeping.
pub(crate) fn fill(path: &Path, size: u64) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; PRAGMA wal_autocheckpoint = 20000;",
    )?;
    let mut next = 1;
    while next <= size {
        let transaction = connection.transaction()?;
        let mut statement = transaction.prepare(INSERT)?;
        let end = (next + CHUNK).min(size + 1);
        for id in next..end {
            User::of(id).insert(id, &mut statement)?;
        }
        drop(statement);
        transaction.commit()?;
        next = end;
    }
    // The log of these changes is past its retention; the server would sweep it while it is
    // measured. It keeps the newest entry.
    connection.execute_batch(
        "DELETE FROM _methodical_changes WHERE position < \
         (SELECT max(position) FROM _methodical_changes); VACUUM; ANALYZE; \
         PRAGMA wal_checkpoint(TRUNCATE);",
    )
}

#[cfg(test)]
mod tests {
    use super::{NAMES, User};
    use std::collections::HashSet;

    #[test]
    fn there_are_as_many_names_as_figures_says() {
        let names: HashSet<String> = (1..=100_000).map(|id| User::of(id).name).collect();
        assert_eq!((names.len(), NAMES), (12_493, 12_493));
    }
}
