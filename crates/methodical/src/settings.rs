//! Settings from file, environment and flags, each value knowing its origin. Flags win over the
//! environment, the environment over the file, the file over the defaults.

use std::fmt;
use std::path::Path;

use clap::ArgMatches;

use model::complaint::Complaint;
use model::setting::{SETTINGS, Settings, Written};

use crate::command::shown;
use crate::failure::Failure;

/// Flags that are short for `--set`.
const FLAGS: &[(&str, &str)] = &[
    ("listen", "listen"),
    ("tls", "tls.source"),
    ("database", "database"),
    ("log-format", "log.format"),
    ("log-level", "log.level"),
];

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody set it.
    Default,
    /// The declaration.
    File,
    /// A variable of the environment.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File => f.write_str("methodical.toml"),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// The settings of a run.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// The settings.
    pub(crate) settings: Settings,
    /// What is wrong with those in the file.
    pub(crate) complaints: Vec<Complaint>,
    /// Something to tell about the environment.
    pub(crate) warnings: Vec<String>,
    origins: Vec<(String, Origin)>,
}

/// What was given on the command line: key, value, and the flag it stood in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given(Vec<(String, String, String)>);

impl Given {
    /// What of it says where the database is, to be said again in a command: ` --database PATH`,
    /// or nothing.
    pub(crate) fn place(&self) -> String {
        let named = self.0.iter().rev().find(|(key, ..)| key == "database");
        named.map_or_else(String::new, |(_, value, _)| {
            format!(" --database {}", shown(Path::new(value)))
        })
    }

    /// Reads the flags of a command.
    ///
    /// # Errors
    /// Wrong usage: a `--set` without `=`.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Self, Failure> {
        let mut given = Vec::new();
        for (flag, key) in FLAGS {
            // A command that does not have this flag has no value for it.
            if let Some(value) = matches.try_get_one::<String>(flag).ok().flatten() {
                given.push(((*key).to_owned(), value.clone(), format!("--{flag}")));
            }
        }
        let set = matches.try_get_many::<String>("set").ok().flatten();
        for text in set.into_iter().flatten() {
            let (key, value) = text.split_once('=').ok_or_else(|| {
                Failure::usage("--set takes KEY=VALUE, such as --set limits.content=2MiB")
            })?;
            given.push((key.to_owned(), value.to_owned(), format!("--set {key}")));
        }
        Ok(Self(given))
    }
}

/// Resolves the settings of a run.
///
/// # Errors
/// Names the variable or flag whose value does not fit. Faults of the file are among the
/// complaints instead, with their place.
pub(crate) fn resolve(
    file: &[Written],
    environment: &[(String, String)],
    given: &Given,
) -> Result<Resolved, Failure> {
    let mut settings = Settings::default();
    let variable = |name: &str| {
        environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let complaints = settings.apply(file, &variable);
    let mut origins: Vec<_> = file.iter().map(|(key, ..)| (key.clone(), Origin::File)).collect();
    for setting in SETTINGS {
        let name = variable_name(setting.key);
        if let Some(value) = variable(&name).filter(|value| !value.is_empty()) {
            settings
                .set(setting.key, &value)
                .map_err(|fault| Failure::refused(format!("{name} in the environment: {fault}")))?;
            origins.push((setting.key.to_owned(), Origin::Environment(name)));
        }
    }
    for (key, value, flag) in &given.0 {
        settings.set(key, value).map_err(|fault| Failure::usage(format!("{flag}: {fault}")))?;
        origins.push((key.clone(), Origin::Flag(flag.clone())));
    }
    let resolved = Resolved { settings, complaints, warnings: unknown(environment), origins };
    if let Some((key, why)) = resolved.settings.conflict() {
        let origin = resolved.origin(key);
        return Err(Failure::refused(format!("{why} (`{key}` is from {origin})")));
    }
    Ok(resolved)
}

impl Resolved {
    /// Where the value of this setting came from.
    pub(crate) fn origin(&self, key: &str) -> Origin {
        let last = self.origins.iter().rev().find(|(known, _)| known == key);
        last.map_or(Origin::Default, |(_, origin)| origin.clone())
    }
}

/// The environment as text; what is not Unicode cannot be a setting.
pub(crate) fn environment() -> Vec<(String, String)> {
    let text = |value: std::ffi::OsString| value.into_string().ok();
    std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}

/// `log.format` is METHODICAL_LOG_FORMAT.
fn variable_name(key: &str) -> String {
    format!("METHODICAL_{}", key.replace('.', "_").to_ascii_uppercase())
}

/// Variables that look like settings and are none: a misspelt one would be dropped silently.
fn unknown(environment: &[(String, String)]) -> Vec<String> {
    let known: Vec<String> = SETTINGS.iter().map(|setting| variable_name(setting.key)).collect();
    environment
        .iter()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("METHODICAL_") && !known.contains(name))
        .map(|name| format!("no setting has the name of the environment variable {name}"))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Given, Origin, resolve};
    use model::setting::SETTINGS;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    fn given(key: &str, value: &str) -> Given {
        Given(vec![(key.to_owned(), value.to_owned(), format!("--{key}"))])
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let file = [
            ("listen".to_owned(), "127.0.0.1:1".to_owned(), 0..1),
            ("log.level".to_owned(), "warn".to_owned(), 0..1),
            ("log.format".to_owned(), "${FORMAT}".to_owned(), 0..1),
        ];
        let environment = [
            pair("METHODICAL_LISTEN", "127.0.0.1:2"),
            pair("METHODICAL_LOG_LEVEL", "debug"),
            pair("METHODICAL_LIMITS_FIELD_COUNT", "7"),
            pair("METHODICAL_DATABASE", ""),
            pair("METHODICAL_LISTN", "x"),
            pair("FORMAT", "json"),
        ];
        let resolved = resolve(&file, &environment, &given("listen", "127.0.0.1:3")).unwrap();
        assert_eq!(resolved.settings.listen, "127.0.0.1:3");
        assert_eq!(resolved.settings.log_level, "debug");
        assert_eq!(resolved.settings.log_format, "json");
        assert_eq!(resolved.settings.fields_max, 7);
        assert_eq!(resolved.settings.database, "data.db");
        assert_eq!(resolved.origin("listen"), Origin::Flag("--listen".to_owned()));
        assert_eq!(resolved.origin("log.format"), Origin::File);
        assert_eq!(resolved.origin("limits.target"), Origin::Default);
        assert_eq!(resolved.warnings.len(), 1);
        assert!(resolved.warnings[0].contains("METHODICAL_LISTN"));
    }

    #[test]
    fn faults_name_their_source() {
        let failure = resolve(&[], &[pair("METHODICAL_LIMITS_TARGET", "much")], &Given::default());
        let failure = failure.unwrap_err();
        assert_eq!(failure.code, 1);
        assert!(failure.message.contains("METHODICAL_LIMITS_TARGET"), "{}", failure.message);
        let failure = resolve(&[], &[], &given("limit.target", "5")).unwrap_err();
        assert_eq!(failure.code, 2);
        let file = [("limits.target".to_owned(), "much".to_owned(), 3..7)];
        assert_eq!(resolve(&file, &[], &Given::default()).unwrap().complaints[0].span, 3..7);
    }

    #[test]
    fn no_two_settings_share_a_variable() {
        let mut names: Vec<_> = SETTINGS.iter().map(|s| super::variable_name(s.key)).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
