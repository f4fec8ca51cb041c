//! What was not carried over, or not as it was.

/// What has become of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Data that stays behind.
    LeftBehind,
    /// A rule that nobody is held to any more.
    Unkept,
    /// The same in another form.
    Otherwise,
    /// The same under another name.
    Renamed,
}

impl Class {
    /// All of them, the gravest first.
    pub const ALL: &'static [Self] =
        &[Self::LeftBehind, Self::Unkept, Self::Otherwise, Self::Renamed];

    /// How people call it.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::LeftBehind => "Left behind",
            Self::Unkept => "Rules that are not kept here",
            Self::Otherwise => "In another form",
            Self::Renamed => "Under another name",
        }
    }
}

/// Something that was not carried over, or not as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// What has become of it.
    pub class: Class,
    /// The table it belongs to.
    pub table: Option<usize>,
    /// The column it belongs to.
    pub column: Option<usize>,
    /// Where it stands, as it is called there: `Order Details.Unit Price`.
    pub place: String,
    /// What it is, why, and what to do.
    pub text: String,
}
