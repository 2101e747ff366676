//! Random input for `postino::fuzz::settings`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postino::fuzz::settings(bytes));
