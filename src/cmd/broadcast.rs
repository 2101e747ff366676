//! `postino broadcast` and `postino broadcasts`.

use std::process::ExitCode;

use super::app::App;
use super::body::BodyArgs;
use super::{Outcome, args, call, now, text};
use crate::model::{Broadcast, BroadcastKind, Key, Millis};
use crate::ops::{self, BroadcastRequest, BroadcastsRequest};
use crate::output::{Output, Style};

const EXAMPLES: &str = "\
Examples:
  postino broadcast \"main is frozen until the release is out\"
  git log -1 --format=%B | postino broadcast --key \"$(git rev-parse HEAD)\"";

const FEED_EXAMPLES: &str = "\
Examples:
  postino broadcasts
  postino broadcasts --all --limit 10";

/// Arguments of `broadcast`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    body: BodyArgs,
    /// Makes repeating the command harmless: the same key says it once
    #[arg(long, value_name = "KEY")]
    key: Option<Key>,
}

/// Says something to everybody.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    let request = BroadcastRequest { body: args.body.read()?, key: args.key, kind: BroadcastKind::Announcement };
    let said = call(app, out, |ctx| ops::broadcast(ctx, &request))?;
    out.answer(&said, |said, style| {
        let did = if said.created { "sent" } else { "had already sent" };
        format!("{did} {} to everybody\n", style.dim(said.id))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Arguments of `broadcasts`.
#[derive(Debug, clap::Args)]
#[command(after_help = FEED_EXAMPLES)]
pub struct FeedArgs {
    /// Show all that are kept: seen ones, your own, and notices too
    #[arg(long)]
    all: bool,
    /// Show so many at most, 1 to 100
    #[arg(long, value_name = "N", value_parser = args::whole, allow_negative_numbers = true, default_value = "50")]
    limit: i64,
    /// Show them and leave them unseen
    #[arg(long)]
    peek: bool,
}

/// Prints what was said to everybody.
pub fn feed(app: &mut App, out: &Output, args: FeedArgs) -> Outcome {
    let request = BroadcastsRequest { all: args.all, limit: Some(args.limit) };
    let show = if args.peek { ops::peek_broadcasts } else { ops::broadcasts };
    let feed = call(app, out, |ctx| show(ctx, &request))?;
    let now = now();
    out.answer(&feed, |feed, style| text::blocks(feed.items.iter().map(|item| one(item, now, style))))?;
    if feed.missed > 0 {
        out.notice(&format!("{} dropped before you saw them", text::count(feed.missed, "broadcast")));
    }
    if feed.unseen > 0 && !args.peek {
        out.notice(&format!("{} left; run it again for more", text::count(feed.unseen, "broadcast")));
    }
    if feed.items.is_empty() && out.is_terminal() {
        out.notice("no broadcasts");
    }
    Ok(ExitCode::SUCCESS)
}

fn one(item: &Broadcast, now: Millis, style: &Style) -> String {
    let kind = match item.kind {
        BroadcastKind::Announcement => "",
        BroadcastKind::Notice => "  notice",
    };
    let (from, id) = (style.name(&item.from), style.dim(item.id));
    format!("from {from}  {}  {id}{kind}\n", text::age(item.timestamp, now)) + &style.body(item.body.as_str())
}
