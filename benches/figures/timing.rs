//! Medians of wall time. It knows no postino, only things that can be done again and again.

use std::time::{Duration, Instant};

use anyhow::Result;

/// How often each thing is done before it is measured.
const WARM_UP: usize = 10;

/// The medians of two things that were done in turns.
pub(crate) struct Pair {
    /// What is measured.
    pub ours: Duration,
    /// What it is compared with; `None` for an absolute figure.
    pub base: Option<Duration>,
}

impl Pair {
    /// How many times as long ours takes.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.base.map(|base| self.ours.as_secs_f64() / base.as_secs_f64())
    }
}

/// Measures two things in turns, each going first every other time, so that a drift of the machine hits both.
pub(crate) fn paired(
    rounds: usize,
    ours: impl Fn(usize) -> Result<()>,
    base: impl Fn(usize) -> Result<()>,
) -> Result<Pair> {
    prepared(rounds, |_| Ok(()), ours, base)
}

/// The same, with something before each round that is not measured.
pub(crate) fn prepared(
    rounds: usize,
    prepare: impl Fn(usize) -> Result<()>,
    ours: impl Fn(usize) -> Result<()>,
    base: impl Fn(usize) -> Result<()>,
) -> Result<Pair> {
    let (mut of_ours, mut of_base) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + rounds {
        prepare(round)?;
        let (a, b);
        if round % 2 == 0 {
            a = timed(&ours, round)?;
            b = timed(&base, round)?;
        } else {
            b = timed(&base, round)?;
            a = timed(&ours, round)?;
        }
        if round >= WARM_UP {
            of_ours.push(a);
            of_base.push(b);
        }
    }
    Ok(Pair { ours: median(of_ours), base: Some(median(of_base)) })
}

/// Measures one thing.
pub(crate) fn times(rounds: usize, ours: impl Fn(usize) -> Result<()>) -> Result<Pair> {
    let all: Result<Vec<Duration>> = (0..WARM_UP + rounds).map(|round| timed(&ours, round)).collect();
    Ok(Pair { ours: median(all?.split_off(WARM_UP)), base: None })
}

fn timed(thing: &impl Fn(usize) -> Result<()>, round: usize) -> Result<Duration> {
    let start = Instant::now();
    thing(round)?;
    Ok(start.elapsed())
}

fn median(mut of: Vec<Duration>) -> Duration {
    of.sort();
    of.get(of.len() / 2).copied().unwrap_or_default()
}
