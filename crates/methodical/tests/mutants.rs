//! Seeded faults, one at a time: the suite has to fail for every one.

fn main() {}
