//! Hands libFuzzer's bytes to the target `json_patch` of `crates/properties`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::check("json_patch", data));
