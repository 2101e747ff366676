//! The rows of the web server: messages posted to it, events that it tells, the memory it takes while nobody asks, and what an open
//! page asks for meanwhile.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::home::Home;
use crate::http::{self, Load, Site};
use crate::live::{self, Listeners};
use crate::server::Server;
use crate::table::Table;

/// How much memory the idle server may take, parent and child together, in bytes.
const MEMORY: u64 = 20 << 20;

/// What there is to say about the server on each store.
pub(crate) fn figures(table: &mut Table, binary: &Path, server: Option<&Server>, rounds: usize) -> Result<()> {
    let trivial = http::trivial()?;
    table.load("HTTP answer of a trivial tiny_http, 8 clients", "", &trivial, None);
    let mut rows = |store: &str, bar: f64, home: &dyn Fn(&str) -> Result<Home>| {
        events(table, &home("live")?, store, rounds)?;
        posts(table, &home("web")?, store, &trivial, bar)
    };
    rows("embedded", 1_000.0, &|_| Home::embedded(binary))?;
    if let Some(server) = server {
        rows("valkey", 5_000.0, &|prefix| Home::valkey(binary, &server.url(0), prefix))?;
    }
    let what = "requests of an idle page in a minute";
    match idle(binary) {
        Some(count) => table.most(what, count, 1),
        None => table.missing(what, "node, its packages or a browser is not here"),
    }
    Ok(())
}

/// How many requests a page makes in a minute in which nothing happens; `None` without a browser.
fn idle(binary: &Path) -> Option<u64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/idle.mjs");
    let output = Command::new("node").arg(script).env("POSTINO_BIN", binary).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// What the last of many listeners waits, and how much memory the server takes before they come.
fn events(table: &mut Table, home: &Home, store: &str, rounds: usize) -> Result<()> {
    for (count, rounds, bar) in [(200, rounds.min(100), Some(10.0)), (1_000, rounds.min(20), None)] {
        // The listeners of a round stay until the next event; a server of its own leaves each round all the room.
        let site = Site::start(home.command("web-ui", &["serve"]))?;
        if count == 200 {
            table.size(&format!("serve idle, parent and child ({store})"), live::memory(site.pid())?, MEMORY);
        }
        let listeners = Listeners::new(site.port(), count)?;
        let mut times = (0..rounds).map(|_| listeners.post()).collect::<Result<Vec<_>>>()?;
        times.sort();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        table.within(&format!("POST to event at the last of {count} listeners"), store, median, bar);
    }
    Ok(())
}

/// Messages posted to a mailbox with few and to one with many.
fn posts(table: &mut Table, home: &Home, store: &str, trivial: &Load, bar: f64) -> Result<()> {
    let site = Site::start(home.command("web-ui", &["serve"]))?;
    let few = site.post("quiet")?;
    table.load("HTTP POST /api/messages, 8 clients", store, &few, Some((trivial.rate, bar)));
    // Posts of its own fill it: the command line would take a process each.
    while site.waiting("crowded")? < 10_000 {
        site.post("crowded")?;
    }
    let (mut few, mut many) = (site.post("quiet")?, site.post("crowded")?);
    // The better of two of each, in turns: the machine is shared.
    let (again, second) = (site.post("quiet")?, site.post("crowded")?);
    few.rate = few.rate.max(again.rate);
    many.rate = many.rate.max(second.rate);
    table.times("of these, times slower at 10,000 waiting", store, few.rate / many.rate, 1.3);
    Ok(())
}
