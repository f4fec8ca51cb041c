//! The table of the program is right: what fails beside this fails for its own cause.
//@ compiles
use contract::table::{METHODS, ROWS};

const _: () = contract::proof::prove(METHODS, ROWS);
