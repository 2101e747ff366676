//! Reads postino's own source and holds it to its map: which part may use which other part, which file may name which
//! crate, and where the environment, the clock and the terminal may be touched. It knows names in source text, not
//! types: what it cannot see (a clock read through some crate) is left to the lints in `clippy.toml`.

mod names;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use names::names;
use rules::violations;

/// The files below a folder that end in `.rs`, with their paths from the project's root, in order.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    files.sort();
    let from_root = |file: &PathBuf| file.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
    files.iter().map(|file| (from_root(file), fs::read_to_string(file).unwrap())).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_file_keeps_to_its_layer() {
    let files = sources("src");
    assert!(files.iter().any(|(file, _)| file == "src/main.rs"));
    let found: Vec<String> = files.iter().flat_map(|(file, text)| violations(file, &names(text))).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let folders = ["src", "tests", "benches"];
    let files = folders.iter().filter(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).is_dir());
    let silent: Vec<String> = files
        .flat_map(|folder| sources(folder))
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(file, _)| file)
        .collect();
    assert!(silent.is_empty(), "these do not open with `//!`: {silent:?}");
}

#[test]
fn every_dependency_has_its_place() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let homeless: Vec<String> =
        dependencies(&manifest).into_iter().filter(|name| rules::places(&name.replace('-', "_")).is_none()).collect();
    assert!(homeless.is_empty(), "say in tests/it/layers/rules.rs which files may name {homeless:?}");
}

/// The crates of `[dependencies]` and of its `[target.….dependencies]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]" || (line.starts_with("[target.") && line.ends_with(".dependencies]"));
        } else if let (true, Some((name, _))) = (inside, line.split_once(['=', '.'])) {
            found.push(name.trim().to_owned());
        }
    }
    found
}

/// What the checker says to a piece of source at a path.
fn judge(file: &str, text: &str) -> Vec<String> {
    violations(file, &names(text))
}

#[test]
fn a_crate_outside_its_place_is_found() {
    for (file, text) in [
        ("src/ops/send.rs", "use redis::Commands;"),
        ("src/ops.rs", "fn f() { let c = rusqlite::Connection::open_in_memory(); }"),
        ("src/ops.rs", "use {serde::Serialize, clap::Parser};"),
        ("src/store.rs", "fn f() -> redis::Value { todo!() }"),
        ("src/store/embedded.rs", "use redis as elsewhere;"),
        ("src/store/valkey/keys.rs", "use ::notify::Watcher;"),
        ("src/cmd/send.rs", "#[derive(tokio::Stuff)] struct S;"),
        ("src/web.rs", "fn f() { format!(\"{}\", rmcp::VERSION); }"),
        ("src/mcp.rs", "extern crate tiny_http;"),
        ("src/cmd/agents.rs", "use owo_colors::OwoColorize as _;"),
    ] {
        assert_eq!(judge(file, text).len(), 1, "{file}: {text}");
    }
}

#[test]
fn a_crate_in_its_place_is_left_alone() {
    for (file, text) in [
        ("src/cmd/send.rs", "use clap::Parser;"),
        ("src/store/valkey/keys.rs", "use redis::Value; fn f() { redis::cmd(\"PING\"); }"),
        ("src/store/embedded.rs", "use rusqlite::{Connection, params}; use notify::Watcher;"),
        ("src/ops.rs", "//! Knows neither clap nor redis::anything.\nuse serde_json::Value; // rusqlite::Connection\n"),
        ("src/ops.rs", "fn f(redis: u8) -> &'static str { let clap = redis; \"tokio::main\" }"),
        ("src/store.rs", "pub mod valkey; use crate::store::valkey::redis::Thing;"),
        ("src/ops.rs", "#[cfg(test)] mod tests { use redis::Client; fn f() { std::env::var(\"X\"); } }"),
        ("src/ops.rs", "#[cfg(all(test, unix))] pub use {redis::Client, clap::Parser};"),
        ("src/store/valkey/tests.rs", "use rusqlite::Connection;"),
        ("src/store/conformance/mail.rs", "use std::env; use crate::ops::send;"),
    ] {
        assert_eq!(judge(file, text), [""; 0], "{file}: {text}");
    }
}

#[test]
fn an_arrow_that_points_left_is_found() {
    for (file, text) in [
        ("src/store.rs", "use crate::ops::Ctx;"),
        ("src/store/valkey/keys.rs", "use super::super::super::ops;"),
        ("src/store/embedded/mail.rs", "use crate::{model::Body, store::{Step, valkey::Valkey}};"),
        ("src/store/valkey.rs", "use super::embedded;"),
        ("src/model.rs", "use crate::store::Step;"),
        ("src/error.rs", "fn f(x: crate::config::Config) {}"),
        ("src/ops/send.rs", "use crate::config::Config;"),
        ("src/ops/send.rs", "use crate::store::embedded::Embedded;"),
        ("src/ops.rs", "fn f() { crate::output::say(\"x\") }"),
        ("src/output.rs", "use crate::ops::SendResponse;"),
        ("src/web.rs", "use crate::cmd::Cli;"),
        ("src/web/sse.rs", "use crate::mcp;"),
        ("src/identity.rs", "use crate::cmd::Cli;"),
    ] {
        assert_eq!(judge(file, text).len(), 1, "{file}: {text}");
    }
}

#[test]
fn an_arrow_that_points_right_is_left_alone() {
    for (file, text) in [
        ("src/lib.rs", "mod cmd; use crate::config::Config; fn main() { cmd::run(output::out()) }"),
        ("src/cmd.rs", "use crate::{config, identity, ops, output, error::Result};"),
        ("src/cmd/send.rs", "use super::Cli; use crate::ops::send::{self, SendRequest};"),
        ("src/ops/send.rs", "use super::Ctx; use crate::model::Body; use crate::store::{Store, Step};"),
        ("src/store/valkey/keys.rs", "use super::super::Step; use crate::error::{Error, Kind};"),
        ("src/model.rs", "macro_rules! m { () => { $crate::error::Error } }"),
    ] {
        assert_eq!(judge(file, text), [""; 0], "{file}: {text}");
    }
}

#[test]
fn the_outside_world_out_of_its_place_is_found() {
    for (file, text) in [
        ("src/ops.rs", "fn f() { std::env::var(\"HOME\"); }"),
        ("src/cmd.rs", "use std::{env, fs};"),
        ("src/identity.rs", "use std::env::{self};"),
        ("src/main.rs", "fn f() { std::env::var(\"HOME\"); }"),
        ("src/store/embedded.rs", "use std::time::{Duration, SystemTime};"),
        ("src/ops.rs", "fn f() { getrandom::u64(); }"),
        ("src/cmd/send.rs", "fn f() { println!(\"x\"); }"),
        ("src/cmd/send.rs", "fn f() { std::eprint!(\"x\"); }"),
        ("src/cmd/send.rs", "fn f() { if true { print!(\"x\"); } }"),
        ("src/web.rs", "fn f() { std::io::stdout().flush(); }"),
        ("src/web.rs", "fn f() { io::stderr().flush(); }"),
        ("src/ops.rs", "#[cfg(test)] use std::fs; fn f() { SystemTime::now(); }"),
        ("src/ops.rs", "#[cfg(test)] mod tests {} fn f() { SystemTime::now(); }"),
        ("src/ops.rs", "#[cfg(not(test))] fn f() { SystemTime::now(); }"),
        ("src/main.rs", "use std::io::{Write, stderr};"),
    ] {
        assert_eq!(judge(file, text).len(), 1, "{file}: {text}");
    }
}

#[test]
fn the_outside_world_in_its_place_is_left_alone() {
    for (file, text) in [
        ("src/config.rs", "use std::env; fn f() { std::time::SystemTime::now(); getrandom::u64(); }"),
        ("src/main.rs", "fn main() { std::env::args_os(); }"),
        ("src/output.rs", "fn f() { println!(\"x\"); std::io::stderr().flush(); owo_colors::set_override(true); }"),
        ("src/cmd/open.rs", "fn f(c: Command) { c.stdout(Stdio::null()).stderr(Stdio::null()); let stdout = stderr; }"),
        ("src/cmd.rs", "const V: &str = env!(\"CARGO_PKG_VERSION\"); fn f() { writeln!(out, \"println!\"); }"),
    ] {
        assert_eq!(judge(file, text), [""; 0], "{file}: {text}");
    }
}

#[test]
fn a_new_part_needs_a_layer_and_a_new_crate_a_place() {
    assert_eq!(
        judge("src/extra.rs", "fn f() {}"),
        ["src/extra.rs: no layer is laid down for it in tests/it/layers/rules.rs"]
    );
    assert_eq!(
        dependencies("[dependencies]\na-b = \"1\"\nc.workspace = true\n[dev-dependencies]\nd = \"1\""),
        ["a-b", "c"]
    );
    assert_eq!(rules::places("not_a_dependency"), None);
}

#[test]
fn a_violation_says_where() {
    let found = judge("src/ops/send.rs", "//! Sends.\n\nuse crate::cmd::Cli;\n");
    assert_eq!(found, ["src/ops/send.rs:3: `crate::cmd::Cli`: ops may not use cmd"]);
}
