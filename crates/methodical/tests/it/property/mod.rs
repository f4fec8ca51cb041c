//! Random requests, one after the other and at the same time, against a model in memory.

pub(crate) mod chance;
mod draw;
mod lists;
mod patch;
mod rivals;
mod rules;
mod sequence;
mod wish;
mod world;
