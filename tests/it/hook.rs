//! Hooks and the monitor seen from outside: real processes that stand for agent clients, their JSON on stdin, and what comes out.

mod cost;
mod failures;
mod many;
mod monitor;
pub(crate) mod names;
pub(crate) mod session;
mod taken;
mod told;
