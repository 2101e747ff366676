//! The integration tests, one binary with a module a subject. It knows postino only from outside: its files and its
//! command line.

// A crate of tests is a test also where its helpers stand, so that they may unwrap.
#![cfg(test)]

mod layers;
mod processes;
#[expect(dead_code, reason = "shared with the store's own tests, which need more of it")]
mod server;
