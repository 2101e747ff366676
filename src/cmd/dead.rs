//! `postino dead`: list, retry, purge.

use std::collections::BTreeSet;
use std::process::ExitCode;

use super::app::App;
use super::{Outcome, args, call, now, open, text};
use crate::error::{Error, Kind, Result};
use crate::model::{MessageId, Millis};
use crate::ops::{self, DeadPickRequest, DeadRequest};
use crate::output::{Output, Style};
use crate::store::DeadLetter;

const EXAMPLES: &str = "\
Examples:
  postino dead list
  postino dead retry
  postino dead purge 0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11";

/// Arguments of `dead`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What to do with dead letters.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show them with the reason of each, newest first
    #[command(after_help = EXAMPLES)]
    List {
        /// Show so many at most, 1 to 100
        #[arg(long, value_name = "N", value_parser = args::whole, allow_negative_numbers = true, default_value = "100")]
        limit: i64,
    },
    /// Put them back into the mailbox
    #[command(after_help = EXAMPLES)]
    Retry {
        /// These; all when nothing is said
        #[arg(value_name = "ID")]
        ids: Vec<MessageId>,
    },
    /// Delete them for good
    #[command(after_help = EXAMPLES)]
    Purge {
        /// These; all when nothing is said
        #[arg(value_name = "ID")]
        ids: Vec<MessageId>,
        /// Delete all without asking
        #[arg(short, long)]
        yes: bool,
    },
}

/// Looks at one's dead letters, or settles them.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    match args.action {
        Action::List { limit } => {
            let dead = call(app, out, |ctx| ops::dead_list(ctx, &DeadRequest { limit: Some(limit) }))?;
            let now = now();
            out.answer(&dead, |dead, style| text::blocks(dead.items.iter().map(|letter| one(letter, now, style))))?;
            if dead.items.is_empty() && out.is_terminal() {
                out.notice("no dead letters");
            }
        }
        Action::Retry { ids } => {
            let request = DeadPickRequest { ids };
            let back = call(app, out, |ctx| ops::dead_retry(ctx, &request))?;
            out.answer(&back, |back, _| format!("put back {}\n", text::count(back.count, "message")))?;
            found(app, &request, back.count)?;
        }
        Action::Purge { ids, yes } => {
            if !yes && ids.is_empty() && !agreed(app, out)? {
                out.notice("nothing was deleted");
                return Ok(ExitCode::SUCCESS);
            }
            let request = DeadPickRequest { ids };
            let gone = call(app, out, |ctx| ops::dead_purge(ctx, &request))?;
            out.answer(&gone, |gone, _| format!("deleted {}\n", text::count(gone.count, "dead letter")))?;
            found(app, &request, gone.count)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `NotFound` when one was named that is not there.
fn found(app: &App, request: &DeadPickRequest, count: u64) -> Result<()> {
    let named: BTreeSet<_> = request.ids.iter().collect();
    if count >= named.len() as u64 {
        return Ok(());
    }
    let name = &app.identity()?.actor.name;
    let what = match *request.ids {
        [id] => format!("there is no dead letter {id} in the mailbox of {name}"),
        _ => format!("not all of them are dead letters in the mailbox of {name}"),
    };
    Err(Error::new(Kind::NotFound, what).hint("`postino dead list` shows them"))
}

/// Asks whether all may go. A person takes their time: the time limit is lifted.
fn agreed(app: &mut App, out: &Output) -> Result<bool> {
    app.waiting();
    let name = open(app, out)?.actor.name;
    let question = format!("delete all dead letters of {name}?");
    out.confirm(&question, &format!("postino --agent {name} dead purge --yes"))
}

fn one(letter: &DeadLetter, now: Millis, style: &Style) -> String {
    let route = letter
        .message
        .as_ref()
        .map(|message| format!("from {} to {}  ", style.name(&message.from), style.name(&message.to)))
        .unwrap_or_default();
    let body = letter.message.as_ref().map(|message| style.body(message.body.as_str())).unwrap_or_default();
    let (reason, id) = (style.safe(&letter.reason), style.dim(letter.id));
    format!("{route}died {}: {reason}  {id}\n{body}", text::age(letter.died_at, now))
}
