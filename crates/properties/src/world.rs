//! The declaration that random requests are made against.

use std::sync::LazyLock;

use model::declaration;
use model::model::Model;
use model::setting::Settings;

/// A declaration with every kind of field.
pub(crate) static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let text = include_str!("world.toml");
    let reading = declaration::read(text);
    let shown = model::complaint::render(&reading.complaints, text, "world.toml", false);
    reading.model.unwrap_or_else(|| panic!("the declaration of the properties is faulty:\n{shown}"))
});

/// The defaults.
pub(crate) static SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::default);

/// The most faults that one answer lists.
pub(crate) const VIOLATIONS_MAX: usize = 100;

/// Text, where the bytes are text; the targets that read text only have nothing to do elsewhere.
pub(crate) fn utf8(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Two parts, cut at the first line feed.
pub(crate) fn halves(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let cut = data.iter().position(|byte| *byte == b'\n')?;
    Some((&data[..cut], &data[cut + 1..]))
}
