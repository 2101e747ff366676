//! The real agent clients against a mock of their model, on this machine alone: what reaches the model, in one-shot runs
//! and in a terminal. It knows postino only from outside: its binary and its plugin.
//!
//! The clients come from npm, once a machine. Where one cannot be had its tests fail when `CI` is set, and say loudly
//! that they did not run elsewhere.

// A crate of tests is a test also where its helpers stand, so that they may unwrap.
#![cfg(test)]

mod bridge;
mod claude;
mod codex;
mod examples;
mod fetch;
mod harness;
mod hints;
mod mock;
mod names;
mod plugin;
mod postino;
mod protocol;
mod registers;
mod tab;
mod tools;
mod world;
