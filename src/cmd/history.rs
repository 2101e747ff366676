//! `postino history` and `postino show`.

use std::process::ExitCode;

use super::app::App;
use super::{Outcome, args, call, completions, now, text};
use crate::model::{AgentName, MessageId, Via};
use crate::ops::{self, HistoryRequest};
use crate::output::{Output, Style};
use crate::store::Record;

const EXAMPLES: &str = "\
Examples:
  postino history
  postino history --with reviewer --limit 10
  postino history --all --json | jq -r '.items[].body'";

const SHOW_EXAMPLES: &str = "\
Examples:
  postino show 0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11
  postino show 0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11 --raw > body.txt";

/// Arguments of `history`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Show messages between you and this agent
    #[arg(long, value_name = "NAME", add = completions::names())]
    with: Option<AgentName>,
    /// Show the reply chain that began with this message, whoever wrote in it
    #[arg(long, value_name = "ID")]
    thread: Option<MessageId>,
    /// Show everybody's messages
    #[arg(long, conflicts_with = "with")]
    all: bool,
    /// Show messages older than this one
    #[arg(long, value_name = "ID")]
    before: Option<MessageId>,
    /// Show so many at most, 1 to 200
    #[arg(long, value_name = "N", value_parser = args::whole, allow_negative_numbers = true, default_value = "50")]
    limit: i64,
}

/// Shows messages of the past, newest first; one's own when nothing is said.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    let everybody = args.all || (args.thread.is_some() && args.with.is_none());
    let history = call(app, out, |ctx| {
        let request = HistoryRequest {
            agent: (!everybody).then(|| ctx.actor.name.clone()),
            with: args.with.clone(),
            thread: args.thread,
            before: args.before,
            limit: Some(args.limit),
        };
        ops::history(ctx, &request)
    })?;
    let now = now();
    out.answer(&history, |history, style| {
        text::blocks(history.items.iter().map(|record| text::record(record, now, style)))
    })?;
    if history.items.is_empty() && out.is_terminal() {
        out.notice("no messages");
    }
    Ok(ExitCode::SUCCESS)
}

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub struct ShowArgs {
    /// The message
    #[arg(value_name = "ID")]
    id: MessageId,
    /// Print the body byte for byte; not on a terminal
    #[arg(long)]
    raw: bool,
}

/// Shows one message.
pub fn show(app: &mut App, out: &Output, args: ShowArgs) -> Outcome {
    if args.raw {
        out.raw_allowed()?;
    }
    let record = call(app, out, |ctx| ops::show(ctx, args.id))?;
    if args.raw {
        out.bytes(record.message.body.as_str().as_bytes())?;
    } else {
        out.answer(&record, sheet)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn sheet(record: &Record, style: &Style) -> String {
    let message = &record.message;
    let mut rows = vec![
        ["id", &message.id.to_string()].map(str::to_owned),
        ["from".to_owned(), style.name(&message.from)],
        ["to".to_owned(), style.name(&message.to)],
        ["sent".to_owned(), format!("{} by {}", text::moment(message.timestamp), via(message.via))],
        ["standing".to_owned(), text::standing(record, text::moment)],
        ["thread".to_owned(), message.thread.to_string()],
    ];
    rows.extend(message.reply_to.map(|id| ["answers".to_owned(), id.to_string()]));
    rows.extend(message.urgent.then(|| ["urgent".to_owned(), "yes".to_owned()]));
    rows.extend(message.deliveries.map(|n| ["deliveries".to_owned(), n.to_string()]));
    text::table(&rows, |_, cell| cell.to_owned()) + "\n" + &style.body(message.body.as_str())
}

fn via(via: Via) -> &'static str {
    match via {
        Via::Cli => "command line",
        Via::Hook => "hook",
        Via::Mcp => "MCP",
        Via::Http => "HTTP",
        Via::Gui => "web page",
    }
}
