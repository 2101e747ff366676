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

use std::process::ExitCode;

fn main() -> ExitCode {
    cmd::main(&config::args())
}
