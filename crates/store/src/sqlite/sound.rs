//! Whether an opened database can be served: what can be known in a moment, and in words that
//! help. The rest is `methodical check --database`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::ErrorCode;

use super::copy::pragma_texts;
use super::open::opening;
use super::session::Session;
use crate::care::error::CareError;
use crate::error::OpenError;
use crate::sql::quote;

/// Most pages of a database that is checked whole at every start: that takes a moment.
const PAGES_MAX: i64 = 4_096;
/// How every SQLite database begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Looks whether every table is there and can be read at both of its ends; a small database is
/// read whole.
pub(super) fn look(session: &Session) -> Result<(), OpenError> {
    let path = &session.options.path;
    let failed = |error: rusqlite::Error| opening(path, error.into());
    let connection = &session.connection;
    for resource in &session.catalog.model.resources {
        // Named with their table: a quoted name alone that is no column would be taken for text.
        let columns: Vec<String> = ["id", "_birth", "_version", "createdAt", "updatedAt"]
            .into_iter()
            .chain(resource.fields.iter().map(|field| field.name.as_str()))
            .map(|name| format!("t.{}", quote(name)))
            .collect();
        for order in ["ASC", "DESC"] {
            let text = format!(
                "SELECT {} FROM {} AS t ORDER BY t.\"id\" {order} LIMIT 1",
                columns.join(", "),
                quote(&resource.name)
            );
            let mut statement = connection.prepare(&text).map_err(failed)?;
            let mut rows = statement.query([]).map_err(failed)?;
            rows.next().map_err(failed)?;
        }
    }
    let pages: i64 =
        connection.query_row("PRAGMA page_count", [], |row| row.get(0)).map_err(failed)?;
    if pages > PAGES_MAX {
        return Ok(());
    }
    let lines = pragma_texts(connection, "PRAGMA quick_check(3)");
    let lines = lines.map_err(|fault| match fault {
        CareError::Damaged(text) => OpenError::Damaged(text),
        fault => OpenError::Damaged(fault.to_string()),
    })?;
    if lines.is_empty() { Ok(()) } else { Err(OpenError::Damaged(lines.join("; "))) }
}

/// What SQLite says while a database is opened, as the operator should read it.
pub(super) fn told(path: &Path, error: &rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_a_database(path),
        Some(ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged(cut_off(path).unwrap_or_else(|| error.to_string()))
        }
        Some(ErrorCode::DiskFull) => OpenError::NoRoom,
        Some(ErrorCode::ReadOnly) => OpenError::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked,
        _ => other(path, error),
    }
}

fn other(path: &Path, error: &rusqlite::Error) -> OpenError {
    let text = error.to_string();
    if let Some(at) = text.find("no such table").or_else(|| text.find("no such column")) {
        let what = text[at..].lines().next().unwrap_or_default();
        let what = what.split(" in SELECT").next().unwrap_or_default();
        return OpenError::Incomplete(what.to_owned());
    }
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) {
        return OpenError::Incomplete("a line of _methodical_meta is missing".to_owned());
    }
    let path = path.display();
    if path.to_string().is_empty() || !text.contains("unable to open") {
        return OpenError::Io(format!("{path}: {text}"));
    }
    OpenError::Io(format!(
        "{path}: {text}; look whether the folder exists, and whether this user may read and write \
         the file and the folder (`ls -l`)"
    ))
}

fn not_a_database(path: &Path) -> OpenError {
    let mut head = [0_u8; 16];
    let found = File::open(path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
    let text = if &head == MAGIC {
        "its header contradicts itself".to_owned()
    } else {
        let shown: String = head[..found].escape_ascii().to_string();
        format!("it begins with \"{shown}\", where \"SQLite format 3\" has to stand")
    };
    OpenError::NotADatabase(text)
}

/// Says it where a file is shorter than its own header has it. Read when no connection is open.
fn cut_off(path: &Path) -> Option<String> {
    let mut head = [0_u8; 32];
    let mut file = File::open(path).ok()?;
    file.read_exact(&mut head).ok()?;
    let size = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u64::from(u32::from_be_bytes([head[28], head[29], head[30], head[31]]));
    let length = file.metadata().ok()?.len();
    let wanted = size * pages;
    (length < wanted).then(|| {
        format!("the file has {length} bytes and says itself that it had {wanted}: its end is lost")
    })
}
