//! Gets a client's program from npm into `target/`, once a machine. It knows packages, not what is in them.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Claude Code, in the version that the tests were written for.
pub fn claude() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let package = format!("@anthropic-ai/claude-code-{}", platform());
            file(&format!("{package}@2.1.330"), &format!("{package}/claude"))
        })
        .as_deref()
}

/// Codex, in the version that the tests were written for.
pub fn codex() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let triple = match platform().as_str() {
        "linux-x64" => "x86_64-unknown-linux-musl",
        "linux-arm64" => "aarch64-unknown-linux-musl",
        "darwin-x64" => "x86_64-apple-darwin",
        _ => "aarch64-apple-darwin",
    };
    FOUND
        .get_or_init(|| {
            let package = format!("@openai/codex@0.169.0-{}", platform());
            file(&package, &format!("@openai/codex/vendor/{triple}/bin/codex"))
        })
        .as_deref()
}

/// What is written in JavaScript, each in the version that the tests were written for.
#[derive(Clone, Copy)]
pub enum Script {
    /// The MCP Inspector.
    Inspector,
    /// MCP's conformance suite.
    Conformance,
    /// The folder of the official TypeScript SDK's client.
    Sdk,
    /// Gemini CLI.
    Gemini,
}

/// A program in JavaScript, and the Node that runs it: one of ours, for each wants another version than a machine may have.
pub fn script(script: Script) -> Option<(&'static Path, &'static Path)> {
    static FOUND: [OnceLock<Option<PathBuf>>; 4] = [const { OnceLock::new() }; 4];
    let (package, path) = match script {
        Script::Inspector => ("@modelcontextprotocol/inspector@2.12.0", ".bin/mcp-inspector"),
        Script::Conformance => ("@modelcontextprotocol/conformance@0.1.16", ".bin/conformance"),
        Script::Sdk => ("@modelcontextprotocol/client@2.4.0", "@modelcontextprotocol/client"),
        Script::Gemini => ("@google/gemini-cli@0.61.0", ".bin/gemini"),
    };
    Some((node()?, FOUND[script as usize].get_or_init(|| file(package, path)).as_deref()?))
}

fn node() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let package = format!("node-{}", platform());
            file(&format!("{package}@24.21.0"), &format!("{package}/bin/node"))
        })
        .as_deref()
}

/// The platform as these packages spell it.
fn platform() -> String {
    let os = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    format!("{os}-{arch}")
}

/// What is at `path` below a package's modules, fetched unless it is there. `None` is said loudly, and is a failure in CI.
fn file(package: &str, path: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients").join(package.replace(['@', '/'], "_"));
    fs::create_dir_all(&folder).unwrap();
    // Two test processes at once would write into one folder; the lock goes with the file.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let found = folder.join("node_modules").join(path);
    let done = folder.join("done");
    if !done.exists() {
        match install(package, &folder) {
            Ok(()) => fs::write(done, package).unwrap(),
            Err(why) => return missing(&format!("{package} cannot be had from npm: {why}")),
        }
    }
    Some(found)
}

fn install(package: &str, folder: &Path) -> Result<(), String> {
    fs::write(folder.join("package.json"), "{}").map_err(|error| error.to_string())?;
    // Who runs the tests may have a registry of their own in npm's settings, so these are left to npm.
    let output = Command::new("npm")
        .args([
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--fetch-retry-mintimeout=1000",
            "--fetch-timeout=60000",
        ])
        .arg(format!("--cache={}", folder.join("cache").display()))
        .arg(package)
        .current_dir(folder)
        .output()
        .map_err(|error| format!("npm does not run: {error}"))?;
    let _ = fs::remove_dir_all(folder.join("cache"));
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Whether a terminal can be driven: without tmux the tests that need one are missing too.
pub fn tmux() -> Option<()> {
    let runs = Command::new("tmux").arg("-V").output().is_ok_and(|output| output.status.success());
    if runs { Some(()) } else { missing("tmux is not installed") }
}

/// Says loudly that something is missing, and fails in CI.
#[expect(clippy::disallowed_methods, reason = "whether this is CI stands in the environment alone")]
pub fn missing<T>(what: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "{what}");
    // Past the macros, whose output a test that passes keeps to itself.
    let _ = writeln!(std::io::stderr(), "\n!!! NOT TESTED: {what}\n");
    None
}
