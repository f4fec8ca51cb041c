//! Declarations: any text is read, every complaint has its place and can be shown, and a sound
//! declaration has one meaning.

use model::complaint::{Complaint, Level, position, render};
use model::declaration;
use model::setting::Settings;

use crate::world::utf8;

pub(crate) fn declaration(data: &[u8]) {
    let Some(text) = utf8(data) else { return };
    let reading = declaration::read(text);
    for complaint in &reading.complaints {
        is_placed(complaint, text);
    }
    let faulty = reading.complaints.iter().any(|complaint| complaint.level == Level::Error);
    assert_eq!(reading.model.is_none(), faulty, "an error and no model go together");
    for color in [false, true] {
        let shown = render(&reading.complaints, text, "methodical.toml", color);
        assert_eq!(shown.is_empty(), reading.complaints.is_empty());
    }
    let mut settings = Settings::default();
    let complaints = settings.apply(&reading.settings, &|_| Some("8".to_owned()));
    for complaint in &complaints {
        is_placed(complaint, text);
    }
    let _ = render(&complaints, text, "methodical.toml", false);
    if let Some(model) = reading.model {
        let again = declaration::read(text).model;
        let again = again.unwrap_or_else(|| panic!("it was sound before"));
        assert_eq!(format!("{again:?}"), format!("{model:?}"));
        assert_eq!(again.table_digest(), model.table_digest());
    }
}

/// A complaint marks whole characters of the text, and says something.
fn is_placed(complaint: &Complaint, text: &str) {
    let span = complaint.span.clone();
    assert!(text.get(span.clone()).is_some(), "{complaint:?} in {} bytes", text.len());
    assert!(!complaint.message.is_empty());
    let (line, column) = position(text, span.start);
    assert!(line >= 1 && column >= 1);
}
