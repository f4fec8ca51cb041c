//! What lists are measured on: orders of customers, and documents with text. Every value that is
//! filtered by has as many records however many there are in all, and they lie scattered.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Statement, params};

use super::words;
use crate::data::{mix, place};
use crate::fill::{Filling, chunks, signed};

/// To be changed with the data, so that no older database is taken for the same.
const EDITION: u32 = 1;
/// Documents, at most.
const DOCUMENTS_MAX: u64 = 1_000_000;
/// Orders of a customer, and of a product.
const FEW: u64 = 8;
/// Orders of a region.
const MANY: u64 = 1000;

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
    let filling = Filling {
        name: "lists",
        edition: EDITION,
        size,
        totals: &[("customers", customers(size)), ("orders", size), ("documents", documents(size))],
        rows: &|connection| rows(connection, size),
    };
    let path = filling.path(folder, fresh)?;
    if !path.exists() {
        filling.fill(fresh, &path)?;
    }
    Ok(path)
}

fn rows(connection: &mut Connection, size: u64) -> rusqlite::Result<()> {
    let customer = "INSERT INTO customers (id, name, createdAt, updatedAt, _birth) \
                    VALUES (?, ?, ?, ?, 1)";
    chunks(connection, customer, 1..=customers(size), |id, statement| {
        statement.execute(params![signed(id), name(id), MOMENT, MOMENT]).map(drop)
    })?;
    chunks(connection, INSERT, 1..=size, |id, statement| {
        Order::of(id, size).insert(id, statement)
    })?;
    let document = "INSERT INTO documents (id, text, createdAt, updatedAt, _birth) \
                    VALUES (?, ?, ?, ?, 1)";
    chunks(connection, document, 1..=documents(size), |id, statement| {
        statement.execute(params![signed(id), words::text(id), MOMENT, MOMENT]).map(drop)
    })?;
    let index = "INSERT INTO \"_methodical_search(documents)\" (rowid, _text_text) \
                 SELECT id, text FROM documents WHERE id = ?";
    chunks(connection, index, 1..=documents(size), |id, statement| {
        statement.execute([signed(id)]).map(drop)
    })
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
