//! Lists of random declarations and data, against an evaluation that looks at every record; lists
//! that change while they are walked; and what the tags of lists depend on.

mod ask;
mod change;
mod groups;
mod hold;
mod naive;
mod run;
mod schema;
mod tags;
mod values;
mod world;
