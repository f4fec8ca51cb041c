//! Every test that speaks HTTP to the real program, and what must not compile.

mod access;
mod acme;
mod adopt;
mod care;
mod crash;
mod issuers;
mod keys;
mod law;
mod mail;
mod migrate;
mod operate;
mod program;
mod property;
mod signin;
mod story;
mod stream;
mod support;
mod transfer;
mod wire;
mod wrong;
