//! `init`: a commented declaration to start from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use clap::ArgMatches;

use crate::command::{FILE, place, shown};
use crate::failure::{Failure, Outcome};

/// A file of a template: its path below the folder, and its text.
type File<'a> = (&'a str, &'a str);

/// The name of the schema that the templates point editors to.
const SCHEMA: &str = "methodical.schema.json";

const MINIMAL: &[File<'static>] = &[(FILE, include_str!("../template/minimal.toml"))];

const SHOP: &[File<'static>] = &[
    (FILE, include_str!("../template/shop.toml")),
    ("seed/data.ndjson", include_str!("../../../../examples/shop/seed/data.ndjson")),
    ("seed/messages.ndjson", include_str!("../../../../examples/shop/seed/messages.ndjson")),
    ("seed/orders.ndjson", include_str!("../../../../examples/shop/seed/orders.ndjson")),
    ("seed/products.ndjson", include_str!("../../../../examples/shop/seed/products.ndjson")),
    ("seed/users.ndjson", include_str!("../../../../examples/shop/seed/users.ndjson")),
];

/// Writes the template.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let dir = place(matches);
    let example = matches.get_one::<String>("example").map(String::as_str);
    let template = if example == Some("shop") { SHOP } else { MINIMAL };
    let shown = shown(&dir);
    let wrote = dir.join(FILE);
    let Some(domain) = matches.get_one::<String>("domain") else {
        write(&dir, template)?;
        eprintln!("Wrote {}. Next:\n\n    methodical serve {shown}\n", wrote.display());
        return Ok(());
    };
    let public = public(domain, matches.get_one::<String>("email").map(String::as_str))?;
    let declaration = with_settings(template[0].1, &public);
    write(&dir, &[(FILE, &declaration)])?;
    eprintln!(
        "Wrote {}; it begins without records. {domain} has to lead to this machine, and ports 80 \
         and 443 have to be open.\n\
         Next:\n\n    methodical service install {shown}\n",
        wrote.display()
    );
    Ok(())
}

/// The settings of an API that is reached under this name from everywhere.
fn public(domain: &str, email: Option<&str>) -> Result<String, Failure> {
    let label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(inside)
    };
    if domain.len() > 253 || !domain.contains('.') || !domain.split('.').all(label) {
        return Err(Failure::usage(format!(
            "--domain {domain}: a name such as shop.example, in lower case and without https://"
        )));
    }
    let mut text = format!(
        "\n# On the internet: HTTPS with a certificate of Let's Encrypt, under a \
         name that leads here.\nlisten = \"[::]:443\"\norigin = \"https://{domain}\"\ntls.source = \
         \"acme\"\ntls.plain = \"[::]:80\"    # sent on to HTTPS\nacme.names = [\"{domain}\"]\n"
    );
    if let Some(email) = email {
        let plain = |letter: char| letter.is_ascii_graphic() && !"\"\\".contains(letter);
        if !email.contains('@') || !email.chars().all(plain) {
            return Err(Failure::usage(format!("--email {email}: this is no address of mail")));
        }
        text.push_str(&format!("acme.email = \"{email}\"\n"));
    }
    Ok(text)
}

/// A template with more settings behind its first ones. Without its records: they have users with
/// passwords that everybody can read.
fn with_settings(template: &str, settings: &str) -> String {
    let lines = template.split_inclusive('\n').filter(|line| !line.starts_with("seed "));
    let template: String = lines.collect();
    let at = template
        .find("\nprefix")
        .and_then(|at| template[at + 1..].find('\n').map(|end| at + 1 + end + 1));
    let (before, after) = template.split_at(at.unwrap_or(0));
    format!("{before}{settings}{after}")
}

/// Writes the files of a template, if none of them is there.
fn write(dir: &Path, files: &[File<'_>]) -> Outcome {
    let schema = serde_json::to_string_pretty(&model::declaration_schema::declaration_schema())
        .map_err(|fault| Failure::refused(format!("the schema cannot be written: {fault}")))?;
    let mut texts: Vec<(&str, &str)> = files.to_vec();
    texts.push((SCHEMA, &schema));
    let shown = shown(dir);
    if dir.is_file() {
        return Err(Failure::refused(format!("{shown} is a file: name a folder")));
    }
    if let Some((taken, _)) = texts.iter().find(|(name, _)| dir.join(name).exists()) {
        let next = if dir.join(FILE).exists() {
            format!("To serve what is there:\n\n    methodical serve {shown}\n")
        } else {
            "Remove it, or name another folder.".to_owned()
        };
        return Err(Failure::refused(format!(
            "{} is already there and is left as it is\n{next}",
            dir.join(taken).display(),
        )));
    }
    for (name, text) in texts {
        let path = dir.join(name);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
            // `create_new`: a file that appeared since is not overwritten either.
            let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            file.write_all(text.as_bytes())
        });
        written.map_err(|fault| {
            let why = match fault.kind() {
                ErrorKind::PermissionDenied => "you may not write there".to_owned(),
                _ => fault.to_string(),
            };
            Failure::refused(format!("{} cannot be written: {why}", path.display()))
        })?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{FILE, MINIMAL, SHOP, public, with_settings, write};
    use model::declaration;

    /// Whoever takes the # away from what a template offers has a sound declaration.
    #[test]
    fn what_a_template_offers_can_be_taken() {
        let (_, text) = MINIMAL[0];
        let offered = |line: &&str| {
            let bare = line.trim_start_matches("# ");
            let key = bare.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
            line.starts_with("# ") && (bare.starts_with('[') || key)
        };
        assert_eq!(text.lines().filter(offered).count(), 14);
        let all: Vec<&str> = text
            .lines()
            .map(|line| if offered(&line) { line.trim_start_matches("# ") } else { line })
            .collect();
        let reading = declaration::read(&all.join("\n"));
        assert!(reading.model.is_some(), "{:?}", reading.complaints);
    }

    #[test]
    fn an_api_on_the_internet_is_declared() {
        for template in [MINIMAL, SHOP] {
            let settings = public("shop.example", Some("me@shop.example")).unwrap();
            let reading = declaration::read(&with_settings(template[0].1, &settings));
            assert!(reading.model.is_some(), "{:?}", reading.complaints);
            let mut set = model::setting::Settings::default();
            assert_eq!(set.apply(&reading.settings, &|_| None), []);
            assert_eq!(set.origin.as_deref(), Some("https://shop.example"));
            assert_eq!(set.listen, "[::]:443");
            assert_eq!(reading.model.unwrap().seed, None);
        }
        for wrong in ["https://shop.example", "shop", "Shop.example", "shop..example", ""] {
            assert!(public(wrong, None).is_err(), "{wrong}");
        }
        assert!(public("shop.example", Some("me\"@x")).is_err());
    }

    #[test]
    fn a_refusal_names_what_can_be_done() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let failure = write(&file, MINIMAL).unwrap_err();
        assert!(failure.message.contains("is a file"), "{}", failure.message);
        std::fs::write(folder.path().join("methodical.schema.json"), "{}").unwrap();
        let failure = write(folder.path(), MINIMAL).unwrap_err();
        assert!(!failure.message.contains("methodical serve"), "{}", failure.message);
        assert!(!folder.path().join(FILE).exists());
    }

    #[test]
    fn templates_are_sound_and_written_once() {
        for template in [MINIMAL, SHOP] {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("new/one");
            write(&dir, template).unwrap();
            let text = std::fs::read_to_string(dir.join(FILE)).unwrap();
            let reading = declaration::read(&text);
            assert!(reading.model.is_some(), "{:?}", reading.complaints);
            assert!(dir.join("methodical.schema.json").exists());
            std::fs::write(dir.join(FILE), "mine").unwrap();
            let failure = write(&dir, template).unwrap_err();
            assert_eq!(failure.code, 1);
            assert!(failure.message.contains("methodical serve"), "{}", failure.message);
            assert_eq!(std::fs::read_to_string(dir.join(FILE)).unwrap(), "mine");
        }
    }
}
