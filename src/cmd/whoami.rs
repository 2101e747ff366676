//! `postino whoami`.

use std::process::ExitCode;

use super::app::App;
use super::{Outcome, call, text};
use crate::identity::Rule;
use crate::ops::{self, WhoamiResponse};
use crate::output::{Output, Style};

const EXAMPLES: &str = "\
Examples:
  postino whoami
  me=$(postino whoami --json | jq -r .agent)";

/// Arguments of `whoami`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Says who one is, what is new and who else is there.
pub fn run(app: &mut App, out: &Output, _: Args) -> Outcome {
    let whoami = call(app, out, ops::whoami)?;
    let rule = rule(app.identity()?.rule);
    out.answer(&whoami, |whoami, style| summary(whoami, rule, style))?;
    Ok(ExitCode::SUCCESS)
}

fn summary(whoami: &WhoamiResponse, rule: &str, style: &Style) -> String {
    let news = &whoami.news;
    let urgent = if news.urgent > 0 { format!(" ({} urgent)", news.urgent) } else { String::new() };
    let others: Vec<String> = whoami
        .agents
        .iter()
        .filter(|agent| agent.online && agent.name != news.agent)
        .map(|agent| format!("{} ({})", style.name(&agent.name), text::state(agent.state)))
        .collect();
    let others = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
    let (online, total) = (whoami.agents_online, whoami.agents_total);
    text::table(
        &[
            ["name".to_owned(), format!("{} ({rule})", style.name(&news.agent))],
            ["messages".to_owned(), format!("{} unread{urgent}", news.unread_messages)],
            ["broadcasts".to_owned(), format!("{} unseen", news.unseen_broadcasts)],
            ["agents".to_owned(), format!("{online} of {total} online{others}")],
        ],
        |_, cell| cell.to_owned(),
    )
}

/// What gave the name.
pub fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Flag => "by --agent",
        Rule::Session => "by this session",
        Rule::Bound => "by this session's id",
        Rule::Variable => "by POSTINO_AGENT_NAME",
        Rule::Terminal => "by this terminal",
        Rule::Directory => "by this directory",
    }
}
