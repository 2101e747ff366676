//! A release, made as `just dist` makes it but of the binary under test: what is in it, and that it installs itself.

mod files;
mod install;
mod kit;
mod npm;
mod refused;
mod versions;

pub(crate) use self::kit::{Machine, release};
