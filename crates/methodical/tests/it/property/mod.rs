//! Random requests, one after the other and at the same time, against a model in memory.

pub(crate) mod chance;
