//! Random input for `postino::fuzz::registry`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postino::fuzz::registry(bytes));
