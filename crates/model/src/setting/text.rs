//! Settings from text: how each kind of value is written.

use std::time::Duration;

use super::Form;
use crate::network::Networks;

/// A value that is read from text, by the form that its setting has.
pub(super) trait FromText: Sized {
    fn from_text(form: Form, text: &str) -> Result<Self, String>;
}

impl FromText for String {
    fn from_text(form: Form, text: &str) -> Result<Self, String> {
        match form {
            Form::Word(words) if !words.contains(&text) => {
                return Err(format!("expected one of: {}", words.join(", ")));
            }
            Form::Address | Form::AddressOrOff => address(text)?,
            Form::Database => database(text)?,
            Form::OriginOrOff => origin(text)?,
            _ => {}
        }
        Ok(text.to_owned())
    }
}

fn address(text: &str) -> Result<(), String> {
    let hint = || "expected HOST:PORT, such as \"127.0.0.1:8080\" or \"[::1]:8080\"".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(hint)?;
    let bare = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    if host.is_empty() || bare || host.contains(char::is_whitespace) {
        return Err(hint());
    }
    let plain = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse::<u16>().ok().filter(|_| plain).map(|_| ()).ok_or_else(hint)
}

/// As browsers write it (RFC 6454 §6.2): a scheme and a host in lower case, a port where it is not
/// the scheme's own.
fn origin(text: &str) -> Result<(), String> {
    let (scheme, host) = text.split_once("://").unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let known = matches!(scheme, "http" | "https");
    let own = if scheme == "https" { ":443" } else { ":80" };
    let fits = host.bytes().all(|byte| plain(byte) || b"-.:[]".contains(&byte));
    if known && fits && !host.is_empty() && !host.ends_with(own) {
        return Ok(());
    }
    Err("expected an origin in lower case and without a path, such as \"https://shop.example\""
        .to_owned())
}

fn database(text: &str) -> Result<(), String> {
    let path = text.strip_prefix("sqlite:").unwrap_or(text);
    if path.starts_with("postgres://") || path.starts_with("postgresql://") {
        return Err("PostgreSQL comes in a later version: name a file".to_owned());
    }
    if path == ":memory:" {
        return Err("a database in memory would lose what was acknowledged: name a file".to_owned());
    }
    if path.contains("://") || path.starts_with("file:") || path.contains('\0') {
        return Err("expected a file, such as \"data.db\" or \"sqlite:data.db\"".to_owned());
    }
    if path.trim().is_empty() {
        return Err("expected a file, such as \"data.db\"".to_owned());
    }
    Ok(())
}

impl FromText for u64 {
    fn from_text(form: Form, text: &str) -> Result<Self, String> {
        let most = match form {
            Form::Number(most) | Form::NumberOrOff(most) => most,
            _ => u64::MAX,
        };
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

impl FromText for Networks {
    fn from_text(_: Form, text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

impl FromText for Vec<String> {
    fn from_text(_: Form, text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::new());
        }
        let each = text.split(',').map(str::trim);
        if each.clone().any(str::is_empty) {
            return Err("expected a list, such as [\"one\", \"two\"], or \"off\"".to_owned());
        }
        Ok(each.map(str::to_owned).collect())
    }
}

impl FromText for Duration {
    fn from_text(_: Form, text: &str) -> Result<Self, String> {
        duration(text)
    }
}

impl<T: FromText> FromText for Option<T> {
    fn from_text(form: Form, text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(None);
        }
        T::from_text(form, text).map(Some).map_err(|fault| format!("{fault}, or \"off\""))
    }
}

/// The longest time that can be set, in milliseconds: ten years. More overflows a clock.
const TIME_MS_MAX: u64 = 3_650 * 86_400_000;

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
    number.checked_mul(factor).filter(|bytes| *bytes > 0).ok_or_else(hint)
}

/// Reads a time: `250 ms`, `2s`, `24h`, `7d`.
///
/// # Errors
/// Says what was expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let hint = || {
        "expected a time from 1 ms to 3650 days, such as \"250 ms\", \"2s\", \"24h\" or \"7d\""
            .to_owned()
    };
    let (number, unit) = split(text).ok_or_else(hint)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(hint()),
    };
    let time = number.checked_mul(factor).filter(|time| (1..=TIME_MS_MAX).contains(time));
    time.map(Duration::from_millis).ok_or_else(hint)
}
