//! The full-text index of a resource: its table, what keeps it true whoever writes, and the
//! server's own part, which is done once a transaction, before its commit.

use model::model::{Resource, ResourceIndex};
use model::search::indexed;
use rusqlite::ToSql;
use rusqlite::types::ValueRef;
use std::borrow::Cow;

use super::failure::Failure;
use super::session::Session;
use super::trigger::{beyond_ascii, head};
use super::value::BoundId;
use crate::sql::quote;
use crate::sql::search::{fields, index_table, row_number, text_column};

/// The index of a resource and its triggers; nothing for one that is not searched.
///
/// Triggers index what others write: text in ASCII as well as the server does, other text until
/// the server looks. The server keeps them silent while it writes itself.
pub(crate) fn write(number: i64, resource: &Resource, out: &mut String) {
    if resource.search.is_empty() {
        return;
    }
    let index = quote(&index_table(resource));
    let row = row_number(resource);
    let searched = fields(resource);
    let texts: Vec<String> = searched.iter().map(|field| quote(&text_column(field))).collect();
    let names: Vec<String> = searched.iter().map(|field| quote(&field.name)).collect();
    let texts = texts.join(", ");
    let values = names.iter().map(|name| format!("NEW.{name}")).collect::<Vec<_>>().join(", ");
    let far: Vec<String> = searched.iter().map(|field| beyond_ascii(field)).collect();
    let others = format!("(SELECT ours FROM _methodical_resource WHERE resource = {number}) = 0");
    let moved: Vec<String> = std::iter::once(row)
        .chain(names.iter().map(String::as_str))
        .map(|name| format!("NEW.{name} IS NOT OLD.{name}"))
        .collect();
    let of = format!("AFTER UPDATE OF {row}, {}", names.join(", "));
    // Deleted first instead of replaced: within a trigger it is the edit that says what becomes
    // of a conflict.
    let put = format!(
        "DELETE FROM {index} WHERE rowid = NEW.{row};\n  \
         INSERT INTO {index} (rowid, {texts}) VALUES (NEW.{row}, {values});\n  \
         INSERT INTO _methodical_refold (resource, id) SELECT {number}, NEW.\"id\" WHERE {};",
        far.join(" OR ")
    );
    out.push_str(&format!(
        "CREATE VIRTUAL TABLE {index} USING fts5 ({texts}, tokenize = 'ascii');\n\
         {} WHEN {others} BEGIN\n  {put}\nEND;\n\
         {} WHEN {others} AND ({}) BEGIN\n  \
         DELETE FROM {index} WHERE rowid = OLD.{row};\n  {put}\nEND;\n\
         {} BEGIN\n  DELETE FROM {index} WHERE rowid = OLD.{row};\nEND;\n",
        head(resource, "index", "AFTER INSERT"),
        head(resource, "reindex", &of),
        moved.join(" OR "),
        head(resource, "unindex", "AFTER DELETE"),
    ));
}

/// Removes from the index those of the suspects that are gone. One whose number another row has
/// by now is that row's.
pub(crate) fn unindex_gone(resource: &Resource, gone: &str) -> String {
    if resource.search.is_empty() {
        return String::new();
    }
    let (index, table) = (quote(&index_table(resource)), quote(&resource.name));
    let row = row_number(resource);
    format!(
        "DELETE FROM {index} WHERE rowid IN (SELECT number FROM _methodical_suspect WHERE {gone} \
         AND NOT EXISTS (SELECT 1 FROM {table} AS t WHERE t.{row} = _methodical_suspect.number));\
         \n  "
    )
}

impl Session {
    /// Writes a record of a resource that may be searched: keeps the triggers of its index
    /// silent meanwhile, and notes what has to be indexed.
    pub(crate) fn ours(
        &self,
        resource: ResourceIndex,
        id: &model::value::Id,
        write: impl FnOnce() -> Result<usize, Failure>,
    ) -> Result<usize, Failure> {
        let Some(texts) = &self.catalog.texts[resource].search else {
            return write();
        };
        // No other writer ever sees this: it is undone within the transaction, or with it.
        self.run(&texts.ours)?;
        let touched = write();
        // Whatever becomes of it: the transaction may go on without this write.
        if !self.connection.is_autocommit() {
            self.run(&texts.theirs)?;
        }
        let touched = touched?;
        self.unindexed.borrow_mut().push((resource, id.clone()));
        Ok(touched)
    }

    /// Indexes what this transaction has written. All at once: FTS5 writes out what it holds at
    /// every savepoint, so that a group would pay for each of its writes what it pays here once.
    pub(crate) fn index_written(&self) -> Result<(), Failure> {
        let written = self.unindexed.take();
        written.iter().try_for_each(|(resource, id)| self.index(*resource, &BoundId(id)))
    }

    /// Makes the index say what the record says now. One that is gone has no place in it: a
    /// trigger has seen to that.
    pub(crate) fn index(&self, resource: ResourceIndex, id: &dyn ToSql) -> Result<(), Failure> {
        let Some(texts) = &self.catalog.texts[resource].search else { return Ok(()) };
        let columns = self.catalog.resource(resource).search.len();
        let mut statement = self.statement(&texts.texts)?;
        let mut rows = statement.query([id])?;
        let Some(row) = rows.next()? else { return Ok(()) };
        let number: i64 = row.get(0)?;
        let wanted: Vec<Option<Cow<'_, str>>> = (1..=columns)
            .map(|column| Ok(text(row.get_ref(column)?)))
            .collect::<Result<_, Failure>>()?;
        let mut statement = self.statement(&texts.kept)?;
        let mut rows = statement.query([number])?;
        if let Some(row) = rows.next()? {
            let is_same = |(column, wanted): (usize, &Option<Cow<'_, str>>)| {
                row.get_ref(column).is_ok_and(|kept| match (kept, wanted) {
                    (ValueRef::Text(kept), Some(wanted)) => kept == wanted.as_bytes(),
                    (ValueRef::Null, None) => true,
                    _ => false,
                })
            };
            if wanted.iter().enumerate().all(is_same) {
                return Ok(());
            }
        }
        drop(rows);
        let mut put = self.statement(&texts.put)?;
        put.raw_bind_parameter(1, number)?;
        for (at, wanted) in wanted.iter().enumerate() {
            put.raw_bind_parameter(at + 2, wanted.as_deref())?;
        }
        put.raw_execute()?;
        Ok(())
    }
}

/// The text that the index takes for a column.
pub(crate) fn text(found: ValueRef<'_>) -> Option<Cow<'_, str>> {
    let ValueRef::Text(bytes) = found else { return None };
    Some(match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => indexed(text),
        // Broken from outside: what can be read of it is found.
        Cow::Owned(text) => Cow::Owned(indexed(&text).into_owned()),
    })
}
