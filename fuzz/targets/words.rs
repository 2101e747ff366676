//! Random input for `postino::fuzz::words`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postino::fuzz::words(bytes));
