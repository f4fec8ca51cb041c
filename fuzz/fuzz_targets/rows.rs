//! Hands libFuzzer's bytes to the target `rows` of `crates/properties`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::check("rows", data));
