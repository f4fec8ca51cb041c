//! What lists are measured on: orders of customers, and documents with text. Every value that is
//! filtered by has as many records however many there are in all, and they lie scattered.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Statement, params};

use super::words;
use crate::data::mix;

/// Records in one transaction while a database is filled.
const CHUNK: u64 = 50_000;
/// To be changed with the data, so that no older database is taken for the same.
const EDITION: u32 = 1;
/// Documents, at most.
const DOCUMENTS_MAX: u64 = 1_000_000;
/// Orders of a customer, and of a product.
const FEW: u64 = 8;
/// Orders of a region.
const MANY: u64 = 1000;
/// Primes that divide no size: one after the other they visit every place once.
const STRIDES: [u64; 4] = [7_368_787, 15_485_863, 32_452_843, 49_979_687];

/// A new order, as the server writes one.
pub(crate) const INSERT: &str = "INSERT INTO orders (id, customer, product, region, placed, \
    quantity, note, createdAt, updatedAt, _birth, _version) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const MOMENT: &str = "2026-06-01T12:00:00.000Z";

/// How many customers go with so many orders.
pub(crate) fn customers(size: u64) -> u64 {
    size.div_ceil(FEW)
}

/// How many documents go with so many orders.
pub(crate) fn documents(size: u64) -> u64 {
    size.min(DOCUMENTS_MAX)
}

/// Where an order stands in one of four orders without a pattern.
fn place(id: u64, size: u64, which: usize) -> u64 {
    id.wrapping_mul(STRIDES[which]) % size
}

/// The name of a customer.
pub(crate) fn name(customer: u64) -> String {
    format!("Customer {:08}", mix(customer) % 100_000_000)
}

/// An order.
pub(crate) struct Order {
    customer: u64,
    /// What is ordered.
    pub(crate) product: String,
    /// Where.
    pub(crate) region: u64,
    placed: u64,
    quantity: u64,
    note: String,
}

impl Order {
    /// The order of this id among so many. Those beyond are like those before.
    pub(crate) fn of(id: u64, size: u64) -> Self {
        Self {
            customer: 1 + place(id, size, 0) / FEW,
            product: format!("P-{:08}", place(id, size, 1) / FEW),
            region: place(id, size, 2) / MANY,
            placed: place(id, size, 3),
            quantity: 1 + mix(id) % 10,
            note: format!(
                "{} {}",
                words::word(mix(id) % 10_000),
                words::word(mix(id + 1) % 10_000)
            ),
        }
    }

    /// As the content of a creation.
    pub(crate) fn content(&self) -> String {
        let Self { customer, product, region, placed, quantity, note } = self;
        format!(
            "{{\"customer\":{customer},\"product\":\"{product}\",\"region\":{region},\
             \"placed\":{placed},\"quantity\":{quantity},\"note\":\"{note}\"}}"
        )
    }

    /// Writes it under an id with a prepared `INSERT`.
    pub(crate) fn insert(&self, id: u64, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let Self { customer, product, region, placed, quantity, note } = self;
        let birth = number(mix(id) >> 2);
        let (customer, region) = (number(*customer), number(*region));
        let (placed, quantity) = (number(*placed), number(*quantity));
        statement
            .execute(params![
                number(id),
                customer,
                product,
                region,
                placed,
                quantity,
                note,
                MOMENT,
                MOMENT,
                birth,
                1
            ])
            .map(drop)
    }
}

/// The filled database of this size: made once, then found again. `fresh` is one that the server
/// has just made.
pub(crate) fn filled(folder: &Path, fresh: &Path, size: u64) -> Result<PathBuf, String> {
    let told = |error: rusqlite::Error| format!("filling: {error}");
    let mut hasher = DefaultHasher::new();
    (EDITION, schema(fresh).map_err(told)?).hash(&mut hasher);
    let path = folder.join(format!("{size}-{:016x}.db", hasher.finish()));
    if !path.exists() {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        fill(fresh, size).map_err(told)?;
        std::fs::rename(fresh, &path).map_err(|error| error.to_string())?;
    }
    Ok(path)
}

/// The text of everything that a database is made of.
fn schema(path: &Path) -> rusqlite::Result<String> {
    let connection = Connection::open(path)?;
    let text = "SELECT group_concat(sql, ';') FROM sqlite_schema";
    connection.query_row(text, [], |row| row.get(0))
}

/// Fills the tables that the server has made. Its triggers and indexes are taken away meanwhile,
/// and what they would have kept is written at the end: minutes for ten million, not hours.
fn fill(path: &Path, size: u64) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = DELETE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
         PRAGMA foreign_keys = OFF; PRAGMA cache_size = -262144; PRAGMA temp_store = MEMORY;",
    )?;
    let aside = "SELECT type, name, sql FROM sqlite_schema \
                 WHERE type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY rowid";
    let aside: Vec<(String, String, String)> = connection
        .prepare(aside)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (kind, name, _) in &aside {
        connection.execute_batch(&format!("DROP {kind} \"{name}\""))?;
    }
    let customer = "INSERT INTO customers (id, name, createdAt, updatedAt, _birth) \
                    VALUES (?, ?, ?, ?, 1)";
    chunks(&mut connection, customer, customers(size), |id, statement| {
        statement.execute(params![signed(id), name(id), MOMENT, MOMENT]).map(drop)
    })?;
    chunks(&mut connection, INSERT, size, |id, statement| {
        Order::of(id, size).insert(id, statement)
    })?;
    let document = "INSERT INTO documents (id, text, createdAt, updatedAt, _birth) \
                    VALUES (?, ?, ?, ?, 1)";
    chunks(&mut connection, document, documents(size), |id, statement| {
        statement.execute(params![signed(id), words::text(id), MOMENT, MOMENT]).map(drop)
    })?;
    let index = "INSERT INTO \"_methodical_search(documents)\" (rowid, _text_text) \
                 SELECT id, text FROM documents WHERE id = ?";
    chunks(&mut connection, index, documents(size), |id, statement| {
        statement.execute([signed(id)]).map(drop)
    })?;
    for (_, _, text) in &aside {
        connection.execute_batch(text)?;
    }
    for (table, number) in
        [("customers", customers(size)), ("orders", size), ("documents", documents(size))]
    {
        let kept = "UPDATE _methodical_resource SET total = ?1, change = ?1 WHERE name = ?2";
        connection.execute(kept, params![signed(number), table])?;
    }
    connection.execute_batch("PRAGMA journal_mode = WAL;")
}

fn signed(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// Runs a statement for each id up to a number.
fn chunks(
    connection: &mut Connection,
    text: &str,
    number: u64,
    each: impl Fn(u64, &mut Statement<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut next = 1;
    while next <= number {
        let transaction = connection.transaction()?;
        let mut statement = transaction.prepare(text)?;
        let end = (next + CHUNK).min(number + 1);
        for id in next..end {
            each(id, &mut statement)?;
        }
        drop(statement);
        transaction.commit()?;
        next = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Order;
    use std::collections::HashMap;

    #[test]
    fn eight_orders_have_the_same_product_and_a_thousand_the_same_region() {
        let (mut products, mut regions) = (HashMap::new(), HashMap::new());
        for id in 1..=10_000 {
            let order = Order::of(id, 10_000);
            *products.entry(order.product).or_insert(0) += 1;
            *regions.entry(order.region).or_insert(0) += 1;
        }
        assert!(products.len() == 1250 && products.values().all(|number| *number == 8));
        assert!(regions.len() == 10 && regions.values().all(|number| *number == 1000));
    }
}
