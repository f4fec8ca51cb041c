//! `service`: units for systemd that run a folder as a service, bound to its addresses by systemd
//! itself and shut in its own folder.

use std::fs;
use std::io::{ErrorKind, Write};
use std::net::ToSocketAddrs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::site::Site;
use crate::failure::{Failure, Outcome};

const SERVICE: &str = include_str!("../template/methodical.service");
const SOCKET: &str = include_str!("../template/methodical.socket");
/// How much longer than the program itself systemd waits for its end.
const PATIENCE_S: u64 = 15;
/// Where homes are, which a service sees only where it has to.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// A unit: the name of its file, and its text.
type Unit = (String, String);

/// Installs or shows the units.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let site = Site::at(Path::new(text("place").unwrap_or(".")), matches)?;
    let name = text("name").map_or_else(|| default_name(&site.dir), |name| Ok(name.to_owned()))?;
    let user = match text("user") {
        Some(user) => user.to_owned(),
        None => owner(&site.dir)?,
    };
    let program = std::env::current_exe().and_then(fs::canonicalize).map_err(|fault| {
        Failure::refused(format!("the program's own file cannot be found: {fault}"))
    })?;
    let units = units(&site, &name, &user, &program)?;
    if text("action") == Some("show") {
        for (file, text) in units {
            println!("# {file}\n{text}");
        }
        return Ok(());
    }
    let folder = Path::new(text("to").unwrap_or("/etc/systemd/system"));
    let changed = write(folder, &units)?;
    let starts: Vec<&str> = units.iter().map(|(file, _)| file.as_str()).collect();
    if changed {
        eprintln!("Wrote {} to {}.", starts.join(", "), folder.display());
    } else {
        eprintln!("{} in {} are as they should be.", starts.join(", "), folder.display());
    }
    eprintln!(
        "Next:\n\n    systemctl daemon-reload\n    systemctl enable --now {}\n    journalctl \
         --follow --unit {name}\n\nAfter an update of the program or the declaration, without \
         refusing anybody:\n\n    systemctl reload {name}\n",
        starts.join(" ")
    );
    Ok(())
}

/// The name of the service where none is given: that of the folder.
fn default_name(dir: &Path) -> Result<String, Failure> {
    let dir = absolute(dir)?;
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    Ok(format!("methodical-{}", name.trim_matches('-')))
}

/// Whoever owns the folder, as systemd takes it: by number.
fn owner(dir: &Path) -> Result<String, Failure> {
    let number = fs::metadata(absolute(dir)?)
        .map_err(|fault| Failure::refused(format!("{}: {fault}", dir.display())))?
        .uid();
    if number != 0 {
        return Ok(number.to_string());
    }
    let dir = absolute(dir)?;
    Err(Failure::refused(format!(
        "{} belongs to root, and a service that strangers speak to should not run as root.\n\
         To make a user for it who owns the folder:\n\n    useradd --system --home-dir {0} \
         --shell /usr/sbin/nologin methodical\n    chown --recursive methodical: {0}\n\n\
         Then call this again, or name another user with --user.",
        dir.display()
    )))
}

fn absolute(dir: &Path) -> Result<PathBuf, Failure> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    fs::canonicalize(dir).map_err(|fault| Failure::refused(format!("{}: {fault}", dir.display())))
}

fn units(site: &Site, name: &str, user: &str, program: &Path) -> Result<Vec<Unit>, Failure> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(good) {
        return Err(Failure::usage(format!(
            "--name {name}: a service's name has letters, digits, `-`, `_` and `.`"
        )));
    }
    if user.is_empty() || !user.bytes().all(good) {
        return Err(Failure::usage(format!("--user {user}: this is no name of a user")));
    }
    let settings = &site.settings;
    let listens =
        [("listen", "", Some(&settings.listen)), ("plain", "-plain", settings.tls_plain.as_ref())];
    let mut sockets = Vec::new();
    for (socket, suffix, address) in listens {
        let Some(address) = address else { continue };
        let text = fill(
            SOCKET,
            &[
                ("title", &plain(&site.model.title)),
                ("address", &bound(address)?),
                ("socket", socket),
                ("service", &format!("{name}.service")),
            ],
        );
        sockets.push((format!("{name}{suffix}.socket"), text));
    }
    let mut units =
        vec![(format!("{name}.service"), service(site, name, user, program, &sockets)?)];
    units.append(&mut sockets);
    Ok(units)
}

fn service(
    site: &Site,
    name: &str,
    user: &str,
    program: &Path,
    sockets: &[Unit],
) -> Result<String, Failure> {
    let dir = absolute(&site.dir)?;
    let writable = writable(site, &dir);
    let sees_home = |path: &PathBuf| HOMES.iter().any(|home| path.starts_with(home));
    let at_home = writable.iter().chain([&program.to_owned()]).any(sees_home);
    let names: Vec<&str> = sockets.iter().map(|(file, _)| file.as_str()).collect();
    let names = names.join(" ");
    // What is not there yet is passed over by systemd.
    let paths: Vec<String> = writable.iter().map(|path| quoted("-", path)).collect();
    Ok(fill(
        SERVICE,
        &[
            ("name", name),
            ("title", &plain(&site.model.title)),
            ("sockets", &format!("Requires={names}\nAfter={names}\n")),
            ("program", &quoted("", program)),
            ("dir", &quoted("", &dir)),
            ("user", user),
            ("stop", &(site.settings.shutdown_timeout.as_secs() + PATIENCE_S).to_string()),
            ("writable", &paths.join(" ")),
            ("home", if at_home { "read-only" } else { "yes" }),
        ],
    ))
}

/// The folders that are written to, each once: none lies inside another.
fn writable(site: &Site, dir: &Path) -> Vec<PathBuf> {
    let database = dir.join(&site.database);
    let of_database = database.parent().unwrap_or(dir).to_owned();
    let mut found: Vec<PathBuf> = vec![dir.to_owned()];
    for path in [of_database, dir.join(&site.settings.backup_dir)] {
        let path = fs::canonicalize(&path).unwrap_or(path);
        if !found.iter().any(|above| path.starts_with(above)) {
            found.push(path);
        }
    }
    found
}

/// An address as systemd takes it: it looks no names up.
fn bound(listen: &str) -> Result<String, Failure> {
    let mut found = listen.to_socket_addrs().into_iter().flatten();
    let address = found.next().filter(|address| address.port() != 0);
    address.map(|address| address.to_string()).ok_or_else(|| {
        Failure::refused(format!(
            "`listen` is {listen}: a service needs an address and a port that stay the same"
        ))
    })
}

/// A line of text in a unit: without what systemd would replace.
fn plain(text: &str) -> String {
    text.replace('%', "%%").replace(['\n', '\r'], " ")
}

/// A path as one word of a unit's line.
fn quoted(before: &str, path: &Path) -> String {
    let text = path.to_string_lossy();
    let special = |letter: char| letter.is_whitespace() || "\"'\\;$".contains(letter);
    if !text.contains(special) {
        return format!("{before}{}", text.replace('%', "%%"));
    }
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{before}{}\"", text.replace('%', "%%").replace('$', "$$"))
}

fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// Writes units that are not there as they should be. Those that somebody else wrote are left.
fn write(folder: &Path, units: &[Unit]) -> Result<bool, Failure> {
    let failed = |path: &Path, fault: &std::io::Error| {
        let next = match fault.kind() {
            ErrorKind::PermissionDenied => {
                "\nOnly root may write there: call this with sudo, or look at the units with \
                 `service show`."
            }
            ErrorKind::NotFound => "\nThere is no such folder: is this a system with systemd?",
            _ => "",
        };
        Failure::refused(format!("{}: {fault}{next}", path.display()))
    };
    let ours = SERVICE.lines().next().unwrap_or_default();
    for (file, _) in units {
        let path = folder.join(file);
        let foreign = fs::read_to_string(&path)
            .is_ok_and(|text| !text.starts_with(ours.split('.').next().unwrap_or(ours)));
        if foreign {
            return Err(Failure::refused(format!(
                "{} was not written by this command and is left as it is: choose another --name",
                path.display()
            )));
        }
    }
    let mut changed = false;
    for (file, text) in units {
        let path = folder.join(file);
        if fs::read_to_string(&path).is_ok_and(|there| there == *text) {
            continue;
        }
        let part = folder.join(format!(".{file}.new"));
        let written = fs::File::create(&part)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&part, &path));
        written.map_err(|fault| failed(&path, &fault))?;
        changed = true;
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::{bound, plain, quoted};
    use std::path::Path;

    #[test]
    fn what_systemd_would_read_otherwise_is_escaped() {
        assert_eq!(quoted("", Path::new("/srv/shop")), "/srv/shop");
        assert_eq!(quoted("-", Path::new("/srv/100%")), "-/srv/100%%");
        assert_eq!(quoted("-", Path::new("/srv/my \"shop\"$")), r#""-/srv/my \"shop\"$$""#);
        assert_eq!(plain("100 %\nExecStart=/bin/sh"), "100 %% ExecStart=/bin/sh");
    }

    #[test]
    fn a_service_is_bound_to_what_stays() {
        assert_eq!(bound("127.0.0.1:443").ok().as_deref(), Some("127.0.0.1:443"));
        assert_eq!(bound("[::1]:443").ok().as_deref(), Some("[::1]:443"));
        assert!(bound("127.0.0.1:0").is_err());
        assert!(bound("nobody.invalid:443").is_err());
    }
}
