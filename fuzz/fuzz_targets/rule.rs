//! Hands libFuzzer's bytes to the target `rule` of `crates/properties`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::check("rule", data));
