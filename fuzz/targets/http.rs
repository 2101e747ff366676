//! Random input for `postino::fuzz::http`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postino::fuzz::http(bytes));
