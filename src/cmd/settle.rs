//! `postino ack`, `extend` and `release`.

use std::process::ExitCode;

use super::app::App;
use super::{Outcome, args, call};
use crate::error::{Error, Kind};
use crate::model::Receipt;
use crate::ops::{self, SettleAction, SettleRequest};
use crate::output::Output;

const EXAMPLES: &str = "\
Example:
  receipt=$(postino read --limit 1 --lease 600 --json | jq -r '.messages[0].receipt')
  postino extend \"$receipt\" --seconds 1200
  postino ack \"$receipt\"             # or: postino release \"$receipt\"";

/// Arguments of `ack` and `release`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Receipts that `postino read --lease` printed, 1 to 100
    #[arg(value_name = "RECEIPT", required = true)]
    receipts: Vec<Receipt>,
}

/// Arguments of `extend`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExtendArgs {
    /// Receipts that `postino read --lease` printed, 1 to 100
    #[arg(value_name = "RECEIPT", required = true)]
    receipts: Vec<Receipt>,
    /// Hold the mail for so long from now; the usual lease when nothing is said
    #[arg(long, value_name = "N", value_parser = args::whole, allow_negative_numbers = true)]
    seconds: Option<i64>,
}

/// Says that leased mail is done with.
pub fn ack(app: &mut App, out: &Output, args: Args) -> Outcome {
    let Args { receipts } = args;
    settle(app, out, "acked", &SettleRequest { receipts, action: SettleAction::Ack, seconds: None })
}

/// Holds leased mail longer.
pub fn extend(app: &mut App, out: &Output, args: ExtendArgs) -> Outcome {
    let ExtendArgs { receipts, seconds } = args;
    settle(app, out, "extended", &SettleRequest { receipts, action: SettleAction::Extend, seconds })
}

/// Gives leased mail back.
pub fn release(app: &mut App, out: &Output, args: Args) -> Outcome {
    let Args { receipts } = args;
    settle(app, out, "released", &SettleRequest { receipts, action: SettleAction::Release, seconds: None })
}

fn settle(app: &mut App, out: &Output, did: &str, request: &SettleRequest) -> Outcome {
    let settled = call(app, out, |ctx| ops::settle(ctx, request))?;
    out.answer(&settled, |settled, _| format!("{did} {}\n", settled.done.len()))?;
    if settled.stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let stale: Vec<String> = settled.stale.iter().map(ToString::to_string).collect();
    Err(Error::new(Kind::Stale, format!("stale, so not {did}: {}", stale.join(", ")))
        .hint("a stale receipt's mail was settled before or comes again: postino read --lease SECS")
        .into())
}
