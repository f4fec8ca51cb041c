//! A question to the change log: what was written since a position, of one resource or of all.

use contract::problem::{Place, Violation};
use form_urlencoded::Serializer;

use super::read::{Read, Rejection, is_ignored};
use super::term::{Term, whole};
use crate::model::{Model, ResourceIndex};
use crate::setting::Settings;
use crate::suggest;

/// The parameters that there are.
const WORDS: [&str; 3] = ["resource", "after", "limit"];
/// The longest text that can be a position.
const POSITION_BYTES_MAX: usize = 64;

/// A question to the change log.
#[derive(Clone, Debug, PartialEq)]
pub struct Since {
    /// Of this resource alone.
    pub resource: Option<ResourceIndex>,
    /// From where on.
    pub after: After,
    /// How many changes a page.
    pub limit: u32,
}

/// From where on changes are asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum After {
    /// From the oldest that is kept.
    Oldest,
    /// From the next one on: what is asked for is the place itself.
    Newest,
    /// After this position, as it was given. Whoever gave it knows what it means.
    Position(String),
}

impl Since {
    /// The same question from another position on, as the content of a URL after `?`.
    #[must_use]
    pub fn canonical(&self, model: &Model, after: &str) -> String {
        let mut out = Serializer::new(String::new());
        if let Some(index) = self.resource {
            out.append_pair("resource", &model.resources[index].name);
        }
        out.append_pair("after", after);
        out.append_pair("limit", &self.limit.to_string());
        out.finish()
    }

    /// The question itself, as `canonical`.
    #[must_use]
    pub fn text(&self, model: &Model) -> String {
        match &self.after {
            After::Oldest => self.canonical(model, ""),
            After::Newest => self.canonical(model, "now"),
            After::Position(text) => self.canonical(model, text),
        }
    }
}

/// Reads the parameters of a URL.
///
/// # Errors
/// All faults at once, with a listing of the parameters where one was unknown.
pub fn read_since(
    model: &Model,
    pairs: &[(String, String)],
    settings: &Settings,
) -> Result<Read<Since>, Rejection> {
    let limit = settings.page_rows_default.min(settings.page_rows_max);
    let mut since = Since { resource: None, after: After::Oldest, limit };
    let mut known: Vec<String> = Vec::new();
    let mut violations = Vec::new();
    let mut unknown = false;
    for (name, text) in pairs {
        let is_word = WORDS.contains(&name.as_str());
        if !is_word && is_ignored(model, name) {
            continue;
        }
        if violations.len() >= crate::schema::VIOLATIONS_MAX {
            break;
        }
        let read = if !is_word {
            unknown = true;
            Err(format!("is not a parameter of the changes{}", suggest::hint(name, WORDS)))
        } else if known.contains(name) {
            unknown = true;
            Err("is there more than once".to_owned())
        } else {
            known.push(name.clone());
            since.word(model, settings, name, text)
        };
        if let Err(detail) = read {
            let place = Place::Parameter(suggest::shown(name));
            violations.push(Violation { place, detail });
        }
    }
    if violations.is_empty() {
        return Ok(Read { query: since, known });
    }
    let detail = match unknown {
        true => format!("Known parameters: {}.", WORDS.join(", ")),
        false => "A parameter has a value that does not fit.".to_owned(),
    };
    Err(Rejection { unknown, detail, violations, known })
}

impl Since {
    fn word(
        &mut self,
        model: &Model,
        settings: &Settings,
        word: &str,
        text: &str,
    ) -> Result<(), String> {
        match word {
            "resource" => {
                let found = model.resources.iter().position(|resource| resource.name == text);
                let names = || model.resources.iter().map(|resource| resource.name.as_str());
                self.resource = Some(found.ok_or_else(|| {
                    let names: Vec<_> = names().collect();
                    format!("is no resource; there are {}", names.join(", "))
                })?);
            }
            "limit" => {
                let most = settings.page_rows_max;
                let expected = format!("must be a whole number from 1 to {most}");
                self.limit = whole(Term::Text(text), most, &expected)?;
            }
            _ if text == "now" => self.after = After::Newest,
            _ if text.is_empty() => self.after = After::Oldest,
            _ => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
                if text.len() > POSITION_BYTES_MAX || !text.bytes().all(plain) {
                    return Err("must be a position that an answer gave, or now".to_owned());
                }
                self.after = After::Position(text.to_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{After, Since, read_since};
    use crate::sample::model;
    use crate::setting::Settings;

    fn read(query: &str) -> Result<Since, Vec<String>> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        match read_since(&model(), &pairs, &Settings::default()) {
            Ok(read) => Ok(read.query),
            Err(rejection) => {
                Err(rejection.violations.into_iter().map(|fault| fault.detail).collect())
            }
        }
    }

    #[test]
    fn a_question_is_read_and_written_again() {
        let model = model();
        let name = &model.resources[1].name;
        let all = Since { resource: None, after: After::Oldest, limit: 20 };
        assert_eq!(read("").unwrap(), all);
        assert_eq!(read("after=").unwrap(), all);
        let query = format!("resource={name}&after=12-ab&limit=7&utm_source=x");
        let one = read(&query).unwrap();
        let after = After::Position("12-ab".to_owned());
        assert_eq!(one, Since { resource: Some(1), after, limit: 7 });
        assert_eq!(read(&one.text(&model)).unwrap(), one);
        assert_eq!(read("after=now").unwrap().text(&model), "after=now&limit=20");
        assert_eq!(one.canonical(&model, "13-ab"), format!("resource={name}&after=13-ab&limit=7"));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (query, expected) in [
            ("resource=nothing", "is no resource; there are "),
            ("limit=0", "from 1 to 100"),
            ("limit=101", "from 1 to 100"),
            ("after=a%20b", "a position that an answer gave"),
            ("after=now&after=now", "more than once"),
            ("aftr=now", "did you mean"),
        ] {
            let faults = read(query).unwrap_err();
            assert!(faults[0].contains(expected), "{query}: {faults:?}");
        }
        let long = format!("after={}", "1".repeat(65));
        assert!(read(&long).is_err());
    }
}
