//! Every test that speaks HTTP to the real program: the law, the stories, the crashes.

mod law;
mod program;
mod story;
mod support;
