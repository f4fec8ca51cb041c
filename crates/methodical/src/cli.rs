//! COMMANDS: every command with its arguments and words. The parser and the help are read from
//! this table.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches};

use crate::command::{check, export, import, init, routes, serve};
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
    /// `NAME`, where it is not left out.
    Extra,
    /// `[NAME] NAME`.
    Words,
    /// `--name VALUE`.
    Option,
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

const fn option(name: &'static str, value: &'static str, help: &'static str) -> Argument {
    Argument { name, value, help, form: Form::Option }
}

const DATABASE: Argument =
    option("database", "PATH", "The database file; beside the declaration if relative");
const SET: Argument = Argument {
    name: "set",
    value: "KEY=VALUE",
    help: "Any setting, such as limits.content=\"2 MiB\"; can be repeated",
    form: Form::Many,
};

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
            DATABASE,
            option("log-format", "FORMAT", "text or json"),
            option("log-level", "LEVEL", "error, warn, info or debug"),
            SET,
            Argument {
                name: "watch",
                value: "",
                help: "Reload a valid declaration when it changes; keep the old one on an error",
                form: Form::Switch,
            },
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
        about: "Say what is wrong with the declaration, and what is open to everybody",
        details: "Exits 1 where there is an error.",
        arguments: &[PLACE],
        run: check::run,
    },
    Command {
        name: "routes",
        about: "List what the API answers: methods, paths, statuses",
        details: "This is the contract's table, narrowed by the declaration.",
        arguments: &[
            PLACE,
            Argument {
                name: "json",
                value: "",
                help: "One JSON object a line",
                form: Form::Switch,
            },
        ],
        run: routes::run,
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
            Form::NewPlace => arg.required(true),
            Form::Extra => arg,
            Form::Words => arg.required(true).num_args(1..=2),
            Form::Option => arg.long(self.name).action(ArgAction::Set),
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
        ] {
            assert_eq!(code(wrong), 2, "{wrong:?}");
        }
        assert_eq!(code(&["--version"]), 0);
        assert_eq!(code(&["serve", "--help"]), 0);
        assert_eq!(code(&["check", "/nowhere/at/all"]), 1);
    }
}
