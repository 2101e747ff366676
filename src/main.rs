//! postino carries messages between agents that share nothing else. Parse, run, exit code.

mod error;
mod model;
mod store;

fn main() {}
