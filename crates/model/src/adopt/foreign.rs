//! What is found in a database that is not ours: its tables and their rules in words of SQL, as
//! far as they were understood, and what their cells hold.

use super::facts::Facts;

/// A database that is not ours.
#[derive(Clone, Debug, Default)]
pub struct Foreign {
    /// How people call it: the name of its file without the ending.
    pub name: String,
    /// Its tables, in the order of their making.
    pub tables: Vec<Table>,
    /// Its views.
    pub views: Vec<View>,
    /// What else stands in it and means nothing here: triggers, tables of other programs' own.
    pub others: Vec<Other>,
}

/// Something that is named and not carried over.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// What it is, in a word or two: `trigger`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// Why it stays behind, and what there is instead.
    pub why: String,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The columns of its primary key, in the key's order.
    pub key: Vec<usize>,
    /// The least and the largest number by which the database itself tells its rows apart. None
    /// where it has none.
    pub numbers: Option<(i64, i64)>,
    /// What it refers to.
    pub references: Vec<Reference>,
    /// Its unique groups and indexes, the primary key not among them.
    pub groups: Vec<Group>,
    /// Its CHECK constraints, split where they say several things.
    pub rules: Vec<Rule>,
    /// Its rows.
    pub rows: u64,
    /// The largest id that was ever given, where the database keeps it.
    pub last_id: Option<i64>,
}

/// A column.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as written.
    pub declared: String,
    /// NOT NULL.
    pub not_null: bool,
    /// Its DEFAULT.
    pub default: Option<Default_>,
    /// It is compared without regard to the case of ASCII.
    pub ignores_case: bool,
    /// The name of another collation by which it is compared.
    pub collation: Option<String>,
    /// The expression that its values are computed by.
    pub generated: Option<String>,
    /// What its cells hold.
    pub facts: Facts,
}

/// A DEFAULT.
#[derive(Clone, Debug, PartialEq)]
pub enum Default_ {
    /// A literal.
    Literal(Literal),
    /// Anything else, as written.
    Expression(String),
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// Text.
    Text(String),
    /// TRUE or FALSE.
    Boolean(bool),
}

/// A foreign key.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// The columns that refer.
    pub columns: Vec<usize>,
    /// What is referred to, as written.
    pub to: String,
    /// The table that is referred to, and its columns. None where they are not there, or where
    /// they do not name one row.
    pub target: Option<(usize, Vec<usize>)>,
    /// ON DELETE, as the database says it.
    pub on_delete: String,
    /// ON UPDATE, as the database says it.
    pub on_update: String,
    /// Rows that name nothing that is there.
    pub dangling: u64,
    /// Some of these rows.
    pub examples: Vec<String>,
}

/// Columns that are unique or indexed together.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// How it is called there.
    pub name: String,
    /// Unique, or an index only.
    pub unique: bool,
    /// Its columns.
    pub columns: Vec<usize>,
    /// Whether it compares their text without regard to case, one a column.
    pub folds: Vec<bool>,
    /// Why it cannot be said here.
    pub fault: Option<String>,
    /// Pairs of rows that are the same once case is folded by all of Unicode.
    pub fold_rivals: u64,
}

/// One thing that a CHECK asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its text.
    pub text: String,
    /// The column that it is about, and what it asks. None where it was not understood.
    pub says: Option<(usize, Says)>,
}

/// What a CHECK asks of one column.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// One of these.
    OneOf(Vec<Literal>),
    /// Not less.
    Minimum(Literal),
    /// Not more.
    Maximum(Literal),
    /// More.
    ExclusiveMinimum(Literal),
    /// Less.
    ExclusiveMaximum(Literal),
    /// At least so many characters.
    MinLength(u64),
    /// At most so many characters.
    MaxLength(u64),
    /// Text of this form, as a regular expression.
    Pattern(String),
    /// Text that is JSON.
    Json,
    /// Not null.
    Present,
    /// Of this type.
    Type(String),
}

/// A view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The tables that it reads, the first one first.
    pub tables: Vec<usize>,
    /// What it asks of its one table, where it asks no more than a list can.
    pub list: Option<Listed>,
}

/// What a list can ask of one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// The columns that it shows; None for all.
    pub columns: Option<Vec<usize>>,
    /// Comparisons that all have to hold: column, operator of the query language, value.
    pub filters: Vec<(usize, &'static str, Literal)>,
    /// The columns that it is sorted by, and whether the largest comes first.
    pub sort: Vec<(usize, bool)>,
}
