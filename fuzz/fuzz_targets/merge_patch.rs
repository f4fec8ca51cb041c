//! Hands libFuzzer's bytes to the target `merge_patch` of `crates/properties`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::check("merge_patch", data));
