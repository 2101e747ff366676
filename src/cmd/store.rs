//! `postino store`: which store is in use and why, and moving everything to another one.

use std::process::ExitCode;

use serde::Serialize;

use super::app::{App, System};
use super::{Outcome, call, open, text};
use crate::choice::{self, By};
use crate::error::{Error, Kind, Result};
use crate::ops::{self, HealthResponse, MoveResponse};
use crate::output::{Output, Style};
use crate::store::address::{self, Address};
use crate::store::{Census, Durability};

const EXAMPLES: &str = "\
Examples:
  postino store
  postino store move redis://mail.internal:6379
  postino store move sqlite:$HOME/.local/share/postino/postino.db";

/// Arguments of `store`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Copy everything to another store, verify it, and switch to it
    Move(MoveArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct MoveArgs {
    /// The other store; it must be empty
    #[arg(value_name = "URL")]
    url: String,
}

/// Which store is in use.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InUse {
    /// Its address, without its password.
    address: String,
    /// What its keys begin with.
    key_prefix: String,
    /// Why it is the one.
    reason: String,
    #[serde(flatten)]
    health: HealthResponse,
}

/// Shows the store, or moves it.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    match args.command {
        None => show(app, out),
        Some(Command::Move(args)) => move_to(app, out, &args.url),
    }
}

fn show(app: &mut App, out: &Output) -> Outcome {
    let health = call(app, out, |ctx| ops::has_stayed(ctx).and_then(|()| ops::health(ctx)))?;
    let chosen = app.chosen()?;
    let in_use = InUse {
        address: chosen.address.to_string(),
        key_prefix: chosen.prefix.clone(),
        reason: chosen.reason.clone(),
        health,
    };
    out.answer(&in_use, in_use_text)?;
    Ok(ExitCode::SUCCESS)
}

fn in_use_text(in_use: &InUse, style: &Style) -> String {
    let store = &in_use.health.store;
    let row = |label: &str, value: String| [label.to_owned(), value];
    let mut rows = vec![
        row("store", style.safe(&in_use.address)),
        row("because", style.safe(&in_use.reason)),
        row("server", format!("{}, {:.1} ms", style.safe(&store.server), in_use.health.latency_ms)),
        row("accepted", accepted(store.durability).to_owned()),
    ];
    if let Some(policy) = &store.eviction {
        rows.push(row(
            "warning",
            format!("may drop mail: maxmemory-policy is {}, set it to noeviction", style.safe(policy)),
        ));
    }
    text::table(&rows, |_, cell| cell.to_owned())
}

/// What "accepted" means, in words.
fn accepted(durability: Durability) -> &'static str {
    match durability {
        Durability::Fsync => "means on disk (fsync)",
        Durability::Always => "means on disk (always)",
        Durability::Everysec => "means in memory, on disk within a second (everysec)",
        Durability::None => "means in memory; a crash of the server loses it (none)",
        Durability::Unknown => "the server does not say what it means (unknown)",
    }
}

fn move_to(app: &App, out: &Output, url: &str) -> Outcome {
    app.waiting();
    let target = Address::parse(url)?;
    open(app, out)?;
    let chosen = app.chosen()?;
    if target == chosen.address {
        return Err(Error::new(Kind::Usage, format!("{target} is the store in use already")).into());
    }
    let to = address::open(&target, &chosen.prefix, app.patience())?;
    let moved = ops::move_store(&System, app.store()?, &*to, &target.to_string())?;
    let note = switch(app, &target)?;
    out.answer(&moved, |moved, style| moved_text(moved, &target, style))?;
    out.notice(&note);
    Ok(ExitCode::SUCCESS)
}

/// Lets everybody who uses the choice follow; says what is left to do.
fn switch(app: &App, target: &Address) -> Result<String> {
    let chosen = app.chosen()?;
    match chosen.by {
        By::Setting => Ok(format!("{}: set it to {target}; the old store refuses everybody now", chosen.reason)),
        By::Choice | By::Session => {
            choice::switch(&app.settings, target, &format!("moved here from {}", chosen.address))?;
            Ok("new commands use it from now on".to_owned())
        }
    }
}

fn moved_text(moved: &MoveResponse, target: &Address, style: &Style) -> String {
    let Census { names, messages, broadcasts, keys } = &moved.moved;
    let parts = [
        text::count(*names, "name"),
        text::count(*messages, "message"),
        text::count(*broadcasts, "broadcast"),
        text::count(*keys, "key"),
    ];
    format!("moved {} to {}\n", parts.join(", "), style.safe(&target.to_string()))
}
