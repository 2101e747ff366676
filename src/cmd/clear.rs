//! `postino clear` and `postino cleanup`.

use std::process::ExitCode;

use super::app::App;
use super::{Outcome, call, text};
use crate::error::{Kind, Result};
use crate::model::MessageId;
use crate::ops::{self, Count, ListRequest};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  postino clear
  postino clear 0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11
  postino --agent builder clear --yes
  postino clear --broadcasts --yes";

const CLEANUP_EXAMPLES: &str = "\
Example:
  postino cleanup";

/// Arguments of `clear`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Delete these messages of your mailbox; all that wait or are leased when nothing is said
    #[arg(value_name = "ID")]
    ids: Vec<MessageId>,
    /// Delete all broadcasts, for everybody
    #[arg(long, conflicts_with = "ids")]
    broadcasts: bool,
    /// Do not ask; needed where there is no terminal to ask on
    #[arg(short, long)]
    yes: bool,
}

/// Deletes mail for good; asks first unless single messages were named.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    if !args.ids.is_empty() {
        return delete(app, out, &args.ids);
    }
    if !args.yes && !agreed(app, out, args.broadcasts)? {
        out.notice("nothing was deleted");
        return Ok(ExitCode::SUCCESS);
    }
    let (gone, what) = if args.broadcasts {
        (call(app, out, ops::clear_broadcasts)?, "broadcast")
    } else {
        (call(app, out, ops::clear)?, "message")
    };
    out.answer(&gone, |gone, _| format!("deleted {}\n", text::count(gone.count, what)))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks whether it may go. A person takes their time: the time limit is lifted.
fn agreed(app: &mut App, out: &Output, broadcasts: bool) -> Result<bool> {
    app.waiting();
    if broadcasts {
        return out.confirm("delete all broadcasts, for everybody?", "postino clear --broadcasts --yes");
    }
    let request = ListRequest { limit: Some(1), ..ListRequest::default() };
    let (name, total) = call(app, out, |ctx| Ok((ctx.actor.name.clone(), ops::list(ctx, &request)?.total)))?;
    let question = format!("delete {} in the mailbox of {name}?", text::count(total, "message"));
    out.confirm(&question, &format!("postino --agent {name} clear --yes"))
}

/// Deletes the messages named; one that is not there fails the command after the others are gone.
fn delete(app: &mut App, out: &Output, ids: &[MessageId]) -> Outcome {
    let mut count = 0;
    let mut missing = None;
    for id in ids {
        match call(app, out, |ctx| ops::delete(ctx, *id)) {
            Ok(()) => count += 1,
            Err(error) if error.kind == Kind::NotFound => missing = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    out.answer(&Count { count }, |gone, _| format!("deleted {}\n", text::count(gone.count, "message")))?;
    missing.map_or(Ok(ExitCode::SUCCESS), |error| Err(error.into()))
}

/// Arguments of `cleanup`.
#[derive(Debug, clap::Args)]
#[command(after_help = CLEANUP_EXAMPLES)]
pub struct CleanupArgs {}

/// Removes names that nobody uses.
pub fn cleanup(app: &mut App, out: &Output, _: CleanupArgs) -> Outcome {
    let cleaned = call(app, out, ops::cleanup)?;
    out.answer(&cleaned, |cleaned, style| {
        let names: Vec<String> = cleaned.removed.iter().map(|name| style.name(name)).collect();
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        format!("removed {}{names}\n", text::count(cleaned.removed.len() as u64, "name"))
    })?;
    Ok(ExitCode::SUCCESS)
}
