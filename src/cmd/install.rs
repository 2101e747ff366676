//! `postino install` and `postino uninstall`: clients learn to call postino, and forget it again.
//!
//! What is somebody else's is merged with and never overwritten, and removing gives back every file as it was. The rules of
//! that are in `edit` (the text), `file` (the file) and `record` (what was put in); this file plans, shows or carries out.

mod claude;
mod clients;
mod edit;
mod file;
mod json;
mod look;
mod plan;
mod plugin;
mod record;
mod report;
mod site;
mod toml;

use clap::builder::PossibleValuesParser;

use self::claude::Claude;
use self::plan::Step;
use self::record::Record;
use self::report::Report;
use super::Outcome;
use super::app::App;
use crate::error::{Error, Kind, Result};
use crate::output::Output;

pub use self::clients::{CLAUDE, CLIENTS, CODEX, CURSOR, Client, GEMINI, OPENCODE};
pub use self::look::{Registered, codex_trusts, plugin_is_current, registered};
pub use self::site::{Scope, Site};

const EXAMPLES: &str = "\
Examples:
  postino install
  postino install codex --dry-run
  postino install claude --scope project --allow-tools";

const UNINSTALL_EXAMPLES: &str = "\
Examples:
  postino uninstall
  postino uninstall gemini --dry-run";

/// Arguments of `install`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    /// Let Claude Code use postino's tools without asking each time
    #[arg(long)]
    allow_tools: bool,
}

/// Arguments of `uninstall`.
#[derive(Debug, clap::Args)]
#[command(after_help = UNINSTALL_EXAMPLES)]
pub struct UninstallArgs {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// The program that agents run in
    #[arg(default_value = "claude", value_parser = PossibleValuesParser::new(CLIENTS.map(|client| client.name)))]
    client: String,
    /// For whom
    #[arg(long, value_enum, default_value = "user")]
    scope: Scope,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Common {
    fn client(&self) -> &'static Client {
        CLIENTS.into_iter().find(|client| client.name == self.client).unwrap_or(&CLAUDE)
    }
}

/// Puts postino into a client's configuration.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    let Args { common, allow_tools } = args;
    let (site, client) = (Site::new(app, common.scope)?, common.client());
    if allow_tools && client.name != CLAUDE.name {
        return Err(Error::new(Kind::Usage, format!("{} has no rule that allows tools", client.title))
            .hint("leave --allow-tools out")
            .into());
    }
    let mut report = Report::new(&site, client, common.dry_run);
    let mut record = open(app, common.dry_run)?;
    if client.name == CLAUDE.name {
        Claude::new(&site, &app.settings).install(&mut record, &mut report, allow_tools)?;
    } else {
        let steps = plan::put(&site.wanted(client), &record)?;
        carry_out(&steps, &mut record, &mut report)?;
        report.next.extend(client.then.map(str::to_owned));
    }
    if site.program("postino").is_none() {
        report.next.push("postino is not on the PATH, where clients look for it: put its folder there".to_owned());
    }
    report.print(out)
}

/// Takes postino out of a client's configuration.
pub fn uninstall(app: &mut App, out: &Output, args: UninstallArgs) -> Outcome {
    let common = args.common;
    let (site, client) = (Site::new(app, common.scope)?, common.client());
    let mut report = Report::new(&site, client, common.dry_run);
    let mut record = open(app, common.dry_run)?;
    if client.name == CLAUDE.name {
        Claude::new(&site, &app.settings).uninstall(&mut record, &mut report)?;
    } else {
        let steps = plan::take(&site.wanted(client), &record)?;
        carry_out(&steps, &mut record, &mut report)?;
    }
    report.print(out)
}

fn open(app: &App, dry_run: bool) -> Result<Record> {
    if dry_run { Record::look(&app.settings.dirs.state) } else { Record::open(&app.settings.dirs.state) }
}

fn carry_out(steps: &[Step], record: &mut Record, report: &mut Report) -> Result<()> {
    for step in steps {
        report.step(step);
        if !report.dry_run {
            step.apply(record)?;
        }
    }
    Ok(())
}
