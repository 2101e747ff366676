//! postino carries messages between agents that share nothing else. Parse, run, exit code.

mod choice;
mod config;
mod error;
mod identity;
mod model;
mod ops;
mod store;

fn main() {}
