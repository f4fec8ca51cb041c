//! The program: parse, run, exit code.

mod log;
mod serve;

fn main() {}
