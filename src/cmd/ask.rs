//! `postino ask`.

use std::process::ExitCode;
use std::time::Duration;

use super::app::App;
use super::body::BodyArgs;
use super::pause::Pause;
use super::{Outcome, args, call, completions, names, open};
use crate::error::Kind;
use crate::model::{AgentName, Key, MessageId};
use crate::ops::{self, AgentsRequest, SendRequest};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  postino ask reviewer \"may I merge branch parser?\"
  answer=$(git diff | postino ask reviewer --timeout 600 --raw)";

/// Arguments of `ask`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Whom to ask
    #[arg(value_name = "TO", add = completions::names())]
    to: AgentName,
    #[command(flatten)]
    body: BodyArgs,
    /// How long to wait for the answer; exit 4 when none came
    #[arg(long, value_name = "SECS", default_value = "120", value_parser = args::seconds)]
    timeout: Duration,
    /// The message that the question answers
    #[arg(long, value_name = "ID")]
    reply_to: Option<MessageId>,
    /// Makes repeating the question harmless: the same key asks once
    #[arg(long, value_name = "KEY")]
    key: Option<Key>,
    /// Say "urgent" in the hint that the recipient gets
    #[arg(long)]
    urgent: bool,
    /// Print the answer byte for byte; not on a terminal
    #[arg(long)]
    raw: bool,
}

/// Asks, waits, prints the body of the answer and takes it.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    if args.raw {
        out.raw_allowed()?;
    }
    let request = SendRequest {
        to: args.to,
        body: args.body.read()?,
        reply_to: args.reply_to,
        key: args.key,
        urgent: args.urgent,
    };
    app.waiting();
    // A store that has moved is followed here: nothing was asked yet, so nothing is asked twice.
    let known = call(app, out, |ctx| ops::agents(ctx, &AgentsRequest::default()))?;
    let in_use = names::in_use(&known.items);
    if !in_use.contains(&request.to) && known.total == known.items.len() as u64 {
        out.notice(&names::unknown(&request.to, &in_use));
    }
    let asked = ops::ask(&open(app, out)?, &request, args.timeout)?;
    let mut pause = Pause::new();
    let answer = loop {
        match open(app, out).and_then(|ctx| ops::answer(&ctx, &asked)) {
            Ok(answer) => break answer,
            Err(error) if error.kind == Kind::TimedOut => return Err(error.into()),
            Err(error) => pause
                .outlive(app, error, Some(asked.until), out)
                .map_err(|error| error.hint(ops::late(asked.question)))?,
        }
    };
    let body = answer.record.message.body.as_str();
    if args.raw {
        out.bytes(body.as_bytes())?;
    } else {
        out.answer(&answer.record, |_, style| style.flat_body(body))?;
    }
    ops::ack_read(&open(app, out)?, &answer.reading.to_ack)?;
    Ok(ExitCode::SUCCESS)
}
