//! SETTINGS: everything an operator can set, each with its unit, default and reason. The same
//! table reads the file, the environment (`METHODICAL_…`) and `--set`, and writes the reference.

use std::time::Duration;

/// How a setting is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Plain text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number, 1 to this.
    Number(u64),
    /// Bytes: `65536`, `"64 KiB"`, `"1 MiB"`.
    Bytes,
    /// A time: `"250 ms"`, `"2s"`, `"24h"`, `"7d"`.
    Time,
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
    ($($field:ident: $type:ty = $key:literal, $form:expr, $default:literal, $meaning:literal;)*) => {
        /// Every setting, in the order of the reference.
        pub const SETTINGS: &[Setting] = &[$(Setting { key: $key, form: $form, default: $default, meaning: $meaning },)*];

        /// The settings as the program uses them.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings { $(#[doc = $meaning] pub $field: $type,)* }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($field: <$type as FromText>::from_text($form, $default).expect("a default fits its own form"),)* }
            }
        }

        impl Settings {
            /// Sets one setting from text, whatever its source.
            ///
            /// # Errors
            /// Says what was expected, or that no setting has this key.
            pub fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
                match key {
                    $($key => { self.$field = <$type as FromText>::from_text($form, text)?; Ok(()) })*
                    _ => Err(unknown(key)),
                }
            }
        }
    };
}

settings! {
    database: String = "database", Form::Text, "data.db", "The database: a file beside the declaration, or `sqlite:PATH`.";
    listen: String = "listen", Form::Text, "127.0.0.1:8080", "Address and port to listen on. Loopback only until access rules are enforced.";
    log_format: String = "log.format", Form::Word(&["text", "json"]), "text", "How log lines are written.";
    log_level: String = "log.level", Form::Word(&["error", "warn", "info", "debug"]), "info", "What is logged. `info` has one line a request.";
    target_bytes_max: usize = "limits.target", Form::Bytes, "8192", "Longest request target (414); nginx and Apache take as much.";
    fields_bytes_max: usize = "limits.fields", Form::Bytes, "64 KiB", "Largest header section (431).";
    fields_max: usize = "limits.field_count", Form::Number(1000), "100", "Most header fields in a request (431).";
    content_bytes_max: usize = "limits.content", Form::Bytes, "1 MiB", "Largest content of a request (413).";
    connections_max: usize = "limits.connections", Form::Number(1_000_000), "10000", "Most connections at one time; more wait in the system's queue.";
    page_rows_default: u32 = "limits.page_default", Form::Number(100), "20", "Records a page where no limit is given.";
    page_rows_max: u32 = "limits.page", Form::Number(1000), "100", "Most records a page.";
    offset_rows_max: u64 = "limits.offset", Form::Number(1_000_000), "10000", "Farthest record that a page number reaches.";
    count_rows_max: u64 = "limits.count", Form::Number(10_000_000), "10000", "Where counting a filtered list stops.";
    coding_bytes_min: usize = "limits.coding", Form::Bytes, "128", "Answers below this are not compressed: nothing would be saved.";
    first_byte_timeout: Duration = "timeouts.first_byte", Form::Time, "10s", "How long a new connection may be silent.";
    head_timeout: Duration = "timeouts.head", Form::Time, "10s", "How long a request line and its fields may take (408).";
    content_timeout: Duration = "timeouts.content", Form::Time, "60s", "How long the content of a request may take (408).";
    content_gap_timeout: Duration = "timeouts.content_gap", Form::Time, "10s", "How long a sender of content may be silent (408).";
    idle_timeout: Duration = "timeouts.idle", Form::Time, "60s", "How long a connection may idle between requests.";
    send_timeout: Duration = "timeouts.send", Form::Time, "30s", "How long a reader of an answer may take nothing.";
    shutdown_timeout: Duration = "timeouts.shutdown", Form::Time, "30s", "How long accepted requests may take after SIGTERM.";
    read_steps_max: u64 = "reads.steps", Form::Number(1_000_000_000), "20000", "Steps of the database's machine that a read may take on the worker; one that needs more goes to the pool.";
    read_deadline: Duration = "reads.deadline", Form::Time, "2s", "How long a read may take in the pool (503).";
    read_threads: usize = "reads.threads", Form::Number(256), "4", "Threads for reads that take long.";
    read_queue_max: usize = "reads.queue", Form::Number(100_000), "256", "Most long reads that wait for a thread (503).";
    group_writes_max: usize = "writes.group", Form::Number(4096), "256", "Most writes that share a commit.";
    group_time_max: Duration = "writes.group_time", Form::Time, "5ms", "Longest time that a group of writes is collected.";
    write_queue_max: usize = "writes.queue", Form::Number(1_000_000), "10000", "Most writes that wait (503).";
    write_deadline: Duration = "writes.deadline", Form::Time, "20s", "How long a write waits for a database that another process has locked (503).";
    key_retention: Duration = "keys.retention", Form::Time, "24h", "How long an Idempotency-Key is remembered.";
    key_wait: Duration = "keys.wait", Form::Time, "10s", "How long a second request waits for the first with the same key (409).";
    key_answer_bytes_max: usize = "keys.answer", Form::Bytes, "64 KiB", "Largest content that is remembered; a larger one is left out of the first answer too.";
    keys_max: u64 = "keys.max", Form::Number(1_000_000_000), "10000000", "Most keys remembered for one principal (429).";
}

trait FromText: Sized {
    fn from_text(form: Form, text: &str) -> Result<Self, String>;
}

fn unknown(key: &str) -> String {
    format!("there is no setting `{key}`")
}

impl FromText for String {
    fn from_text(form: Form, text: &str) -> Result<Self, String> {
        match form {
            Form::Word(words) if !words.contains(&text) => {
                Err(format!("expected one of: {}", words.join(", ")))
            }
            _ => Ok(text.to_owned()),
        }
    }
}

impl FromText for u64 {
    fn from_text(form: Form, text: &str) -> Result<Self, String> {
        let most = if let Form::Number(most) = form { most } else { u64::MAX };
        if matches!(form, Form::Bytes) {
            return bytes(text);
        }
        match text.parse::<Self>() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            _ => Err(format!("expected a whole number from 1 to {most}")),
        }
    }
}

impl FromText for usize {
    fn from_text(form: Form, text: &str) -> Result<Self, String> {
        u64::from_text(form, text).map(|number| Self::try_from(number).unwrap_or(Self::MAX))
    }
}

impl FromText for u32 {
    fn from_text(form: Form, text: &str) -> Result<Self, String> {
        u64::from_text(form, text).map(|number| Self::try_from(number).unwrap_or(Self::MAX))
    }
}

impl FromText for Duration {
    fn from_text(_: Form, text: &str) -> Result<Self, String> {
        duration(text)
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim()))
}

/// Reads a number of bytes: `65536`, `64 KiB`.
fn bytes(text: &str) -> Result<u64, String> {
    let hint = || "expected bytes, such as 65536, \"64 KiB\" or \"1 MiB\"".to_owned();
    let (number, unit) = split(text).ok_or_else(hint)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(hint()),
    };
    number.checked_mul(factor).ok_or_else(hint)
}

/// Reads a time: `250 ms`, `2s`, `24h`, `7d`.
fn duration(text: &str) -> Result<Duration, String> {
    let hint = || "expected a time, such as \"250 ms\", \"2s\", \"24h\" or \"7d\"".to_owned();
    let (number, unit) = split(text).ok_or_else(hint)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(hint()),
    };
    number.checked_mul(factor).map(Duration::from_millis).ok_or_else(hint)
}
