//! Which commands each verb sends to the server, as the server itself sees them. It knows the commands' words.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::home::Home;
use crate::server::{Connection, Server};

/// What each verb sent, with how many commands it has to send, in a workspace that has mail and 1,000 agents.
pub(crate) fn each(home: &Home, server: &Server) -> Result<Vec<(String, usize, Vec<String>)>> {
    let mut watcher = Watcher::on(server)?;
    let mut all = Vec::new();
    let mut verb = |words: &[&str], bar: usize| {
        // The first run of a verb brings its script to the server; the second is what every other one is like.
        home.answer(crate::READER, words)?;
        let commands = watcher.during(|| home.answer(crate::READER, words).map(drop))?;
        all.push((format!("trips of {}", words.join(" ")), bar, commands));
        anyhow::Ok(())
    };
    verb(&["check"], 1)?;
    verb(&["send", "somebody", "hello"], 1)?;
    verb(&["read", "--peek"], 1)?;
    verb(&["read", "--lease", "60", "--limit", "1"], 1)?;
    verb(&["read", "--limit", "1"], 2)?;
    verb(&["agents"], 1)?;
    let (first, second) = (receipt(home)?, receipt(home)?);
    home.answer(crate::READER, &["ack", &first])?;
    let commands = watcher.during(|| home.answer(crate::READER, &["ack", &second]).map(drop))?;
    all.push(("trips of ack".to_owned(), 1, commands));
    Ok(all)
}

/// The receipt of a fresh delivery.
fn receipt(home: &Home) -> Result<String> {
    let answer = home.answer(crate::READER, &["read", "--lease", "60", "--limit", "1", "--json"])?;
    let answer: Value = serde_json::from_str(&answer)?;
    let receipt = answer.pointer("/messages/0/receipt").and_then(Value::as_str);
    Ok(receipt.context("`read --lease` gave no receipt")?.to_owned())
}

/// A look over the server's shoulder.
struct Watcher {
    monitor: Connection,
    marker: Connection,
    marks: usize,
}

impl Watcher {
    fn on(server: &Server) -> Result<Watcher> {
        let mut monitor = server.connect()?;
        monitor.ask("MONITOR")?;
        Ok(Watcher { monitor, marker: server.connect()?, marks: 0 })
    }

    /// The names of the commands that clients send while `action` runs; what a script calls is not among them.
    fn during(&mut self, action: impl FnOnce() -> Result<()>) -> Result<Vec<String>> {
        let before = self.mark()?;
        self.until(&before)?;
        action()?;
        let after = self.mark()?;
        self.until(&after)
    }

    /// Leaves a mark in what the monitor shows, so that no wait has to be guessed.
    fn mark(&mut self) -> Result<String> {
        self.marks += 1;
        let mark = format!("mark-{}", self.marks);
        self.marker.ask(&format!("ECHO {mark}"))?;
        self.marker.line()?;
        Ok(format!("\"ECHO\" \"{mark}\""))
    }

    /// The names of the clients' commands up to the mark. A line reads `+TIME [DATABASE ORIGIN] "NAME" "ARGUMENT" …`.
    fn until(&mut self, mark: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        loop {
            let line = self.monitor.line()?;
            if line.ends_with(mark) {
                return Ok(names);
            }
            let (origin, command) = line.split_once("] ").context("reading a line of MONITOR")?;
            if !origin.ends_with(" lua") && !origin.ends_with(" script") {
                names.push(command.split('"').nth(1).unwrap_or_default().to_uppercase());
            }
        }
    }
}
