//! `restore`: a backup becomes the database.

use std::fs::File;
use std::io::{BufReader, IsTerminal, stdin};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use engine::clock;
use store::care::beside::beside;
use store::care::error::CareError;
use store::care::restore::{Fit, Restored, restore};

use super::progress::Line;
use super::site::{Site, size};
use crate::command::{count, shown};
use crate::failure::{Failure, Outcome};

/// How much is read at a time.
const BUFFER_BYTES: usize = 1 << 18;

/// Restores, and says what it did and how to undo it.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let site = Site::read(matches)?;
    let named = matches.get_one::<String>("file").map_or("-", String::as_str);
    let mut line = Line::new();
    let mut watch = |done, all| {
        line.tell("restoring", done, all);
        ControlFlow::Continue(())
    };
    let (database, model, now) = (&site.database, &site.model, clock::now());
    let restored = if named == "-" {
        if stdin().is_terminal() {
            return Err(Failure::usage("standard input is a terminal: name a file, or pipe one"));
        }
        let source = BufReader::with_capacity(BUFFER_BYTES, stdin().lock());
        restore(database, model, source, now, &mut watch)
    } else {
        let file = File::open(named)
            .map_err(|error| Failure::refused(format!("{named} cannot be read: {error}")))?;
        let source = BufReader::with_capacity(BUFFER_BYTES, file);
        restore(database, model, source, now, &mut watch)
    };
    line.end();
    let restored = restored.map_err(|fault| refused(&site, named, &fault))?;
    eprint!("{}", told(&site, &restored));
    Ok(())
}

fn refused(site: &Site, named: &str, fault: &CareError) -> Failure {
    let of_backup = matches!(
        fault,
        CareError::NotABackup
            | CareError::NewerFormat(_)
            | CareError::CutOff(_)
            | CareError::BackupDamaged(_)
            | CareError::Unusable(_)
    );
    let text = match fault {
        fault if of_backup => format!("{named}: {fault}"),
        CareError::Served => format!("{}: {fault}", site.database.display()),
        fault => fault.to_string(),
    };
    Failure::refused(format!("{text}\nNothing was replaced."))
}

fn told(site: &Site, restored: &Restored) -> String {
    let header = &restored.header;
    let records = usize::try_from(header.records()).unwrap_or(usize::MAX);
    let mut out = format!(
        "{} is restored as it was at {}: {}, {}.\n\
         Its SHA-256 ({}), its pages and its references were verified.\n",
        site.database.display(),
        header.made,
        count(records, "record"),
        size(header.bytes),
        restored.sum
    );
    out.push_str(
        "ETags and cursors that clients still have are void. Idempotency-Keys that are in the \
         backup are\nremembered: a request repeated with one is answered and not done twice.\n\
         All sessions have ended: users sign in again.\n",
    );
    if let Some(aside) = &restored.aside {
        let aside = &near(&site.database, aside);
        if restored.ids_continue {
            out.push_str("Integer ids that were given since then are not given again.\n");
        } else {
            out.push_str(
                "The database of before cannot be read, so integer ids that it gave since then \
                 may be given again.\n",
            );
        }
        out.push_str(&undo(&site.database, aside));
    }
    let dir = shown(&site.dir);
    out.push_str(&match restored.fit {
        Fit::Fits => format!("To serve it:\n\n    methodical serve {dir}\n\n"),
        Fit::Differs => format!(
            "It was made for another declaration ({}, and this one is {}). What a migration would \
             do:\n\n    methodical migrate {dir}\n\n",
            header.declaration,
            site.model.table_digest()
        ),
    });
    out
}

/// The file beside the database, named as the database is: it is absolute where that is a link.
fn near(database: &Path, aside: &Path) -> PathBuf {
    let named = aside.file_name().map(|name| database.with_file_name(name));
    named.filter(|named| named.exists()).unwrap_or_else(|| aside.to_owned())
}

fn undo(database: &Path, aside: &Path) -> String {
    let parts = |path: &Path| ["", "-wal", "-shm"].map(|part| shown(&beside(path, part))).join(" ");
    let mut moves = format!("    mv {} {}\n", shown(aside), shown(database));
    if beside(aside, "-wal").exists() {
        let [from, to] = [aside, database].map(|path| shown(&beside(path, "-wal")));
        moves.push_str(&format!("    mv {from} {to}\n"));
    }
    format!(
        "The database of before is kept: {}\nTo undo this, with no server running:\n\n    \
         rm -f {}\n{moves}\n",
        aside.display(),
        parts(database)
    )
}
