//! Random input for `postino::fuzz::hook`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postino::fuzz::hook(bytes));
