//! `postino read`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::app::App;
use super::pause::Pause;
use super::{Outcome, args, call, now, open, text};
use crate::error::{Error, Kind, Result};
use crate::model::Receipt;
use crate::ops::{self, ReadRequest, ReadResponse, Reading, SettleAction, SettleRequest};
use crate::output::{Output, Stop, Style};

const EXAMPLES: &str = "\
Examples:
  postino read
  postino read --wait 300 --limit 1
  postino read --lease 600 --json     # then: postino ack RECEIPT
  postino --agent builder read --limit 1 --raw > task.txt";

/// Arguments of `read`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Read so many at most, 1 to 100
    #[arg(long, value_name = "N", value_parser = args::whole, allow_negative_numbers = true, default_value = "20")]
    limit: i64,
    /// Wait so long for mail when there is none; exit 4 when none came
    #[arg(long, value_name = "SECS", value_parser = args::seconds)]
    wait: Option<Duration>,
    /// Show the mail and leave it in the mailbox
    #[arg(long)]
    peek: bool,
    /// Hold the mail so long and print receipts for it; without an ack in time it comes again
    #[arg(long, value_name = "SECS", value_parser = args::whole, allow_negative_numbers = true)]
    lease: Option<i64>,
    /// Print the bodies byte for byte, with nothing between them; not on a terminal
    #[arg(long)]
    raw: bool,
}

/// Reads, prints and flushes; what was printed is taken out of the mailbox, and what could not be is given back.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    if args.raw {
        out.raw_allowed()?;
    }
    let request = ReadRequest { limit: Some(args.limit), lease: args.lease, peek: args.peek };
    if args.wait.is_some() {
        app.waiting();
        out.end_when_closed();
    }

    let Reading { response, to_ack } = match args.wait {
        Some(wait) => waiting(app, out, &request, wait)?,
        None => call(app, out, |ctx| ops::read(ctx, &request))?,
    };
    print(out, &response, args.raw).inspect_err(|_| give_back(app, out, &response, &to_ack))?;
    call(app, out, |ctx| ops::ack_read(ctx, &to_ack)).map_err(|error| Error {
        hint: Some("the mail was printed but not taken, so it comes again once its lease runs out".to_owned()),
        ..error
    })?;
    tell_the_rest(out, &response, args.wait)?;
    Ok(ExitCode::SUCCESS)
}

/// Gives back what could not be printed. A failure is none: the mail comes again when its lease runs out.
fn give_back(app: &mut App, out: &Output, response: &ReadResponse, to_ack: &[Receipt]) {
    let leased = response.messages.iter().filter_map(|message| message.receipt);
    let receipts: Vec<Receipt> = leased.chain(to_ack.iter().copied()).collect();
    if !receipts.is_empty() {
        let release = SettleRequest { receipts, action: SettleAction::Release, seconds: None };
        let _ = call(app, out, |ctx| ops::settle(ctx, &release));
    }
}

/// Waits for mail, also through an outage once the store has answered.
fn waiting(app: &mut App, out: &Output, request: &ReadRequest, wait: Duration) -> Result<Reading> {
    let until = Instant::now() + wait;
    let first = call(app, out, |ctx| ops::read(ctx, request))?;
    if !is_empty(&first.response) {
        return Ok(first);
    }
    let mut pause = Pause::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match open(app, out).and_then(|ctx| ops::read_waiting(&ctx, request, left)) {
            Ok(reading) => return Ok(reading),
            Err(error) => pause.outlive(app, error, Some(until), out)?,
        }
    }
}

fn is_empty(response: &ReadResponse) -> bool {
    response.messages.is_empty() && response.unreadable.is_empty()
}

fn print(out: &Output, response: &ReadResponse, raw: bool) -> std::result::Result<(), Stop> {
    if raw {
        let bodies: Vec<&str> = response.messages.iter().map(|message| message.body.as_str()).collect();
        return out.bytes(bodies.concat().as_bytes());
    }
    let now = now();
    out.answer(response, |response, style: &Style| {
        text::blocks(response.messages.iter().map(|message| text::mail(message, now, style)))
    })
}

/// What is worth knowing beside the mail. An empty wait is a failure.
fn tell_the_rest(out: &Output, response: &ReadResponse, wait: Option<Duration>) -> Result<()> {
    for entry in &response.unreadable {
        out.notice(&format!("message {} cannot be read: {}", entry.id, entry.reason));
    }
    if response.remaining > 0 {
        out.notice(&format!("{} left; read again for more", text::count(response.remaining, "message")));
    }
    match wait {
        Some(wait) if is_empty(response) => {
            let secs = wait.as_secs();
            Err(Error::new(Kind::TimedOut, format!("no mail came within {secs} s")))
        }
        None if is_empty(response) && out.is_terminal() => {
            out.notice("no mail");
            Ok(())
        }
        Some(_) | None => Ok(()),
    }
}
