//! The keys at the top of the file: what the API is called, where it answers, and the settings.

use super::{Check, Setting, Word};
use crate::setting::{self, SETTINGS, Settings};
use crate::source::{Entry, Node, Table, Written};

/// The keys at the top that are not settings.
pub(crate) const TOP_KEYS: &[&str] = &[
    "title",
    "description",
    "prefix",
    "alias",
    "seed",
    "origins",
    "origins_credentials",
    "ignore_parameters",
    "roles",
    "issuers",
    "resources",
];

/// Parameters that come into URLs by other people's hands.
const IGNORED: &[&str] = &["_", "utm_*", "fbclid", "gclid", "msclkid"];

/// The parameters of lists: nobody may have them ignored.
pub(crate) const PARAMETERS: &[&str] =
    &["page", "limit", "sort", "fields", "count", "cursor", "include", "q", "query"];

pub(super) struct Top {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) prefix: Word,
    pub(super) alias: Vec<Word>,
    pub(super) seed: Option<String>,
    pub(super) origins: Vec<String>,
    pub(super) origins_credentials: bool,
    pub(super) ignore_parameters: Vec<String>,
}

/// Reads the keys that are not settings; complains of those that nobody knows.
pub(super) fn read(check: &mut Check, root: &Table) -> Top {
    unknown(check, root);
    let title = check.prose(root, "title").unwrap_or_else(|| "API".to_owned());
    let description = check.prose(root, "description");
    let prefix = check.text(root, "prefix").and_then(|word| base(check, "prefix", word));
    let prefix = prefix.unwrap_or(Word { text: "/api".to_owned(), span: 0..0 });
    let alias = check.texts(root, "alias");
    let alias = alias.into_iter().filter_map(|word| base(check, "alias", word)).collect();
    let origins = super::origin::read(check, root);
    let trusts = super::origin::with_cookies(check, root, origins.as_deref());
    Top {
        origins: origins.unwrap_or_default(),
        origins_credentials: trusts,
        title,
        description,
        prefix,
        alias,
        seed: seed(check, root),
        ignore_parameters: ignored(check, root),
    }
}

/// True for a key of the top, a setting's too: TOML takes one that follows a table into it.
pub(super) fn is_key(key: &str) -> bool {
    let heads = SETTINGS.iter().map(|setting| setting.key.split('.').next().unwrap_or_default());
    TOP_KEYS.iter().copied().chain(heads).any(|known| known == key)
}

fn unknown(check: &mut Check, root: &Table) {
    let groups = SETTINGS.iter().map(|setting| setting.key.split('.').next().unwrap_or_default());
    let mut known: Vec<&str> = TOP_KEYS.iter().copied().chain(groups).collect();
    known.dedup();
    for entry in &root.entries {
        if known.contains(&entry.key.as_str()) {
            continue;
        }
        let hint = match &entry.node.written {
            Written::Table(inner) if inner.get("fields").is_some() => {
                format!("a resource stands under `resources`: [resources.{}]", entry.key)
            }
            _ => SETTINGS
                .iter()
                .find(|setting| setting.key.split_once('.').is_some_and(|(_, k)| k == entry.key))
                .map(|setting| format!("write `{} = …`", setting.key))
                .unwrap_or_default(),
        };
        check.unknown(entry, "the top of the declaration", &known, &hint);
    }
}

/// A path before the resources: `/api`, or `/` for the root, which the Model has as `""`.
fn base(check: &mut Check, key: &str, word: Word) -> Option<Word> {
    let Word { text, span } = word;
    if text == "/" {
        return Some(Word { text: String::new(), span });
    }
    let plain = text.trim_matches('/');
    let good = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
    };
    let help = if plain.is_empty() {
        "write \"/\" for the root".to_owned()
    } else if plain.split('/').all(good) {
        format!("write \"/{plain}\"")
    } else {
        "write a path such as \"/api\" or \"/api/v1\": letters, digits and . _ ~ -".to_owned()
    };
    if !text.starts_with('/') {
        check.error(&span, format!("`{key}` must begin with /"), &help);
    } else if text.ends_with('/') {
        check.error(&span, format!("`{key}` must not end with /"), &help);
    } else if !text[1..].split('/').all(good) {
        check.error(&span, format!("`{key}` is not a plain path"), &help);
    } else {
        return Some(Word { text, span });
    }
    None
}

fn seed(check: &mut Check, root: &Table) -> Option<String> {
    let word = check.text(root, "seed")?;
    if word.text.trim().is_empty() || word.text.contains('\0') {
        let help = "name a folder beside the declaration, such as \"seed/\"";
        check.error(&word.span, "`seed` is not the name of a folder", help);
    }
    Some(word.text)
}

fn ignored(check: &mut Check, root: &Table) -> Vec<String> {
    if root.get("ignore_parameters").is_none() {
        return IGNORED.iter().map(|name| (*name).to_owned()).collect();
    }
    let words = check.texts(root, "ignore_parameters");
    for Word { text, span } in &words {
        let stem = text.strip_suffix('*').unwrap_or(text);
        if text.is_empty() {
            check.error(span, "this name is empty", "");
        } else if stem.contains('*') {
            let help = "`*` stands at the end only: \"utm_*\"";
            check.error(span, format!("\"{text}\" is not a name or a beginning"), help);
        } else if let Some(name) = PARAMETERS
            .iter()
            .find(|name| if stem == text { **name == text } else { name.starts_with(stem) })
        {
            let help = "name only what others add to your URLs, such as \"utm_*\"";
            check.error(span, format!("\"{text}\" would have `{name}` ignored"), help);
        }
    }
    words.into_iter().map(|word| word.text).collect()
}

/// Reads every setting in the file, and tries those that need no environment.
pub(super) fn settings(check: &mut Check, root: &Table) -> Vec<Setting> {
    let mut found = Vec::new();
    for entry in &root.entries {
        let group = format!("{}.", entry.key);
        if SETTINGS.iter().any(|setting| setting.key == entry.key) {
            found.extend(one(check, &entry.key, entry));
        } else if SETTINGS.iter().any(|setting| setting.key.starts_with(&group)) {
            let help = format!("write `{group}NAME = …`");
            let Some(inner) = check.table(entry, &help) else { continue };
            for inner in &inner.entries {
                found.extend(one(check, &format!("{group}{}", inner.key), inner));
            }
        }
    }
    let mut tried = Settings::default();
    let mut sound = true;
    for (key, value, span) in &found {
        let fault = if value.contains("${") {
            setting::expand(value, &|_| Some(String::new())).err()
        } else {
            tried.set(key, value).err()
        };
        if let Some(fault) = fault {
            check.error(span, format!("`{key}`: {fault}"), "");
            sound = false;
        }
    }
    if sound && let Some((key, fault)) = tried.conflict() {
        let place = found.iter().find(|(name, ..)| *name == key).or(found.first());
        let span = place.map_or(0..0, |(.., span)| span.clone());
        check.error(&span, fault, "");
    }
    found
}

fn one(check: &mut Check, key: &str, entry: &Entry) -> Option<Setting> {
    if !SETTINGS.iter().any(|setting| setting.key == key) {
        let known = SETTINGS.iter().map(|setting| setting.key);
        let help = super::did_you_mean(key, known.clone()).unwrap_or_else(|| {
            let group = key.split('.').next().unwrap_or_default();
            let near: Vec<&str> = known.filter(|known| known.starts_with(group)).collect();
            format!("there are: {}", near.join(", "))
        });
        check.error(&entry.key_span, format!("there is no setting `{key}`"), &help);
        return None;
    }
    let value = scalar(check, key, &entry.node)?;
    if key == "database" && setting::holds_password(&value) {
        let help = "write `${NAME}` in its place and set that variable where the server starts";
        check.warn(&entry.node.span, "a password stands in the declaration", help);
    }
    Some((key.to_owned(), value, entry.node.span.clone()))
}

fn is_list(key: &str) -> bool {
    let setting = SETTINGS.iter().find(|setting| setting.key == key);
    setting.is_some_and(|setting| {
        matches!(setting.form, setting::Form::NetworksOrOff | setting::Form::ListOrOff)
    })
}

fn scalar(check: &mut Check, key: &str, node: &Node) -> Option<String> {
    match &node.written {
        Written::Text(text) => Some(text.clone()),
        Written::Integer(number) => Some(number.to_string()),
        Written::List(items) if is_list(key) && !items.is_empty() => {
            let texts: Option<Vec<_>> = items.iter().map(|item| scalar(check, key, item)).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => {
            let message = format!("`{key}` must be a string or an integer, not {}", node.what());
            check.error(&node.span, message, "");
            None
        }
    }
}
