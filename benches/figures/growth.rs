//! How a look grows with what there is: mail in one mailbox, agents, broadcasts. It knows the commands' words.
#![expect(clippy::print_stdout, reason = "a long measurement shows that it goes on")]

use std::path::Path;

use anyhow::Result;

use crate::home::Home;
use crate::plot::Curve;
use crate::server::Server;
use crate::timing::prepared;

/// How many rounds a point of a curve is a median of, at most.
pub(crate) const ROUNDS: usize = 60;

/// Sizes that are looked at; broadcasts end at their cap.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
const BROADCASTS: [usize; 3] = [10, 100, 500];

/// Sends messages to one agent, until it has so many.
pub(crate) fn mail(home: &Home, to: &str, from: usize, until: usize) -> Result<()> {
    home.grow(from, until, |home, n| home.run(&format!("agent-{}", n % 100), &["send", to, "the build is green"]))
}

/// Writes to agents that nobody has heard of, until there are so many.
pub(crate) fn agents(home: &Home, from: usize, until: usize) -> Result<()> {
    home.grow(from, until, |home, n| home.run("nobody", &["send", &format!("name-{n}"), "welcome"]))
}

/// Says something to everybody, until it was said so often.
pub(crate) fn broadcasts(home: &Home, from: usize, until: usize) -> Result<()> {
    home.grow(from, until, |home, n| home.run("caller", &["broadcast", &format!("word {n}")]))
}

/// What grows, and how.
type Grower = fn(&Home, &str, usize, usize) -> Result<()>;

/// A curve for each thing that grows, on each store.
pub(crate) fn curves(binary: &Path, server: Option<&Server>, rounds: usize) -> Result<Vec<Curve>> {
    let growers: [(&str, Grower, &[usize]); 3] = [
        ("messages", |home, reader, from, to| mail(home, reader, from, to), &SIZES),
        ("agents", |home, _, from, to| agents(home, from, to), &SIZES),
        ("broadcasts", |home, _, from, to| broadcasts(home, from, to), &BROADCASTS),
    ];
    let mut curves = Vec::new();
    for (what, grow, sizes) in growers {
        let home = Home::embedded(binary)?;
        curves.push(curve(&home, format!("{what}, embedded"), grow, sizes, rounds)?);
        if let Some(server) = server {
            let home = Home::valkey(binary, &server.url(0), &format!("curve-{what}"))?;
            curves.push(curve(&home, format!("{what}, Valkey"), grow, sizes, rounds)?);
        }
    }
    Ok(curves)
}

/// Checks, each right after a change elsewhere, so that the store has to be looked at.
fn curve(home: &Home, name: String, grow: Grower, sizes: &[usize], rounds: usize) -> Result<Curve> {
    let mut points = Vec::new();
    let mut before = 0;
    for size in sizes {
        grow(home, crate::READER, before, *size)?;
        before = *size;
        let check = |_| home.run(crate::READER, &["check"]);
        let pair = prepared(rounds, |_| home.run("other", &["send", "elsewhere", "hi"]), check, |_| Ok(()))?;
        points.push((*size as f64, pair.ours.as_secs_f64() * 1e3));
        println!("{name}: {size}: {:.3} ms", pair.ours.as_secs_f64() * 1e3);
    }
    Ok(Curve { name, points })
}
