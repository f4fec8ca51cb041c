//! Hands libFuzzer's bytes to the target `search` of `crates/properties`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::check("search", data));
