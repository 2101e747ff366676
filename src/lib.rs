//! All of postino behind one function: the program is linked with it, and so are the fuzz targets. No other crate is
//! promised anything.

mod choice;
mod cmd;
mod config;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod identity;
mod mcp;
mod model;
mod ops;
mod output;
mod private;
mod store;
mod surrogates;
mod web;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command line of this process and gives its exit code.
pub fn main() -> ExitCode {
    let args = config::args();
    let is_word = |arg: &OsString| !arg.as_encoded_bytes().starts_with(b"-");
    match args.get(1..) {
        // Hooks run many times an hour: they spare themselves the parser.
        Some([hook, rest @ ..]) if hook == "hook" && rest.iter().all(is_word) => cmd::hook::main(rest),
        Some(_) | None => cmd::main(&args),
    }
}
