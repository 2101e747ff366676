//! `postino stats`.

use std::process::ExitCode;

use super::app::App;
use super::{Outcome, call, text};
use crate::ops;
use crate::output::{Output, Style};
use crate::store::Stats;

const EXAMPLES: &str = "\
Examples:
  postino stats
  postino stats --json | jq .waiting";

/// Arguments of `stats`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Counts what is in the store.
pub fn run(app: &mut App, out: &Output, _: Args) -> Outcome {
    let stats = call(app, out, ops::stats)?;
    out.answer(&stats, counts)?;
    Ok(ExitCode::SUCCESS)
}

fn counts(stats: &Stats, _: &Style) -> String {
    let Stats {
        agents,
        online,
        waiting,
        leased,
        dead,
        broadcasts,
        sent,
        taken,
        expired,
        died,
        trimmed,
        dead_trimmed,
        deleted,
    } = stats;
    let row = |label: &str, value: String| [label.to_owned(), value];
    text::table(
        &[
            row("agents", format!("{agents}, {online} online")),
            row("messages", format!("{waiting} waiting, {leased} held, {dead} dead")),
            row("broadcasts", format!("{broadcasts} kept, {trimmed} dropped")),
            row("so far", format!("{sent} sent, {taken} taken, {expired} expired, {deleted} deleted")),
            row("", format!("{died} died, {dead_trimmed} dead dropped")),
        ],
        |_, cell| cell.to_owned(),
    )
}
