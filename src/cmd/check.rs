//! `postino check`, and the one line that hints at news.

use std::process::ExitCode;

use super::app::App;
use super::{Outcome, call};
use crate::error::Kind;
use crate::ops::{self, CheckResponse};
use crate::output::Output;
use crate::store::Newest;

const EXAMPLES: &str = "\
Examples:
  postino check
  if postino check --exit-code; then postino read; fi";

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Exit with 0 when something is new and with 4 when nothing is
    #[arg(long)]
    exit_code: bool,
}

/// Prints the hint, or nothing at all. Who asked for JSON always gets an answer.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    let news = call(app, out, ops::check)?;
    let hint = hint(&news, "`postino read`", "`postino broadcasts`");
    if let Some(hint) = hint.filter(|_| !out.is_json()) {
        out.text(&format!("{hint}\n"))?;
    } else if out.is_json() {
        out.answer(&news, |_, _| String::new())?;
    }
    let nothing = args.exit_code && !news.is_news();
    Ok(if nothing { ExitCode::from(Kind::TimedOut.exit_code()) } else { ExitCode::SUCCESS })
}

/// One line about what is new: facts, no body, and what shows it; `None` when nothing is new.
pub fn hint(news: &CheckResponse, read: &str, broadcasts: &str) -> Option<String> {
    let urgent = (news.urgent > 0).then(|| format!("{} urgent", news.urgent));
    let mail = part(news.unread_messages, "unread message(s)", urgent, news.newest_message.as_ref());
    let feed = part(news.unseen_broadcasts, "new broadcast(s)", None, news.newest_broadcast.as_ref());
    match (mail, feed) {
        (Some(mail), Some(feed)) => Some(format!("[postino] {mail}, {feed}. {read} and {broadcasts} show them.")),
        (Some(mail), None) => Some(format!("[postino] {mail}. {read} shows them.")),
        (None, Some(feed)) => Some(format!("[postino] {feed}. {broadcasts} shows them.")),
        (None, None) => None,
    }
}

fn part(n: u64, what: &str, urgent: Option<String>, newest: Option<&Newest>) -> Option<String> {
    let newest = newest.map(|newest| format!("newest from {}", newest.from));
    let more: Vec<String> = urgent.into_iter().chain(newest).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    (n > 0).then(|| format!("{n} {what}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MessageId, Millis};

    fn hinted(unread: u64, urgent: u64, unseen: u64) -> Option<String> {
        let newest = |n: u64, from: &str| {
            (n > 0).then(|| Newest { id: MessageId::at(Millis(1), 1), from: from.parse().unwrap() })
        };
        let news = CheckResponse {
            agent: "reviewer".parse().unwrap(),
            unread_messages: unread,
            unseen_broadcasts: unseen,
            urgent,
            newest_message: newest(unread, "api-refactor"),
            newest_broadcast: newest(unseen, "ci-bot"),
            arrivals: unread,
        };
        hint(&news, "msg_read", "msg_broadcasts")
    }

    #[test]
    fn a_hint_leaves_out_what_is_zero() {
        assert_eq!(hinted(0, 0, 0), None);
        let said = |text: &str| Some(format!("[postino] {text}"));
        assert_eq!(hinted(1, 0, 0), said("1 unread message(s) (newest from api-refactor). msg_read shows them."));
        assert_eq!(hinted(0, 0, 2), said("2 new broadcast(s) (newest from ci-bot). msg_broadcasts shows them."));
        assert_eq!(
            hinted(2, 1, 1),
            said(
                "2 unread message(s) (1 urgent, newest from api-refactor), 1 new broadcast(s) (newest from ci-bot). \
                 msg_read and msg_broadcasts show them."
            )
        );
    }
}
