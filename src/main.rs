//! postino carries messages between agents that share nothing else. Parse, run, exit code.

mod choice;
mod cmd;
mod config;
mod error;
mod identity;
mod model;
mod ops;
mod output;
mod store;
mod web;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = config::args();
    let is_word = |arg: &OsString| !arg.as_encoded_bytes().starts_with(b"-");
    match args.get(1..) {
        // Hooks run many times an hour: they spare themselves the parser.
        Some([hook, rest @ ..]) if hook == "hook" && rest.iter().all(is_word) => cmd::hook::main(rest),
        Some(_) | None => cmd::main(&args),
    }
}
