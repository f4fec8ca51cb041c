//! COMMANDS: every command with its arguments and words. The parser and the help are read from
//! this table.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches};

use crate::command::{
    access, adopt, backup, check, export, import, init, jobs, key, migrate, restore, routes, serve,
    service, status, vacuum,
};
use crate::failure::{Failure, Outcome};

/// An argument of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Argument {
    /// Its name: `listen` is `--listen`.
    name: &'static str,
    /// How its value is called in the help; empty for a switch.
    value: &'static str,
    /// What it is for.
    help: &'static str,
    /// What kind of argument it is.
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `DIR`, `.` where it is left out.
    Place,
    /// `DIR`, which has to be named.
    NewPlace,
    /// A file, which can be left out.
    File,
    /// A file, which has to be named.
    NeededFile,
    /// A name that has to be there, before the folder.
    From,
    /// `DIR`, nothing where it is left out.
    MaybePlace,
    /// `NAME`, where it is not left out.
    Extra,
    /// One of these, which has to be named.
    Action(&'static [&'static str]),
    /// `[NAME] NAME`.
    Words,
    /// `--name VALUE`.
    Option,
    /// The same; what begins with a hyphen is a value as well, to be refused with a reason.
    Time,
    /// `--name VALUE`, one of these.
    Choice(&'static [&'static str]),
    /// `--name VALUE`, any number of times.
    Many,
    /// `--name`.
    Switch,
}

/// A command.
pub(crate) struct Command {
    name: &'static str,
    about: &'static str,
    details: &'static str,
    arguments: &'static [Argument],
    run: fn(&ArgMatches) -> Outcome,
}

const PLACE: Argument = Argument {
    name: "dir",
    value: "DIR",
    help: "The folder with methodical.toml",
    form: Form::Place,
};

const MAYBE_PLACE: Argument = Argument {
    help: "The folder with methodical.toml; . if not said",
    form: Form::MaybePlace,
    ..PLACE
};
const DATABASE: Argument =
    option("database", "PATH", "The database file; beside the declaration if relative");

const SET: Argument = Argument {
    name: "set",
    value: "KEY=VALUE",
    help: "Any setting, such as limits.content=\"2 MiB\"; can be repeated",
    form: Form::Many,
};

const fn switch(name: &'static str, help: &'static str) -> Argument {
    Argument { name, value: "", help, form: Form::Switch }
}

const fn option(name: &'static str, value: &'static str, help: &'static str) -> Argument {
    Argument { name, value, help, form: Form::Option }
}

/// Every command, in the order of the help.
const COMMANDS: &[Command] = &[
    Command {
        name: "init",
        about: "Write a commented declaration to start from",
        details: "Nothing that exists is overwritten.",
        arguments: &[
            Argument { help: "The folder to write it to", form: Form::NewPlace, ..PLACE },
            Argument {
                name: "example",
                value: "NAME",
                help: "A whole example instead of the smallest one",
                form: Form::Choice(&["shop"]),
            },
            option(
                "domain",
                "NAME",
                "Its name on the internet, by HTTPS; without the records of an example",
            ),
            option("email", "ADDRESS", "Where Let's Encrypt writes about the name's certificate"),
        ],
        run: init::run,
    },
    Command {
        name: "serve",
        about: "Serve the API that the declaration describes",
        details: "Prints the address on standard output and what to try on standard error. \
                  SIGTERM or Ctrl-C finishes what was accepted and exits 0; a second one exits \
                  at once. Every setting can also come from the file or from the environment: \
                  METHODICAL_LISTEN, METHODICAL_LOG_FORMAT and so on.",
        arguments: &[
            PLACE,
            option("listen", "HOST:PORT", "Where to listen; port 0 takes a free one"),
            Argument {
                name: "tls",
                value: "SOURCE",
                help: "Speak HTTPS, with a certificate from there; self-signed for development",
                form: Form::Choice(&["files", "acme", "self-signed"]),
            },
            DATABASE,
            option("log-format", "FORMAT", "text or json"),
            option("log-level", "LEVEL", "error, warn, info or debug"),
            SET,
            switch("watch", "Reload a valid declaration when it changes; keep the old on an error"),
            #[cfg(feature = "faults")]
            Argument {
                name: "fault",
                value: "NAME",
                help: "Break a promise on purpose, to see whether the tests notice",
                form: Form::Many,
            },
        ],
        run: serve::run,
    },
    Command {
        name: "check",
        about: "Say what is wrong with the declaration, or with the database",
        details: "Exits 1 where there is an error. With --database it also compares all that the \
                  database keeps with what it is derived from; a server may run meanwhile, but \
                  not with --repair, which builds what is derived anew and leaves records alone.",
        arguments: &[
            PLACE,
            switch("database", "Check the database too"),
            switch("repair", "Build anew what is derived and found wrong; needs --database"),
        ],
        run: check::run,
    },
    Command {
        name: "routes",
        about: "List what the API answers: methods, paths, statuses",
        details: "This is the contract's table, narrowed by the declaration.",
        arguments: &[PLACE, switch("json", "One JSON object a line")],
        run: routes::run,
    },
    Command {
        name: "access",
        about: "Show who may do what: each operation by each kind of caller",
        details: "This is what the declaration says; docs/RULES.md explains rules.",
        arguments: &[PLACE],
        run: access::run,
    },
    Command {
        name: "backup",
        about: "Back up the database into one file, while it is served or not",
        details: "Without FILE the backup gets its name from the time, in the folder `backup.dir`; \
                  that name is printed. `-` writes it to standard output. It is a Zstandard file: \
                  `zstd -d` gives the database, an SQLite file, without this program.",
        arguments: &[
            Argument { form: Form::Place, ..PLACE },
            Argument {
                name: "file",
                value: "FILE",
                help: "Where to, or - for standard output",
                form: Form::File,
            },
            DATABASE,
            SET,
        ],
        run: backup::run,
    },
    Command {
        name: "restore",
        about: "Make a backup the database; the present one is kept aside",
        details: "All of it is verified before anything is replaced. No server may run. Entity \
                  tags and cursors of before are void afterwards. It says how to undo it.",
        arguments: &[
            Argument { form: Form::NewPlace, ..PLACE },
            Argument {
                name: "file",
                value: "FILE",
                help: "A backup, or - for standard input",
                form: Form::NeededFile,
            },
            DATABASE,
            SET,
        ],
        run: restore::run,
    },
    Command {
        name: "status",
        about: "Say how the database is: sizes, records, keys, change log, backups",
        details: "Reads only, while it is served or not.",
        arguments: &[PLACE, switch("json", "One JSON object"), DATABASE, SET],
        run: status::run,
    },
    Command {
        name: "vacuum",
        about: "Give the room that deleted records have left back to the disk",
        details: "Writes the database anew, which needs as much free room as it takes. No server \
                  may run.",
        arguments: &[PLACE, DATABASE, SET],
        run: vacuum::run,
    },
    Command {
        name: "jobs",
        about: "List what waits to be done outside, such as mail, and have it tried again",
        details: "jobs list [DIR]. jobs retry [DIR] NUMBER: what was given up is tried as often \
                  as at first. Beside a running server or without.",
        arguments: &[
            Argument {
                name: "action",
                value: "ACTION",
                help: "What to do",
                form: Form::Action(&["list", "retry"]),
            },
            MAYBE_PLACE,
            Argument {
                name: "number",
                value: "NUMBER",
                help: "The job to try again, as `jobs list` numbers it",
                form: Form::Extra,
            },
            DATABASE,
            SET,
        ],
        run: jobs::run,
    },
    Command {
        name: "key",
        about: "Make, list and revoke API keys, beside a running server or without",
        details: "key create [DIR] --role admin: prints the key, which is shown this once, on \
                  standard output. key list [DIR]. key revoke [DIR] NUMBER: the key is refused \
                  from the next request on. A key does what its roles may do: admin everything, \
                  the others are those that the declaration gives to users.",
        arguments: &[
            Argument {
                name: "action",
                value: "ACTION",
                help: "What to do",
                form: Form::Action(&["create", "list", "revoke"]),
            },
            MAYBE_PLACE,
            Argument {
                name: "number",
                value: "NUMBER",
                help: "The key to revoke, as `key list` numbers it",
                form: Form::Extra,
            },
            Argument {
                name: "role",
                value: "ROLE",
                help: "A role of the new key; can be repeated",
                form: Form::Many,
            },
            option("name", "NAME", "What the new key is called; its roles if not said"),
            Argument {
                name: "expires",
                value: "TIME",
                help: "How long the new key is good, such as 90d, or until when, such as \
                       2027-01-31; for ever if not said",
                form: Form::Time,
            },
            DATABASE,
            SET,
        ],
        run: key::run,
    },
    Command {
        name: "service",
        about: "Run a folder as a service of systemd",
        details: "service install [DIR] writes a service and its sockets to /etc/systemd/system, \
                  shut in the folder and without rights of root, and says what to call next. \
                  service show [DIR] prints them on standard output.",
        arguments: &[
            Argument {
                name: "action",
                value: "ACTION",
                help: "What to do",
                form: Form::Action(&["install", "show"]),
            },
            Argument {
                name: "place",
                help: "The folder with methodical.toml; . if not said",
                form: Form::MaybePlace,
                ..PLACE
            },
            option("name", "NAME", "The service's name; methodical- and the folder's if not said"),
            option("user", "USER", "Who it runs as; the folder's owner if not said"),
            option("to", "FOLDER", "Where the units go; /etc/systemd/system if not said"),
        ],
        run: service::run,
    },
    Command {
        name: "migrate",
        about: "Show what a changed declaration means for the database, and do it",
        details: "Without --apply nothing changes, and a server may go on. With it everything is \
                  done in one transaction, or nothing. Exits 1 where existing data does not fit, \
                  or would be lost without --allow-data-loss. docs/MIGRATIONS.md says more.",
        arguments: &[
            PLACE,
            switch("apply", "Carry the plan out; no server may run meanwhile"),
            switch("allow-data-loss", "Agree to lose what the plan says is lost"),
            switch("history", "Show the plans that were carried out"),
            switch("json", "The plan as JSON; the history as one object a line"),
            DATABASE,
            SET,
        ],
        run: migrate::run,
    },
    Command {
        name: "adopt",
        about: "Make an API of a database that another program made",
        details: "Reads it without a way to write to it, and copies it to a new folder: a \
                  declaration with comments on what it could not say, a database with every row, \
                  and a report. Without a folder, or with --check, it only prints declaration \
                  and report, as one text that is a declaration.",
        arguments: &[
            Argument {
                name: "from",
                value: "sqlite:FILE",
                help: "The database file of the other program",
                form: Form::From,
            },
            Argument {
                help: "The folder to make; not there yet, or empty",
                form: Form::MaybePlace,
                ..PLACE
            },
            Argument {
                name: "check",
                value: "",
                help: "Write nothing: print the declaration and the report",
                form: Form::Switch,
            },
        ],
        run: adopt::run,
    },
    Command {
        name: "export",
        about: "Write records to files or to standard output, beside a running server or without",
        details: "Everything is from one moment. Each record has its id, times and version, so \
                  that methodical import makes the same again. Without RESOURCE all of them are \
                  written: to a folder, a file each, or in one stream.",
        arguments: &[
            PLACE,
            Argument {
                name: "resource",
                value: "RESOURCE",
                help: "The one resource to export",
                form: Form::Extra,
            },
            Argument {
                name: "format",
                value: "FORMAT",
                help: "How records are written; ndjson if not said",
                form: Form::Choice(&["ndjson", "csv"]),
            },
            option("output", "PATH", "A file, a folder, or - for standard output"),
            Argument {
                name: "with-secrets",
                value: "",
                help: "Write hidden fields too, and the hashes of passwords",
                form: Form::Switch,
            },
            DATABASE,
            SET,
        ],
        run: export::run,
    },
    Command {
        name: "import",
        about: "Read records from files or standard input, beside a running server or without",
        details: "FROM is [RESOURCE] and a file, a folder of files named for their resources, or \
                  - for standard input. Rows are written in chunks: after an interruption the \
                  same command goes on where it was, and creates nothing twice. Rows that are \
                  not taken are written to a file, with what is wrong with them, and the exit \
                  code is 1.",
        arguments: &[
            Argument { help: "The folder with methodical.toml", form: Form::NewPlace, ..PLACE },
            Argument {
                name: "from",
                value: "FROM",
                help: "[RESOURCE] and a file, a folder or -",
                form: Form::Words,
            },
            Argument {
                name: "format",
                value: "FORMAT",
                help: "How rows are written; otherwise the ending of the file says it",
                form: Form::Choice(&["ndjson", "csv", "json"]),
            },
            option("chunk", "ROWS", "Most rows that are written together; 1000 if not said"),
            option("key", "NAME", "What the content is known by; the path of the file if not said"),
            option("faults", "FILE", "Where rows go that are not taken"),
            Argument {
                name: "dry-run",
                value: "",
                help: "Try all of it on a copy of the database, and change nothing",
                form: Form::Switch,
            },
            DATABASE,
            SET,
        ],
        run: import::run,
    },
];

/// Parses the arguments and runs the command that they name.
///
/// # Errors
/// What kept the command from doing it, with the exit code.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Outcome {
    let matches = match parser().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(fault) => {
            // Help goes to standard output, wrong usage to standard error. A closed pipe is no
            // reason to fail.
            let _ = fault.print();
            let code = u8::try_from(fault.exit_code()).unwrap_or(2);
            return if code == 0 { Ok(()) } else { Err(Failure { code, message: String::new() }) };
        }
    };
    let Some((name, matches)) = matches.subcommand() else {
        return Err(Failure::usage("no command; see methodical --help"));
    };
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(matches),
        None => Err(Failure::usage(format!("no command is named {name}; see methodical --help"))),
    }
}

/// The parser, read from COMMANDS.
fn parser() -> clap::Command {
    clap::Command::new("methodical")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A REST backend in one binary, in which every HTTP method keeps its promise")
        .after_help("To begin: methodical init notes, then methodical serve notes")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(COMMANDS.iter().map(|command| {
            clap::Command::new(command.name)
                .about(command.about)
                .after_help(command.details)
                .args(command.arguments.iter().map(|argument| argument.to_clap()))
        }))
}

impl Argument {
    fn to_clap(self) -> Arg {
        let arg = Arg::new(self.name).help(self.help);
        let arg = if self.value.is_empty() { arg } else { arg.value_name(self.value) };
        match self.form {
            Form::Place => arg.default_value("."),
            Form::NewPlace | Form::NeededFile | Form::From => arg.required(true),
            Form::File | Form::MaybePlace | Form::Extra => arg.allow_negative_numbers(true),
            Form::Action(actions) => arg.required(true).value_parser(actions.to_vec()),
            Form::Words => arg.required(true).num_args(1..=2),
            Form::Option => arg.long(self.name).action(ArgAction::Set),
            Form::Time => arg.long(self.name).action(ArgAction::Set).allow_hyphen_values(true),
            Form::Choice(words) => arg.long(self.name).value_parser(words.to_vec()),
            Form::Many => {
                let arg = arg.long(self.name).action(ArgAction::Append);
                arg.hide(self.name == "fault")
            }
            Form::Switch => arg.long(self.name).action(ArgAction::SetTrue),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMANDS, parser, run};
    use std::ffi::OsString;

    fn code(arguments: &[&str]) -> u8 {
        let arguments = std::iter::once("methodical").chain(arguments.iter().copied());
        run(arguments.map(OsString::from)).map_or_else(|failure| failure.code, |()| 0)
    }

    #[test]
    fn the_table_is_a_parser() {
        parser().debug_assert();
        for command in COMMANDS {
            assert!(!command.about.ends_with('.'), "{}", command.name);
            assert_eq!(COMMANDS.iter().filter(|other| other.name == command.name).count(), 1);
        }
    }

    #[test]
    fn wrong_usage_is_2() {
        for wrong in [
            &["serv"][..],
            &[],
            &["init"],
            &["serve", "--lisen", "x"],
            &["init", "x", "--example", "no"],
            &["routes", "a", "b"],
            &["restore", "a"],
            &["check", "a", "--repair"],
        ] {
            assert_eq!(code(wrong), 2, "{wrong:?}");
        }
        assert_eq!(code(&["--version"]), 0);
        assert_eq!(code(&["serve", "--help"]), 0);
        assert_eq!(code(&["check", "/nowhere/at/all"]), 1);
    }
}
