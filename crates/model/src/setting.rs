//! SETTINGS: everything an operator can set, each with its unit, default and reason. The same
//! table reads the file, the environment (`METHODICAL_…`) and `--set`, and writes the reference.

use crate::complaint::Complaint;
use crate::network::Networks;
use crate::suggest;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

mod text;

use text::FromText;
pub use text::duration;

/// How a setting is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Plain text.
    Text,
    /// `HOST:PORT`.
    Address,
    /// A path, or `sqlite:PATH`.
    Database,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number, 1 to this.
    Number(u64),
    /// Bytes: `65536`, `"64 KiB"`, `"1 MiB"`.
    Bytes,
    /// A time: `"250 ms"`, `"2s"`, `"24h"`, `"7d"`.
    Time,
    /// A time, or `off`.
    TimeOrOff,
    /// `HOST:PORT`, or `off`.
    AddressOrOff,
    /// `https://HOST[:PORT]` or `http://HOST[:PORT]`, or `off`.
    OriginOrOff,
    /// Addresses and networks with commas between them, or `off`.
    NetworksOrOff,
    /// Texts with commas between them, or `off`.
    ListOrOff,
    /// A path, or `off`.
    PathOrOff,
    /// Plain text, or `off`.
    TextOrOff,
    /// A whole number, 1 to this, or `off`.
    NumberOrOff(u64),
}

/// A setting's line in the table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key in the file; a dot means a table: `limits.target`.
    pub key: &'static str,
    /// How it is written.
    pub form: Form,
    /// Its default, as it would be written.
    pub default: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

macro_rules! settings {
    ($($field:ident: $type:ty = $key:literal, $form:expr, $default:literal,
        $meaning:literal;)*) => {
        /// Every setting, in the order of the reference.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            key: $key, form: $form, default: $default, meaning: $meaning,
        },)*];

        /// The settings as the program uses them.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings { $(#[doc = $meaning] pub $field: $type,)* }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: <$type as FromText>::from_text($form, $default)
                    .expect("a default fits its own form"),)* }
            }
        }

        impl Settings {
            /// Sets one setting from text, whatever its source.
            ///
            /// # Errors
            /// Says what was expected, or that no setting has this key.
            pub fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
                match key {
                    $($key => {
                        self.$field = <$type as FromText>::from_text($form, text)?;
                        Ok(())
                    })*
                    _ => Err(unknown(key)),
                }
            }
        }
    };
}

settings! {
    database: String = "database", Form::Database, "data.db",
        "The database: a file beside the declaration, or `sqlite:PATH`.";
    listen: String = "listen", Form::Address, "127.0.0.1:8080",
        "Address and port to listen on. Who comes from another machine with a secret has to \
         come over TLS: see `tls.…`, or declare the proxy in front that speaks it (`proxies`).";
    tls_source: String = "tls.source", Form::Word(&["files", "acme", "self-signed"]), "files",
        "Where certificates come from: the files that are named below, and without them nothing is \
         encrypted; `acme`, from an authority such as Let's Encrypt; or `self-signed`, made by \
         `serve` itself, for development.";
    tls_certificates: Vec<String> = "tls.certificate", Form::ListOrOff, "off",
        "Files with a certificate each in PEM, with those that lead to its issuer behind it; \
         beside the declaration if relative. Read again when they change.";
    tls_keys: Vec<String> = "tls.key", Form::ListOrOff, "off",
        "The files of their private keys in PEM, without a passphrase, in the same order.";
    tls_plain: Option<String> = "tls.plain", Form::AddressOrOff, "off",
        "Address and port, beside `listen`, where plain HTTP is sent on to HTTPS (308), and \
         refused where it carries a secret.";
    tls_hsts: Option<Duration> = "tls.hsts", Form::TimeOrOff, "180d",
        "How long browsers that have come over TLS keep to it, on every port of this host name \
         (Strict-Transport-Security); never sent for a self-signed certificate.";
    proxy_protocol: String = "proxy_protocol", Form::Word(&["off", "on"]), "off",
        "Whether the proxies that are declared begin each connection with the PROXY protocol \
         (version 1 or 2), which names the client.";
    acme_names: Vec<String> = "acme.names", Form::ListOrOff, "off",
        "The names that a certificate is ordered for, where `tls.source` is `acme`: all of them \
         have to lead to this machine.";
    acme_email: Option<String> = "acme.email", Form::TextOrOff, "off",
        "Where the authority writes about the certificate.";
    acme_directory: String = "acme.directory", Form::Text,
        "https://acme-v02.api.letsencrypt.org/directory",
        "The authority. With the certificate its terms of service are agreed to.";
    acme_challenge: String = "acme.challenge",
        Form::Word(&["any", "tls-alpn-01", "http-01"]), "any",
        "How a name is shown to be ours: over TLS at port 443, or over plain HTTP at port 80 (see \
         `tls.plain`). `any` tries one after the other.";
    acme_dir: String = "acme.dir", Form::Text, "acme",
        "The folder of the account, the certificate and its key; beside the declaration if \
         relative.";
    acme_retry: Duration = "acme.retry", Form::Time, "1m",
        "How long after a failure it is tried again; twice as long with each, up to a day.";
    acme_account: Option<String> = "acme.account", Form::TextOrOff, "off",
        "The number under which an authority knows you already (external account binding).";
    acme_account_key: Option<String> = "acme.account_key", Form::TextOrOff, "off",
        "The key that the authority gave with it, as `${NAME}`.";
    origin: Option<String> = "origin", Form::OriginOrOff, "off",
        "Where browsers reach this API, `https://shop.example`: pages of that origin act under the \
         cookie of a session, and with https the cookie is sent over TLS alone. `http://` is for \
         development: there the cookie crosses the network in the clear.";
    proxies: Networks = "proxies", Form::NetworksOrOff, "off",
        "Addresses and networks of the proxies in front, `[\"127.0.0.1\", \"10.0.0.0/8\"]`. From \
         them alone it is believed for whom they ask.";
    forwarded: String = "forwarded", Form::Word(&["x-forwarded", "forwarded"]), "x-forwarded",
        "In which fields proxies say for whom they ask: X-Forwarded-For, -Proto and -Host, or \
         Forwarded (RFC 7239). The other means nothing, because proxies pass it on as it comes.";
    login_address_max: u64 = "login.address", Form::Number(1_000_000), "60",
        "Most passwords a minute that are tried from one address (429); of IPv6, from one /64.";
    login_account_max: u64 = "login.account", Form::Number(1_000_000), "10",
        "Most passwords a minute that are tried from one address for one user (429).";
    sign_ups_max: u64 = "login.sign_ups", Form::Number(1_000_000), "100",
        "Most passwords a minute that are set from one address by whoever is no admin (429); each \
         of a bulk counts.";
    login_confirmed: String = "login.confirmed", Form::Word(&["off", "on"]), "off",
        "Whether only those sign in who have confirmed their address by the link in a mail (403).";
    login_threads: usize = "login.threads", Form::Number(64), "2",
        "Threads that hash and verify passwords, at a low priority; each takes 19 MiB meanwhile.";
    login_queue_max: usize = "login.queue", Form::Number(10_000), "32",
        "Most passwords that wait to be verified, and as many to be hashed (429). Where they would \
         wait longer than 2 s, fewer may.";
    log_format: String = "log.format", Form::Word(&["text", "json"]), "text",
        "How log lines are written.";
    log_level: String = "log.level", Form::Word(&["error", "warn", "info", "debug"]), "info",
        "What is logged. `info` has one line a request.";
    target_bytes_max: usize = "limits.target", Form::Bytes, "8192",
        "Longest request target (414); nginx and Apache take as much.";
    fields_bytes_max: usize = "limits.fields", Form::Bytes, "64 KiB",
        "Largest header section (431).";
    fields_max: usize = "limits.field_count", Form::Number(1000), "100",
        "Most header fields in a request (431).";
    content_bytes_max: usize = "limits.content", Form::Bytes, "1 MiB",
        "Largest content of a request (413).";
    bulk_bytes_max: usize = "limits.bulk", Form::Bytes, "64 MiB",
        "Largest content with many records (413); each of them may have `limits.content`.";
    bulk_rows_max: usize = "limits.bulk_rows", Form::Number(10_000_000), "100000",
        "Most records that one request creates (413).";
    bulk_passwords_max: usize = "limits.bulk_passwords", Form::Number(10_000), "100",
        "Most passwords that one request sets (422): hashing each takes milliseconds on purpose.";
    bulks_max: usize = "limits.bulks", Form::Number(1000), "8",
        "Most requests at one time whose many records do not fit into the 1 MiB of memory that \
         each has: the rest waits for the writer on the disk.";
    import_waiting_rows_max: usize = "limits.import_waiting", Form::Number(100_000_000), "500000",
        "Most rows of an import that wait for rows further on; each takes some hundred bytes of \
         memory.";
    address_reads_max: Option<u64> = "limits.reads_per_address", Form::NumberOrOff(1_000_000_000),
        "12000",
        "Most reads a minute from one address (429); of IPv6, from one /64. Whoever is on this \
         machine is not counted, unless another number than this is set.";
    address_writes_max: Option<u64> = "limits.writes_per_address", Form::NumberOrOff(1_000_000_000),
        "1200",
        "The same of writes. Each operation of a batch and each record of a bulk counts.";
    caller_reads_max: Option<u64> = "limits.reads_per_caller", Form::NumberOrOff(1_000_000_000),
        "12000",
        "Most reads a minute by one user or key (429), wherever they come from; as to this \
         machine, as above.";
    caller_writes_max: Option<u64> = "limits.writes_per_caller", Form::NumberOrOff(1_000_000_000),
        "6000",
        "The same of writes, by one user or key.";
    connections_max: usize = "limits.connections", Form::Number(1_000_000), "10000",
        "Most connections at one time; more are turned away (503).";
    address_connections_max: usize = "limits.connections_per_address", Form::Number(1_000_000),
        "256",
        "Most connections at one time from one address; of IPv6, from one /64. Declared proxies \
         may have more, and this machine, unless another number than this is set.";
    requests_max: usize = "limits.requests", Form::Number(1_000_000), "1000",
        "Most requests that are at the database at one time; more are refused at once (503).";
    streams_max: u32 = "limits.streams", Form::Number(10_000), "100",
        "Most requests at one time over one connection of HTTP/2.";
    batch_operations_max: usize = "limits.batch", Form::Number(1000), "100",
        "Most operations in a batch (422).";
    page_rows_default: u32 = "limits.page_default", Form::Number(100), "20",
        "Records a page where no limit is given.";
    page_rows_max: u32 = "limits.page", Form::Number(1000), "100",
        "Most records a page.";
    offset_rows_max: u64 = "limits.offset", Form::Number(1_000_000), "10000",
        "Farthest record that a page number reaches.";
    include_rows_max: u32 = "limits.include", Form::Number(1000), "100",
        "Most records of a relation that one record includes; a link leads to the others.";
    included_rows_max: u32 = "limits.included", Form::Number(100_000), "2000",
        "Most records of a relation that one answer includes.";
    search_rows_max: u64 = "limits.search", Form::Number(10_000), "1000",
        "Farthest result that a search over all resources reaches.";
    count_rows_max: u64 = "limits.count", Form::Number(10_000_000), "10000",
        "Where counting a filtered list stops, and how many of the newest matches a search ranks.";
    cascade_rows_max: u32 = "limits.cascade", Form::Number(1_000_000), "10000",
        "Most records that a DELETE may delete or clear along with its own (409).";
    cascade_levels_max: u32 = "limits.cascade_depth", Form::Number(900), "500",
        "Longest chain of records, each deleted with the one before, that a DELETE follows (409); \
         its time grows with the square.";
    coding_bytes_min: usize = "limits.coding", Form::Bytes, "128",
        "Answers below this are not compressed: nothing would be saved.";
    first_byte_timeout: Duration = "timeouts.first_byte", Form::Time, "10s",
        "How long a new connection may be silent.";
    head_timeout: Duration = "timeouts.head", Form::Time, "10s",
        "How long a request line and its fields may take (408).";
    content_timeout: Duration = "timeouts.content", Form::Time, "60s",
        "How long the content of a request may take (408).";
    content_gap_timeout: Duration = "timeouts.content_gap", Form::Time, "10s",
        "How long a sender of content may be silent (408).";
    bulk_wait: Duration = "timeouts.bulk_wait", Form::Time, "10s",
        "How long a request with many records waits while `limits.bulks` others are at it (503).";
    idle_timeout: Duration = "timeouts.idle", Form::Time, "60s",
        "How long a connection may idle between requests.";
    send_timeout: Duration = "timeouts.send", Form::Time, "30s",
        "How long a reader of an answer may take nothing.";
    pace_min: usize = "timeouts.pace", Form::Bytes, "512",
        "Bytes a second, on average, below which a sender of content (408) and a reader of an \
         answer have only the time of `timeouts.content_gap` and `timeouts.send`.";
    shutdown_timeout: Duration = "timeouts.shutdown", Form::Time, "30s",
        "How long accepted requests may take after SIGTERM.";
    hand_over_timeout: Duration = "timeouts.hand_over", Form::Time, "5s",
        "How long accepted requests may take after SIGUSR2, when a new process takes over; who \
         connects meanwhile waits as long.";
    read_steps_max: u64 = "reads.steps", Form::Number(1_000_000_000), "20000",
        "Steps of the database's machine that a read may take on the worker; one that needs \
         more goes to the pool.";
    read_deadline: Duration = "reads.deadline", Form::Time, "2s",
        "How long a read may take in the pool (503).";
    read_threads: usize = "reads.threads", Form::Number(256), "4",
        "Threads for reads that take long.";
    read_queue_max: usize = "reads.queue", Form::Number(100_000), "256",
        "Most long reads that wait for a thread (503).";
    group_writes_max: usize = "writes.group", Form::Number(4096), "256",
        "Most writes that share a commit.";
    group_time_max: Duration = "writes.group_time", Form::Time, "5ms",
        "Longest time that a group of writes is collected.";
    write_queue_max: usize = "writes.queue", Form::Number(1_000_000), "10000",
        "Most writes that wait (503).";
    write_deadline: Duration = "writes.deadline", Form::Time, "20s",
        "How long a write waits for a database that another process has locked (503).";
    key_retention: Duration = "keys.retention", Form::Time, "24h",
        "How long an Idempotency-Key is remembered.";
    key_wait: Duration = "keys.wait", Form::Time, "10s",
        "How long a second request waits for the first with the same key (409).";
    key_answer_bytes_max: usize = "keys.answer", Form::Bytes, "64 KiB",
        "Largest content that is remembered; a larger one is left out of the first answer too.";
    keys_max: u64 = "keys.max", Form::Number(1_000_000_000), "10000000",
        "Most keys remembered for one principal (429).";
    backup_interval: Option<Duration> = "backup.every", Form::TimeOrOff, "off",
        "How often the running server backs up the database by itself.";
    backup_dir: String = "backup.dir", Form::Text, "backups",
        "The folder of backups; beside the declaration if relative. Made where it is missing.";
    backups_kept: usize = "backup.keep", Form::Number(10_000), "7",
        "How many backups stay in that folder; older ones are removed after each that succeeds.";
    backup_log_bytes_max: u64 = "backup.log", Form::Bytes, "4 GiB",
        "Size of the log of new writes, which grows while the database is copied, at which a \
         backup is given up.";
    metrics_listen: Option<String> = "metrics.listen", Form::AddressOrOff, "off",
        "Address and port of `/metrics`, for Prometheus. It shows numbers by route, no values.";
    traces_endpoint: Option<String> = "traces.endpoint", Form::TextOrOff, "off",
        "Where traces go: a collector of OpenTelemetry (OTLP over HTTP), \
         `http://127.0.0.1:4318`, which `outbound.private` has to allow. They have patterns, names \
         and numbers, no values.";
    traces_authorization: Option<String> = "traces.authorization", Form::TextOrOff, "off",
        "What the collector is sent as Authorization: `Bearer ${OTLP_TOKEN}`.";
    traces_every: u32 = "traces.every", Form::Number(1_000_000), "1",
        "One of so many requests is recorded; one that belongs to a trace already, where that is.";
    migrate_rows_max: u64 = "migrate.rows", Form::Number(1_000_000_000), "100000",
        "Tables with fewer records are migrated by `serve` itself, where nothing is lost.";
    mail_from: Option<String> = "mail.from", Form::TextOrOff, "off",
        "Who sends mail: `Shop <shop@shop.example>`. Without it none is sent.";
    mail_url: Option<String> = "mail.url", Form::TextOrOff, "off",
        "The server that takes mail: `smtps://USER:${SMTP_PASSWORD}@mail.example:465`, or \
         `smtp://` with STARTTLS at port 587.";
    mail_file: Option<String> = "mail.file", Form::PathOrOff, "off",
        "For development, in the place of a server: a folder where each mail becomes a file.";
    mail_templates: String = "mail.templates", Form::Text, "mail",
        "The folder of texts in the place of the built-in ones, `reset.txt` and `confirm.txt`: the \
         first line is the subject, and {link}, {title} and {hours} are filled in.";
    mail_reset_lifetime: Duration = "mail.reset_lifetime", Form::Time, "1h",
        "How long a link that sets a password is good.";
    mail_confirm_lifetime: Duration = "mail.confirm_lifetime", Form::Time, "48h",
        "How long a link that confirms an address is good.";
    outbound_private: Networks = "outbound.private", Form::NetworksOrOff, "off",
        "Addresses and networks that are not public and may be called all the same, in plain HTTP \
         too: an issuer of tokens, a collector of traces on your own network.";
    outbound_roots: Option<String> = "outbound.roots", Form::PathOrOff, "off",
        "A file of certificates in PEM that are trusted, beside those that browsers trust, when \
         somebody is called; beside the declaration if relative.";
    outbound_timeout: Duration = "outbound.timeout", Form::Time, "10s",
        "How long a call to somebody else may take.";
    change_retention: Duration = "changes.retention", Form::Time, "7d",
        "How long an entry of the change log is kept; who asks for older ones is told to begin \
         again (410).";
    session_lifetime: Duration = "sessions.lifetime", Form::Time, "14d",
        "How long a session lasts.";
    sessions_max: u64 = "sessions.per_user", Form::Number(100_000), "100",
        "Most sessions of one user; the oldest ends where there would be more.";
    audit_retention: Duration = "audit.keep", Form::Time, "90d",
        "How long an entry of the audit log is kept.";
}

/// A setting as a file has it: key, value as written, and where the value stands.
pub type Written = (String, String, Range<usize>);

impl Settings {
    /// Sets what a file says, with every `${NAME}` replaced from the environment. Complaints name
    /// the place and never the value that a variable had.
    #[must_use]
    pub fn apply(
        &mut self,
        written: &[Written],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        for (key, text, span) in written {
            let value = expand(text, environment);
            if let Err(fault) = value.and_then(|value| self.set(key, &value)) {
                complaints.push(Complaint::error(span.clone(), format!("`{key}`: {fault}"), None));
            }
        }
        complaints
    }

    /// Two settings that cannot both be meant: the key of one, and why. To be asked when all
    /// sources have been read.
    #[must_use]
    pub fn conflict(&self) -> Option<(&'static str, String)> {
        self.pages().or_else(|| self.encryption())
    }

    /// True where `listen` speaks TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.tls_source != "files" || !self.tls_certificates.is_empty()
    }

    /// True where others reach it by another address than `listen`.
    fn is_reached_otherwise(&self) -> bool {
        let listens = self.listen.parse::<SocketAddr>();
        listens.is_ok_and(|at| at.ip().is_unspecified()) || self.proxies != Networks::default()
    }

    fn pages(&self) -> Option<(&'static str, String)> {
        let (default, most) = (self.page_rows_default, self.page_rows_max);
        (default > most).then(|| {
            let why = format!(
                "`limits.page_default` ({default}) is above `limits.page` ({most}): \
                 a list without `limit` would ask for more than is allowed"
            );
            ("limits.page_default", why)
        })
    }

    fn encryption(&self) -> Option<(&'static str, String)> {
        let (certificates, keys) = (self.tls_certificates.len(), self.tls_keys.len());
        let is_plain = |origin: &String| origin.starts_with("http:");
        let (key, why) = if self.tls_source != "files" && certificates + keys > 0 {
            ("tls.certificate", format!("is not used where `tls.source` is {:?}", self.tls_source))
        } else if certificates > keys {
            ("tls.certificate", "needs `tls.key`, the file of its private key".to_owned())
        } else if keys > certificates {
            ("tls.key", "needs `tls.certificate`, the file of its certificate".to_owned())
        } else if self.tls_plain.is_some() && !self.has_tls() {
            ("tls.plain", "leads to HTTPS, which is off: set `tls.source`".to_owned())
        } else if self.has_tls() && self.origin.as_ref().is_some_and(is_plain) {
            ("origin", "begins with http://, but this API speaks HTTPS".to_owned())
        } else if self.tls_source == "acme" && self.acme_names.is_empty() {
            ("tls.source", "is `acme`, which needs the names of `acme.names`".to_owned())
        } else if self.tls_source == "acme"
            && self.acme_challenge == "http-01"
            && self.tls_plain.is_none()
        {
            ("acme.challenge", "is `http-01`, which needs `tls.plain`".to_owned())
        } else if self.mail_from.is_some() && self.mail_url.is_none() && self.mail_file.is_none() {
            ("mail.from", "needs `mail.url`, or `mail.file` for development".to_owned())
        } else if self.mail_from.is_some() && self.origin.is_none() && self.is_reached_otherwise() {
            ("mail.from", "needs `origin`, the URL that links in mail lead to".to_owned())
        } else if self.mail_from.is_none() && self.login_confirmed == "on" {
            ("login.confirmed", "needs mail, which `mail.from` turns on".to_owned())
        } else if self.mail_from.is_none() && self.mail_url.is_some() {
            ("mail.url", "sends nothing without `mail.from`".to_owned())
        } else if self.proxy_protocol == "on" && self.proxies == Networks::default() {
            ("proxy_protocol", "is believed of declared `proxies` only, and none is".to_owned())
        } else {
            return None;
        };
        Some((key, format!("`{key}` {why}")))
    }
}

/// Replaces every `${NAME}` by the variable's value; `$${` stands for a plain `${`.
///
/// # Errors
/// Names the variable that is not set, or says that a brace is missing. No value is shown.
pub fn expand(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            out.push_str(&rest[..at]);
            out.push('{');
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let Some((name, after)) = rest[at + 2..].split_once('}') else {
            return Err("`${` has no `}`; write `$${` for the characters themselves".to_owned());
        };
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(good) {
            return Err("between `${` and `}` stands the name of a variable".to_owned());
        }
        let value = environment(name);
        out.push_str(&value.ok_or_else(|| format!("the variable {name} is not set"))?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// True where a URL has a password of its own in it, not one that the environment brings.
#[must_use]
pub fn holds_password(text: &str) -> bool {
    let authority = text.split_once("://").map(|(_, rest)| rest.split('/').next());
    let userinfo = authority.flatten().and_then(|authority| authority.rsplit_once('@'));
    let password = userinfo.and_then(|(userinfo, _)| userinfo.split_once(':'));
    password.is_some_and(|(_, password)| {
        !(password.is_empty() || password.starts_with("${") && password.ends_with('}'))
    })
}

fn unknown(key: &str) -> String {
    let near = suggest::nearest(key, SETTINGS.iter().map(|setting| setting.key));
    let hint = near.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    format!("there is no setting `{key}`{hint}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_default_is_what_the_table_says() {
        let settings = Settings::default();
        assert_eq!(settings.target_bytes_max, 8_192);
        assert_eq!(settings.fields_bytes_max, 65_536);
        assert_eq!(settings.content_bytes_max, 1 << 20);
        assert_eq!(settings.key_retention, Duration::from_secs(86_400));
        assert_eq!(settings.group_time_max, Duration::from_millis(5));
        assert_eq!(settings.conflict(), None);
    }

    #[test]
    fn links_in_mail_need_a_place_that_others_reach() {
        let mut settings = Settings::default();
        settings.set("mail.from", "a@shop.example").unwrap();
        settings.set("mail.file", "out").unwrap();
        assert_eq!(settings.conflict(), None, "on this machine");
        settings.set("listen", "[::]:8080").unwrap();
        assert!(settings.conflict().is_some_and(|(_, why)| why.contains("`origin`")));
        settings.set("origin", "https://shop.example").unwrap();
        assert_eq!(settings.conflict(), None);
    }

    #[test]
    fn each_form_says_what_it_expects() {
        let mut settings = Settings::default();
        for (key, text, expected) in [
            ("limits.target", "0", "expected bytes"),
            ("limits.target", "1 MB", "expected bytes"),
            ("limits.target", "99999999999 GiB", "expected bytes"),
            ("limits.page", "0", "from 1 to 1000"),
            ("limits.page", "many", "from 1 to 1000"),
            ("timeouts.head", "0s", "from 1 ms"),
            ("timeouts.head", "5 parsecs", "expected a time"),
            ("timeouts.head", "10000d", "3650 days"),
            ("log.format", "xml", "one of: text, json"),
            ("listen", "8080", "expected HOST:PORT"),
            ("listen", "::1:80", "expected HOST:PORT"),
            ("listen", "localhost:99999", "expected HOST:PORT"),
            ("listen", "localhost:+80", "expected HOST:PORT"),
            ("database", "postgres://db/x", "PostgreSQL comes in a later version"),
            ("database", ":memory:", "in memory"),
            ("database", "mysql://db/x", "expected a file"),
            ("database", "file:x.db?mode=ro", "expected a file"),
            ("database", " ", "expected a file"),
            ("limits.targt", "1", "did you mean `limits.target`?"),
            ("backup.every", "daily", "or \"off\""),
            ("backup.keep", "0", "from 1 to 10000"),
            ("metrics.listen", "9090", "expected HOST:PORT"),
            ("origin", "shop.example", "expected an origin"),
            ("origin", "https://shop.example/", "expected an origin"),
            ("origin", "https://shop.example:443", "expected an origin"),
            ("origin", "https://Shop.example", "expected an origin"),
            ("proxies", "10.0.0.1/8", "bits behind"),
            ("proxies", "localhost", "no address or network"),
        ] {
            let fault = settings.set(key, text).unwrap_err();
            assert!(fault.contains(expected), "{key} = {text}: {fault}");
        }
        assert_eq!(settings, Settings::default());
        for (key, text) in [
            ("limits.target", "16 KiB"),
            ("timeouts.head", "250 ms"),
            ("timeouts.head", "2min"),
            ("listen", "[::1]:0"),
            ("database", "sqlite:/var/lib/shop.db"),
            ("backup.every", "24h"),
            ("metrics.listen", "127.0.0.1:9090"),
            ("origin", "https://shop.example"),
            ("origin", "http://[::1]:8080"),
        ] {
            settings.set(key, text).unwrap();
        }
        assert_eq!(settings.backup_interval, Some(Duration::from_hours(24)));
        settings.set("backup.every", "off").unwrap();
        assert_eq!(settings.backup_interval, None);
        assert_eq!(settings.target_bytes_max, 16_384);
        assert_eq!(settings.head_timeout, Duration::from_secs(120));
    }

    #[test]
    fn variables_are_replaced_and_never_shown() {
        let environment = |name: &str| match name {
            "PORT" => Some("8081".to_owned()),
            "SECRET" => Some("hunter2".to_owned()),
            _ => None,
        };
        let expand = |text| expand(text, &environment);
        assert_eq!(expand("127.0.0.1:${PORT}").unwrap(), "127.0.0.1:8081");
        assert_eq!(expand("$${PORT} costs 5$").unwrap(), "${PORT} costs 5$");
        assert_eq!(expand("${NONE}").unwrap_err(), "the variable NONE is not set");
        assert!(expand("${PORT").unwrap_err().contains("no `}`"));
        assert!(expand("${a b}").unwrap_err().contains("name of a variable"));
        let mut settings = Settings::default();
        let written = vec![
            ("listen".to_owned(), "${SECRET}".to_owned(), 3..9),
            ("limits.page".to_owned(), "50".to_owned(), 20..22),
        ];
        let complaints = settings.apply(&written, &environment);
        assert_eq!(complaints.len(), 1);
        assert_eq!(complaints[0].span, 3..9);
        assert!(!complaints[0].message.contains("hunter2"));
        assert_eq!(settings.page_rows_max, 50);
    }

    #[test]
    fn a_password_is_seen_only_where_one_is_written() {
        assert!(holds_password("postgres://me:pw@host/db"));
        assert!(!holds_password("postgres://me:${PW}@host/db"));
        assert!(!holds_password("postgres://me@host/db"));
        assert!(!holds_password("sqlite:a:b@c"));
    }
}
