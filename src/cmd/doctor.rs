//! `postino doctor`: a list of small checks, each failure with the command that mends it. It changes nothing, but for a proof
//! that mail arrives, which removes what it made.

mod clients;
mod machine;
mod session;
mod storage;
mod web;

use std::cell::OnceCell;
use std::process::ExitCode;

use serde::Serialize;

use super::app::{App, Globals};
use super::install::{Scope, Site};
use super::{Outcome, text};
use crate::error::{Error, Kind, Result};
use crate::ops::{self, HealthResponse};
use crate::output::{Output, Style};

const EXAMPLES: &str = "\
Examples:
  postino doctor
  postino doctor --json | jq -r '.checks[] | select(.outcome == \"broken\") | .mend'";

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Verdict {
    Ok,
    Warning,
    Broken,
    Skipped,
}

/// A check's result.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    name: &'static str,
    outcome: Verdict,
    /// What was found.
    what: String,
    /// The command that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

/// What was found, and what to do.
#[derive(Clone, Debug)]
struct Finding(Verdict, String, Option<String>);

/// One check.
type Examine = fn(&Patient<'_>) -> Exam;
/// A finding; the error is one, too: it ends the check early.
type Exam = std::result::Result<Finding, Finding>;

impl Finding {
    fn ok(what: impl Into<String>) -> Finding {
        Finding(Verdict::Ok, what.into(), None)
    }

    fn warning(what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding(Verdict::Warning, what.into(), Some(mend.into()))
    }

    fn broken(what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding(Verdict::Broken, what.into(), Some(mend.into()))
    }

    fn skipped(why: impl Into<String>) -> Finding {
        Finding(Verdict::Skipped, why.into(), None)
    }

    /// A failure as it was reported.
    fn failed(error: &Error) -> Finding {
        Finding(Verdict::Broken, error.message.clone(), error.hint.clone())
    }
}

/// Every check, in the order in which they are shown. Folders are looked at before the store is opened, which mends some.
const CHECKS: [(&str, Examine); 28] = [
    ("binary", machine::binary),
    ("folders", machine::folders),
    ("settings file", machine::settings_file),
    ("disk space", machine::disk),
    ("store", storage::reachable),
    ("durability", storage::durability),
    ("eviction", storage::eviction),
    ("password", storage::password),
    ("clock", storage::clock),
    ("moving", storage::moving),
    ("log size", storage::log_size),
    ("mailbox", storage::mailbox),
    ("dead letters", storage::dead_letters),
    ("identity", session::identity),
    ("session", session::session),
    ("presence", session::presence),
    ("registry", session::registry),
    ("claude", clients::claude),
    ("claude plugin", clients::plugin_version),
    ("codex", clients::codex),
    ("codex trust", clients::codex_trust),
    ("gemini", clients::gemini),
    ("opencode", clients::opencode),
    ("cursor", clients::cursor),
    ("web server", web::server),
    ("web port", web::port),
    ("hook latency", machine::hook_latency),
    ("delivery", storage::delivery),
];

/// What the checks look at.
struct Patient<'a> {
    app: &'a App,
    site: Result<Site<'a>>,
    health: OnceCell<Result<HealthResponse>>,
}

impl Patient<'_> {
    /// Where the clients' files are; a finding when no home directory is known.
    fn site(&self) -> std::result::Result<&Site<'_>, Finding> {
        self.site.as_ref().map_err(Finding::failed)
    }

    /// How the store does, asked once, after a first answer: making it, or connecting to it, is not what it takes each time.
    fn asked(&self) -> &Result<HealthResponse> {
        self.health.get_or_init(|| self.app.ctx().and_then(|ctx| ops::health(&ctx).and_then(|_| ops::health(&ctx))))
    }

    /// How the store does; a skipped check when it does not answer.
    fn health(&self) -> std::result::Result<&HealthResponse, Finding> {
        self.asked().as_ref().map_err(|_| Finding::skipped("the store does not answer"))
    }
}

/// All results.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Diagnosis {
    /// Whether nothing is broken.
    ok: bool,
    version: &'static str,
    checks: Vec<Check>,
}

/// Follows a store that moved, as any other command does. What is known of the store then: that it does not answer.
fn arrive(app: &mut App) -> OnceCell<Result<HealthResponse>> {
    match app.ctx().and_then(|ctx| ops::has_stayed(&ctx)) {
        Ok(()) => OnceCell::new(),
        Err(error) if error.kind == Kind::Moving => {
            // What prevents it is told by a check.
            let _ = app.recover(error);
            OnceCell::new()
        }
        Err(error) => OnceCell::from(Err(error)),
    }
}

/// Runs every check. Exit code 1 when something is broken.
pub fn run(globals: Globals, out: &Output, _: Args) -> Outcome {
    let mut checks = Vec::new();
    match App::new(globals) {
        Ok(mut app) => {
            let health = arrive(&mut app);
            checks.push(check("settings", Finding::ok("can be read")));
            let site = Site::new(&app, Scope::User);
            let patient = Patient { app: &app, site, health };
            let examine = |exam: Examine| exam(&patient).unwrap_or_else(|finding| finding);
            checks.extend(CHECKS.map(|(name, exam)| check(name, examine(exam))));
        }
        Err(error) => {
            checks.push(check("settings", machine::settings(&error)));
            let skipped = || Finding::skipped("the settings cannot be read");
            checks.extend(CHECKS.map(|(name, _)| check(name, skipped())));
        }
    }
    let ok = checks.iter().all(|check| check.outcome != Verdict::Broken);
    let diagnosis = Diagnosis { ok, version: env!("CARGO_PKG_VERSION"), checks };
    out.answer(&diagnosis, report)?;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(name: &'static str, Finding(outcome, what, mend): Finding) -> Check {
    Check { name, outcome, what, mend }
}

fn report(diagnosis: &Diagnosis, style: &Style) -> String {
    let word = |verdict| match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Broken => "broken",
        Verdict::Skipped => "-",
    };
    let mut rows = Vec::new();
    for check in &diagnosis.checks {
        rows.push([word(check.outcome).to_owned(), check.name.to_owned(), style.safe(&check.what)]);
        let mend = check.mend.iter().flat_map(|mend| mend.lines());
        rows.extend(mend.map(|line| [String::new(), String::new(), format!("mend: {}", style.safe(line))]));
    }
    let table = text::table(&rows, |column, cell| match (column, cell.trim()) {
        (0, "broken") => style.bad(cell),
        (0, "ok" | "-") => style.dim(cell),
        (_, _) => cell.to_owned(),
    });
    let count = |verdict| diagnosis.checks.iter().filter(|check| check.outcome == verdict).count();
    let (broken, warnings) = (count(Verdict::Broken), count(Verdict::Warning));
    format!("{table}\n{} checks: {broken} broken, {warnings} to look at\n", diagnosis.checks.len())
}

/// A path as a shell takes it.
fn quoted(path: &std::path::Path) -> String {
    let path = path.display().to_string();
    let plain = path.chars().all(|c| c.is_alphanumeric() || "-_./@+:~".contains(c));
    if plain { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
