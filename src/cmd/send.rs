//! `postino send`.

use std::process::ExitCode;
use std::time::Duration;

use super::app::App;
use super::body::BodyArgs;
use super::{Outcome, args, call, completions, now, open, text};
use crate::model::{AgentName, Key, MessageId, Recipient};
use crate::ops::{self, AgentsRequest, Ctx, SendRequest, SendResponse};
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
    if sent.recipient == Recipient::Unknown {
        tell_unknown(&open(app, out)?, out, &request.to);
    }
    if let Some(wait) = args.wait_taken {
        let record = ops::wait_taken(&open(app, out)?, sent.id, wait)?;
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

/// Says that nobody has the name; with a known name that looks like it. One's own name needs no such words.
fn tell_unknown(ctx: &Ctx<'_>, out: &Output, to: &AgentName) {
    if *to == ctx.actor.name {
        return;
    }
    let known = ops::agents(ctx, &AgentsRequest::default()).map(|page| page.items).unwrap_or_default();
    let near = known
        .iter()
        .filter(|agent| agent.name != *to && agent.last_seen.is_some())
        .map(|agent| (distance(to.as_str(), agent.name.as_str()), &agent.name))
        .min()
        .filter(|(distance, _)| *distance <= to.as_str().len() / 3);
    let hint = near.map(|(_, name)| format!("; did you mean {name}?")).unwrap_or_default();
    out.notice(&format!("nobody has used the name {to} yet, so the mail waits for it{hint}"));
}

/// How many letters must be added, dropped or changed to make one name the other, upper and lower case being the same.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut before = i;
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let change = before + usize::from(!a.eq_ignore_ascii_case(&b));
            before = row[j + 1];
            row[j + 1] = change.min(before + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_count_letters() {
        let cases = [("", "abc", 3), ("abc", "", 3), ("reviwer", "reviewer", 1), ("Reviewer", "reviewer", 0)];
        for (one, other, wanted) in cases.into_iter().chain([("kitten", "sitting", 3), ("ab", "ba", 2)]) {
            assert_eq!(distance(one, other), wanted, "{one} {other}");
        }
    }
}
