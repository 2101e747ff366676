//! `postino send`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::app::App;
use super::body::BodyArgs;
use super::pause::Pause;
use super::{Outcome, args, call, completions, names, now, open, text};
use crate::error::Kind;
use crate::model::{AgentName, Key, MessageId, Recipient};
use crate::ops::{self, SendRequest, SendResponse};
use crate::output::{Output, Style};

const EXAMPLES: &str = "\
Examples:
  postino send reviewer \"the parser is ready for review\"
  make test 2>&1 | tail -50 | postino send builder
  postino send deployer --file plan.md --urgent --wait-taken 300
  postino send ci-bot \"build 1234 is green\" --key build-1234";

/// Arguments of `send`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Who shall get it; the mail waits for a name that nobody has yet
    #[arg(value_name = "TO", add = completions::names())]
    to: AgentName,
    #[command(flatten)]
    body: BodyArgs,
    /// The message that this one answers
    #[arg(long, value_name = "ID")]
    reply_to: Option<MessageId>,
    /// Makes repeating the command harmless: the same key sends once
    #[arg(long, value_name = "KEY")]
    key: Option<Key>,
    /// Say "urgent" in the hint that the recipient gets
    #[arg(long)]
    urgent: bool,
    /// Wait until it was taken, 60 seconds when nothing is said; exit 4 when it was not
    #[arg(long, value_name = "SECS", num_args = 0..=1, default_missing_value = "60", value_parser = args::seconds)]
    wait_taken: Option<Duration>,
}

/// Sends, says where it went, and waits when asked to.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    let request = SendRequest {
        to: args.to,
        body: args.body.read()?,
        reply_to: args.reply_to,
        key: args.key,
        urgent: args.urgent,
    };
    if args.wait_taken.is_some() {
        app.waiting();
    }
    let sent = call(app, out, |ctx| ops::send(ctx, &request))?;
    out.answer(&sent, |sent, style| sent_text(&request.to, sent, style))?;
    let is_self = app.identity()?.actor.name == request.to;
    if sent.recipient == Recipient::Unknown && !is_self && !out.is_quiet() {
        out.notice(&names::unknown(&request.to, &sent.known));
    }
    if let Some(wait) = args.wait_taken {
        let (until, mut pause) = (Instant::now() + wait, Pause::new());
        let record = loop {
            match open(app, out).and_then(|ctx| ops::wait_taken(&ctx, sent.id, wait, until)) {
                Ok(record) => break record,
                Err(error) if error.kind == Kind::TimedOut => return Err(error.into()),
                Err(error) => pause.outlive(app, error, Some(until), out)?,
            }
        };
        let now = now();
        out.answer(&record, |record, _| format!("{}\n", text::standing(record, |time| text::age(time, now))))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn sent_text(to: &AgentName, sent: &SendResponse, style: &Style) -> String {
    let did = if sent.created { "sent" } else { "had already sent" };
    let state = text::recipient(sent.recipient);
    format!("{did} {} to {} ({state}, {} waiting)\n", style.dim(sent.id), style.name(to), sent.waiting)
}
