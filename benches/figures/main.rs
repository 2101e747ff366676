//! The figures: what postino's commands cost, as ratios to a trivial process measured in the same run.
//!
//! `just bench [ROUNDS] [web]` runs it (or the web server's rows alone) on the static release binary, which `POSTINO_BIN` names; `cargo bench` on the one it
//! builds. `just figures` also measures how things grow, and writes table and curves into `docs/`. It knows postino from outside
//! only, keeps to a folder and a server of its own, and judges nothing: a figure over its bar is marked `OVER`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of its own: it prints a table and takes arguments"
)]

mod document;
mod growth;
mod home;
mod http;
mod live;
mod mcp;
mod plot;
mod server;
mod table;
mod timing;
mod trips;
mod web;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use home::{Home, Sync};
use server::Server;
use table::Table;
use timing::{paired, prepared, times};

/// How many interleaved rounds a median is taken of.
const ROUNDS: usize = 200;

/// The agent whose mailbox is looked at.
const READER: &str = "reader";

/// What all figures need.
struct Bench {
    /// The binary to measure.
    binary: PathBuf,
    /// How many rounds a median is taken of.
    rounds: usize,
    /// The figures so far.
    table: Table,
}

fn main() -> Result<()> {
    let rounds = env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let binary = binary();
    println!("{}, medians of {rounds} interleaved rounds", binary.display());
    let server = Server::start()?;
    match &server {
        Some(server) => println!("against {}", server.name),
        None => println!("neither valkey-server nor redis-server is here: the Valkey figures are MISSING"),
    }
    let mut bench = Bench { binary, rounds, table: Table::heading() };
    bench.floor()?;
    if !env::args().any(|word| word == "web") {
        bench.embedded()?;
        if let Some(server) = &server {
            bench.valkey(server)?;
        }
        mcp::figures(&mut bench.table, &Home::embedded(&bench.binary)?, rounds)?;
    }
    web::figures(&mut bench.table, &bench.binary, server.as_ref(), rounds)?;
    bench.size()?;
    if env::args().any(|word| word == "--write") {
        let curves = growth::curves(&bench.binary, server.as_ref(), rounds.min(growth::ROUNDS))?;
        document::write(&bench.table, rounds, server.as_ref().map(|server| server.name), &curves)?;
    }
    Ok(())
}

/// The binary to measure: the one named, or the one built with this bench.
fn binary() -> PathBuf {
    env::var_os("POSTINO_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_postino")), PathBuf::from)
}

impl Bench {
    /// What everything below is measured against, in absolute terms.
    fn floor(&mut self) -> Result<()> {
        let sync = Sync::beside(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
        self.table.row("/bin/true", "", &times(self.rounds, |_| home::nothing())?, None);
        self.table.row("one write and fsync of 4 KiB", "", &times(self.rounds, |_| sync.once())?, None);
        Ok(())
    }

    /// The rows of the embedded store.
    fn embedded(&mut self) -> Result<()> {
        let store = "embedded";
        let quiet = Home::embedded(&self.binary)?;
        self.nothing_new(&quiet, store)?;
        let sync = Sync::beside(quiet.folder())?;
        let send = paired(self.rounds, |round| send(&quiet, round), |_| home::nothing().and_then(|()| sync.once()))?;
        self.table.row("send ÷ /bin/true and one fsync", store, &send, Some(2.0));
        self.much_waiting(&Home::embedded(&self.binary)?, &quiet, store)?;
        self.counts(&quiet, store)
    }

    /// The rows of the store on a server.
    fn valkey(&mut self, server: &Server) -> Result<()> {
        let store = "valkey";
        let home = |prefix| Home::valkey(&self.binary, &server.url(0), prefix);
        let (quiet, full, down) = (home("quiet")?, home("full")?, Home::down(&self.binary)?);
        self.nothing_new(&quiet, store)?;
        let ping = paired(self.rounds, |_| quiet.hook(HOOK), |_| server.ping())?;
        self.table.row("hook, nothing new ÷ redis-cli ping", store, &ping, None);
        down.session()?;
        let outage = paired(self.rounds, |_| down.hook(HOOK), |_| quiet.hook(HOOK))?;
        self.table.row("hook, store down ÷ hook, nothing new", store, &outage, Some(1.2));
        let send = paired(self.rounds, |round| send(&quiet, round), |_| home::nothing())?;
        self.table.row("send ÷ /bin/true", store, &send, Some(1.5));
        self.much_waiting(&full, &quiet, store)?;
        for round in 0..10 {
            full.run("sender", &["send", READER, &format!("message {round}: the build is green")])?;
        }
        for (what, bar, commands) in trips::each(&full, server)? {
            self.table.trips(&what, store, &commands, bar);
        }
        self.counts(&quiet, store)
    }

    /// Looks where nothing waits: also right after somebody else changed something, which the embedded store has to look at.
    fn nothing_new(&mut self, home: &Home, store: &str) -> Result<()> {
        home.session()?;
        let true_one = |_| home::nothing();
        let hook = paired(self.rounds, |_| home.hook(HOOK), true_one)?;
        self.table.row("hook, nothing new ÷ /bin/true", store, &hook, Some(1.5));
        let changed = prepared(self.rounds, |round| send(home, round), |_| home.hook(HOOK), true_one)?;
        self.table.row("hook, after a change elsewhere ÷ /bin/true", store, &changed, None);
        let check = paired(self.rounds, |_| home.run(READER, &["check"]), true_one)?;
        self.table.row("check, nothing new ÷ /bin/true", store, &check, Some(1.5));
        Ok(())
    }

    /// A hook where much waits, has been told and is not told again, beside one where nothing does.
    fn much_waiting(&mut self, full: &Home, quiet: &Home, store: &str) -> Result<()> {
        full.session()?;
        let reader = full.session_name()?;
        growth::mail(full, &reader, 0, 10_000)?;
        growth::agents(full, 0, 1_000)?;
        growth::broadcasts(full, 0, 500)?;
        let (unread, unseen) = full.news(&reader)?;
        ensure!((unread, unseen) == (10_000, 500), "not everything arrived: {unread} messages, {unseen} broadcasts");
        full.hook(TOOL)?;
        let pair = paired(self.rounds, |_| full.hook(TOOL), |_| quiet.hook(TOOL))?;
        self.table.row("hook, much waiting ÷ hook, nothing new", store, &pair, Some(1.2));
        let change = |home: &Home, round: usize| send(home, round);
        let prepare = |round| change(full, round).and_then(|()| change(quiet, round));
        let pair = prepared(self.rounds, prepare, |_| full.hook(TOOL), |_| quiet.hook(TOOL))?;
        self.table.row("the same, after a change elsewhere", store, &pair, Some(1.2));
        Ok(())
    }

    /// System calls and requests for memory, where the tools to see them are there.
    fn counts(&mut self, home: &Home, store: &str) -> Result<()> {
        let base = home::system_calls_of_nothing(home.folder())?;
        home.hook(HOOK)?;
        home.run(READER, &["check"])?;
        for (what, ours) in [
            ("system calls of hook; of /bin/true", home.system_calls_of_hook(HOOK)?),
            ("system calls of check; of /bin/true", home.system_calls(READER, &["check"])?),
            ("system calls of send; of /bin/true", home.system_calls("sender", &["send", "inbox-1", "hello"])?),
        ] {
            match ours {
                Some(ours) => self.table.counted(what, store, ours, base),
                None => self.table.missing(what, "strace is not here or may not look"),
            }
        }
        home.hook(HOOK)?;
        match home.allocations_of_hook(Path::new(env!("CARGO_BIN_EXE_postino")), HOOK)? {
            Some(count) => self.table.counted("allocations of hook", store, count, None),
            None => self.table.missing("allocations of hook", "valgrind is not here"),
        }
        Ok(())
    }

    /// The size of the binary.
    fn size(&mut self) -> Result<()> {
        let bytes = self.binary.metadata().context("looking at the binary")?.len();
        self.table.size("size of the binary", bytes, 10_000_000);
        Ok(())
    }
}

/// The hook that runs at each prompt.
const HOOK: &str = "user-prompt-submit";
/// The hook that runs after each tool, and tells what was told before no more.
const TOOL: &str = "post-tool-use";

/// One message, to a mailbox that many rounds do not fill.
fn send(home: &Home, round: usize) -> Result<()> {
    let to = format!("inbox-{}", round % 10);
    home.run("sender", &["send", &to, "The build is green; the image is ready to be rolled out."])
}

impl Server {
    /// What asking a server by its own client costs.
    fn ping(&self) -> Result<()> {
        let mut ping = Command::new("redis-cli");
        let status = ping.args(["-u", &self.url(0), "ping"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "redis-cli ended with {status}");
        Ok(())
    }
}
