//! postino carries messages between agents that share nothing else. Parse, run, exit code.

mod error;
mod model;
mod ops;
mod store;

fn main() {}
