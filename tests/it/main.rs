//! The integration tests, one binary with a module a subject. It knows postino only from outside: its files and its
//! command line.

// A crate of tests is a test also where its helpers stand, so that they may unwrap.
#![cfg(test)]

mod choice;
mod ci;
mod cli;
mod doctor;
mod hook;
mod install;
mod layers;
mod mcp;
mod moving;
mod processes;
mod readme;
mod release;
mod security;
mod serve;
#[expect(dead_code, reason = "shared with the tests of the Valkey store, which use the rest")]
mod server;
mod session;
mod support;
mod web;
