//! The faults: real processes and servers are killed, stopped, cut off, filled up and robbed of their disks, while
//! clients write down what they did; then a judge compares what was promised with what happened. It knows postino only
//! from outside.
//!
//! `cargo test` runs a minute of it; `just faults` runs all and writes the table of `docs/reliability.md`.

// A crate of tests is a test also where its helpers stand, so that they may unwrap.
#![cfg(test)]

#[expect(dead_code, reason = "shared with other tests, which use the rest")]
#[path = "../it/processes/chance.rs"]
mod chance;
mod clients;
mod disk;
mod faults;
mod field;
mod front;
mod history;
mod judge;
mod mutants;
mod perfect;
mod proxy;
mod script;
#[expect(dead_code, reason = "shared with other tests, which use the rest")]
#[path = "../it/server.rs"]
mod server;
#[expect(dead_code, unused_imports, unused_macros, reason = "shared with other tests, which use the rest")]
#[path = "../it/support.rs"]
mod support;
mod table;
mod tools;
