//! `postino agents`.

use std::process::ExitCode;

use super::app::App;
use super::{Outcome, args, call, completions, now, text};
use crate::model::{AgentName, Millis};
use crate::ops::{self, AgentsRequest};
use crate::output::{Output, Style};
use crate::store::{AgentInfo, AgentPage};

const EXAMPLES: &str = "\
Examples:
  postino agents
  postino agents --json | jq -r '.items[] | select(.online) | .name'";

/// Arguments of `agents`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Show so many at most, 1 to 1000
    #[arg(long, value_name = "N", value_parser = args::whole, allow_negative_numbers = true, default_value = "1000")]
    limit: i64,
    /// Show names that come after this one
    #[arg(long, value_name = "NAME", add = completions::names())]
    after: Option<AgentName>,
}

/// Lists the agents by name.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    let request = AgentsRequest { limit: Some(args.limit), after: args.after };
    let page = call(app, out, |ctx| ops::agents(ctx, &request))?;
    let now = now();
    out.answer(&page, |page, style| table(page, now, style))?;
    if let (Some(last), true) = (page.items.last(), page.items.len() as u64 >= args.limit.unsigned_abs()) {
        out.notice(&format!("{} in all; more with --after {}", text::count(page.total, "agent"), last.name));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(page: &AgentPage, now: Millis, style: &Style) -> String {
    if page.items.is_empty() {
        return String::new();
    }
    let head = ["NAME", "STATE", "WAITING", "SEEN", "CLIENT", "HOST", "PROJECT"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(page.items.iter().map(|agent| row(agent, now, style))).collect();
    text::table(&rows, |column, cell| if column == 0 { style.name(cell) } else { cell.to_owned() })
}

fn row(agent: &AgentInfo, now: Millis, style: &Style) -> [String; 7] {
    let foreign = |text: &Option<String>| text.as_deref().map(|text| style.safe(text)).unwrap_or_default();
    [
        agent.name.to_string(),
        text::state(agent.state).to_owned(),
        agent.message_count.to_string(),
        agent.last_seen.map_or_else(|| "never".to_owned(), |seen| text::age(seen, now)),
        foreign(&agent.client),
        foreign(&agent.host),
        foreign(&agent.project),
    ]
}
