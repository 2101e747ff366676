//! The figures: what postino's commands cost, as ratios to a trivial process measured in the same run.
//!
//! `just bench [ROUNDS] [http]` runs it (or the web server's rows alone) on the static release binary, which `POSTINO_BIN` names; `cargo bench` on the one it
//! builds. It knows postino from outside only, keeps to a folder and a server of its own, and judges nothing: a figure over its bar is marked `OVER`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of its own: it prints a table and takes arguments"
)]

mod home;
mod http;
mod server;
mod table;
mod timing;
mod trips;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use home::{Home, Sync};
use server::Server;
use table::{counted, heading, missing, row};
use timing::{paired, times};

/// How many interleaved rounds a median is taken of.
const ROUNDS: usize = 200;

/// The agent whose mailbox is looked at.
const READER: &str = "reader";

fn main() -> Result<()> {
    let rounds = env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let binary = binary();
    println!("{}, medians of {rounds} interleaved rounds", binary.display());
    let server = Server::start()?;
    match &server {
        Some(server) => println!("against {}", server.name),
        None => println!("neither valkey-server nor redis-server is here: the Valkey figures are MISSING"),
    }
    heading();
    floor(rounds)?;
    if !env::args().any(|word| word == "http") {
        embedded(&binary, rounds)?;
        if let Some(server) = &server {
            valkey(&binary, server, rounds)?;
        }
    }
    http(&binary, server.as_ref())?;
    size(&binary)
}

/// The rows of the web server.
fn http(binary: &Path, server: Option<&Server>) -> Result<()> {
    let trivial = http::trivial()?;
    table::load("HTTP answer of a trivial tiny_http, 8 clients", "", &trivial, None);
    web(&Home::embedded(binary)?, "embedded", &trivial, 1_000.0)?;
    let Some(server) = server else { return Ok(()) };
    web(&Home::valkey(binary, &server.url(0), "web")?, "valkey", &trivial, 5_000.0)
}

/// The binary to measure: the one named, or the one built with this bench.
fn binary() -> PathBuf {
    env::var_os("POSTINO_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_postino")), PathBuf::from)
}

/// What everything below is measured against, in absolute terms.
fn floor(rounds: usize) -> Result<()> {
    let sync = Sync::beside(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    row("/bin/true", "", &times(rounds, |_| home::nothing())?, None);
    row("one write and fsync of 4 KiB", "", &times(rounds, |_| sync.once())?, None);
    Ok(())
}

/// The rows of the embedded store.
fn embedded(binary: &Path, rounds: usize) -> Result<()> {
    let store = "embedded";
    let quiet = Home::embedded(binary)?;
    check(&quiet, store, rounds)?;
    hook(&quiet, store, rounds)?;
    let sync = Sync::beside(quiet.folder())?;
    let send = paired(rounds, |round| send(&quiet, round), |_| home::nothing().and_then(|()| sync.once()))?;
    row("send ÷ /bin/true and one fsync", store, &send, Some(2.0));
    growth(&Home::embedded(binary)?, &Home::embedded(binary)?, store, rounds)?;
    system_calls(&Home::embedded(binary)?)
}

/// The rows of the store on a server.
fn valkey(binary: &Path, server: &Server, rounds: usize) -> Result<()> {
    let store = "valkey";
    let quiet = Home::valkey(binary, &server.url(0), "quiet")?;
    check(&quiet, store, rounds)?;
    hook(&quiet, store, rounds)?;
    outage(&quiet, &Home::down(binary)?, rounds)?;
    let send = paired(rounds, |round| send(&quiet, round), |_| home::nothing())?;
    row("send ÷ /bin/true", store, &send, Some(1.5));
    let full = Home::valkey(binary, &server.url(0), "full")?;
    growth(&full, &Home::valkey(binary, &server.url(0), "empty")?, store, rounds)?;
    for (what, bar, commands) in trips::each(&full, server)? {
        table::trips(&what, store, &commands, bar);
    }
    Ok(())
}

/// A check where nothing waits.
fn check(home: &Home, store: &str, rounds: usize) -> Result<()> {
    let pair = paired(rounds, |_| home.run(READER, &["check"]), |_| home::nothing())?;
    row("check, nothing new ÷ /bin/true", store, &pair, Some(1.5));
    Ok(())
}

/// A hook where nothing waits.
fn hook(home: &Home, store: &str, rounds: usize) -> Result<()> {
    home.session()?;
    let pair = paired(rounds, |_| home.hook("user-prompt-submit"), |_| home::nothing())?;
    row("hook, nothing new ÷ /bin/true", store, &pair, Some(1.5));
    Ok(())
}

/// A hook whose store is down, beside one where nothing waits.
fn outage(quiet: &Home, down: &Home, rounds: usize) -> Result<()> {
    down.session()?;
    let pair = paired(rounds, |_| down.hook("user-prompt-submit"), |_| quiet.hook("user-prompt-submit"))?;
    row("hook, store down ÷ hook, nothing new", "valkey", &pair, Some(1.2));
    Ok(())
}

/// One message, to a mailbox that many rounds do not fill.
fn send(home: &Home, round: usize) -> Result<()> {
    let to = format!("inbox-{}", round % 10);
    home.run("sender", &["send", &to, "The build is green; the image is ready to be rolled out."])
}

/// A check where much waits, beside one where nothing does.
fn growth(full: &Home, empty: &Home, store: &str, rounds: usize) -> Result<()> {
    full.fill(READER).context("filling a workspace")?;
    let pair = paired(rounds, |_| full.run(READER, &["check"]), |_| empty.run(READER, &["check"]))?;
    row("check, much waiting ÷ check, nothing new", store, &pair, Some(1.2));
    Ok(())
}

/// Messages posted to the web server, to a mailbox with few and to one with many.
fn web(home: &Home, store: &str, trivial: &http::Load, bar: f64) -> Result<()> {
    let site = http::Site::start(home.command("web-ui", &["serve"]))?;
    let few = site.post("quiet")?;
    table::load("HTTP POST /api/messages, 8 clients", store, &few, Some((trivial.rate, bar)));
    // Posts of its own fill it: the command line would take a process each.
    while site.waiting("crowded")? < 10_000 {
        site.post("crowded")?;
    }
    let (mut few, mut many) = (site.post("quiet")?, site.post("crowded")?);
    // The better of two of each, in turns: the machine is shared.
    let (again, second) = (site.post("quiet")?, site.post("crowded")?);
    few.rate = few.rate.max(again.rate);
    many.rate = many.rate.max(second.rate);
    table::times("  of these, times slower at 10,000 waiting", store, few.rate / many.rate, 1.3);
    Ok(())
}

/// How many system calls a check makes beside an empty process, where strace is allowed to look.
fn system_calls(home: &Home) -> Result<()> {
    home.run(READER, &["check"])?;
    match (home.system_calls(READER, &["check"])?, home::system_calls_of_nothing(home.folder())?) {
        (Some(ours), Some(least)) => {
            counted("system calls of check (/bin/true)", "embedded", &[format!("{ours} ({least})")])
        }
        (None, _) | (_, None) => missing("system calls of check", "strace is not here or may not look"),
    }
    Ok(())
}

/// The size of the binary.
fn size(binary: &Path) -> Result<()> {
    let bytes = binary.metadata().context("looking at the binary")?.len();
    table::size("size of the binary", bytes, 10_000_000);
    Ok(())
}
