//! Every test that speaks HTTP to the real program: the law, the stories, the crashes. And what must not compile.

mod crash;
mod law;
mod program;
mod property;
mod story;
mod support;
mod wrong;
