//! `postino clear` and `postino cleanup`.

use std::process::ExitCode;

use super::app::App;
use super::{Outcome, open, text};
use crate::error::Kind;
use crate::model::MessageId;
use crate::ops::{self, Count, Ctx, ListRequest};
use crate::output::{Output, safe_line};

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
pub fn run(app: &App, out: &Output, args: Args) -> Outcome {
    let ctx = open(app, out)?;
    if !args.ids.is_empty() {
        return delete(&ctx, out, &args.ids);
    }
    if !args.yes && !agreed(&ctx, out, args.broadcasts)? {
        out.notice("nothing was deleted");
        return Ok(ExitCode::SUCCESS);
    }
    let (gone, what) =
        if args.broadcasts { (ops::clear_broadcasts(&ctx)?, "broadcast") } else { (ops::clear(&ctx)?, "message") };
    out.answer(&gone, |gone, _| format!("deleted {}\n", text::count(gone.count, what)))?;
    Ok(ExitCode::SUCCESS)
}

fn agreed(ctx: &Ctx<'_>, out: &Output, broadcasts: bool) -> crate::error::Result<bool> {
    if broadcasts {
        return out.confirm("delete all broadcasts, for everybody?", "postino clear --broadcasts --yes");
    }
    let total = ops::list(ctx, &ListRequest { limit: Some(1), ..ListRequest::default() })?.total;
    let question = format!("delete {} in the mailbox of {}?", text::count(total, "message"), ctx.actor.name);
    out.confirm(&question, "postino clear --yes")
}

/// Deletes the messages named; one that is not there fails the command after the others are gone.
fn delete(ctx: &Ctx<'_>, out: &Output, ids: &[MessageId]) -> Outcome {
    let mut count = 0;
    let mut missing = None;
    for id in ids {
        match ops::delete(ctx, *id) {
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
pub fn cleanup(app: &App, out: &Output, _: CleanupArgs) -> Outcome {
    let cleaned = ops::cleanup(&open(app, out)?)?;
    out.answer(&cleaned, |cleaned, style| {
        let names: Vec<String> = cleaned.removed.iter().map(|name| style.name(safe_line(name.as_str()))).collect();
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        format!("removed {}{names}\n", text::count(cleaned.removed.len() as u64, "name"))
    })?;
    Ok(ExitCode::SUCCESS)
}
