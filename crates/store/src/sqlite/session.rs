//! One connection with the texts of its statements.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use model::model::ResourceIndex;
use model::value::Id;
use rusqlite::{CachedStatement, Connection};

use super::failure::Failure;
use crate::options::Options;
use crate::sql::Catalog;
use crate::sql::select::Shape;

/// Statements that a connection keeps prepared.
const STATEMENTS_KEPT: usize = 256;
/// Texts of list statements that are kept; beyond that the cache begins anew, because whoever
/// sends queries chooses how many shapes there are.
const TEXTS_KEPT: usize = 512;

/// One connection, and what is needed to ask it.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) options: Arc<Options>,
    /// The next id of resources that this connection alone writes to; None on a reader.
    pub(crate) next_ids: Option<RefCell<HashMap<ResourceIndex, i64>>>,
    /// What the present transaction has written and its full-text indexes do not know yet.
    pub(crate) unindexed: RefCell<Vec<(ResourceIndex, Id)>>,
    texts: RefCell<HashMap<Shape, Arc<str>>>,
}

impl Session {
    pub(crate) fn new(
        connection: Connection,
        catalog: Arc<Catalog>,
        options: Arc<Options>,
    ) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        let (unindexed, texts) = (RefCell::default(), RefCell::default());
        Self { connection, catalog, options, next_ids: None, unindexed, texts }
    }

    /// The statement of this text, prepared once.
    pub(crate) fn statement(&self, text: &str) -> Result<CachedStatement<'_>, Failure> {
        Ok(self.connection.prepare_cached(text)?)
    }

    /// The statement of this shape, its text built once and prepared once.
    pub(crate) fn shaped(&self, shape: Shape) -> Result<CachedStatement<'_>, Failure> {
        let known = self.texts.borrow().get(&shape).cloned();
        let text = known.unwrap_or_else(|| {
            let text: Arc<str> = shape.text(&self.catalog.model).into();
            let mut texts = self.texts.borrow_mut();
            if texts.len() >= TEXTS_KEPT {
                texts.clear();
            }
            texts.insert(shape, Arc::clone(&text));
            text
        });
        self.statement(&text)
    }

    /// Runs a statement without parameters and rows.
    pub(crate) fn run(&self, text: &str) -> Result<(), Failure> {
        self.statement(text)?.raw_execute()?;
        Ok(())
    }
}
