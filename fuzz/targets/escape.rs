//! Random input for `postino::fuzz::escape`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postino::fuzz::escape(bytes));
