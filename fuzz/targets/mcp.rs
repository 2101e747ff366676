//! Random input for `postino::fuzz::mcp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postino::fuzz::mcp(bytes));
