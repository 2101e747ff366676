//! What an installation did or would do, for people and as JSON.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use similar::TextDiff;

use super::clients::Client;
use super::plan::Step;
use super::site::{Scope, Site};
use crate::cmd::Outcome;
use crate::output::{Output, Style};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Action {
    Created,
    Changed,
    Removed,
    Unchanged,
}

/// A file that was looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FileReport {
    path: String,
    action: Action,
    /// What was left as it is, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// What would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
}

/// What was done, or would be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    client: &'static str,
    scope: Scope,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    files: Vec<FileReport>,
    /// Commands of the client's own that were run, or would be.
    commands: Vec<String>,
    /// Other things worth knowing.
    notes: Vec<String>,
    /// What is left to do by hand.
    pub next: Vec<String>,
    #[serde(skip)]
    home: String,
}

impl Report {
    /// A report with nothing in it.
    pub fn new(site: &Site<'_>, client: &Client, dry_run: bool) -> Report {
        let home = site.home();
        let (files, commands, notes, next) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Report { client: client.name, scope: site.scope, dry_run, files, commands, notes, next, home }
    }

    /// Tells of a step.
    pub fn step(&mut self, step: &Step) {
        let action = match (&step.file.text, &step.after) {
            (None, None) => return,
            (None, Some(_)) => Action::Created,
            (Some(_), None) => Action::Removed,
            (_, _) if step.changes() => Action::Changed,
            (_, _) => Action::Unchanged,
        };
        let diff = (self.dry_run && step.changes()).then(|| diff(step));
        let path = step.file.path.display().to_string();
        self.files.push(FileReport { path, action, notes: step.notes.clone(), diff });
    }

    /// Tells of a command of the client's own.
    pub fn command(&mut self, command: &str) {
        self.commands.push(command.to_owned());
    }

    /// Tells something else.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Prints it: what was done, or with a dry run the diff, and apart from it what else would be done.
    pub fn print(&self, out: &Output) -> Outcome {
        let text = |report: &Report, style: &Style| match report.diffs() {
            _ if !report.dry_run => report.text(style),
            diffs if diffs.is_empty() || !out.is_terminal() => diffs,
            // A file may hold what steers a terminal.
            diffs => style.flat_body(&diffs),
        };
        out.answer(self, text)?;
        if self.dry_run && !out.is_json() {
            self.commands.iter().for_each(|command| out.notice(&format!("would run: {command}")));
            let notes = self.files.iter().flat_map(|file| &file.notes).chain(&self.notes);
            notes.for_each(|note| out.notice(note));
            if self.commands.is_empty() && self.files.iter().all(|file| file.diff.is_none()) {
                out.notice("nothing would change");
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn text(&self, style: &Style) -> String {
        let mut text = String::new();
        for file in &self.files {
            let what = match file.action {
                Action::Created => "made",
                Action::Changed => "changed",
                Action::Removed => "removed",
                Action::Unchanged => "unchanged",
            };
            text.push_str(&format!("{what:<10} {}\n", style.name(self.short(&file.path))));
            file.notes.iter().for_each(|note| text.push_str(&format!("           {}\n", style.safe(note))));
        }
        self.commands.iter().for_each(|command| text.push_str(&format!("ran        {}\n", style.safe(command))));
        self.notes.iter().for_each(|note| text.push_str(&format!("note       {}\n", style.safe(note))));
        self.next.iter().for_each(|next| text.push_str(&format!("next       {}\n", style.safe(next))));
        if text.is_empty() { "nothing to do\n".to_owned() } else { text }
    }

    /// The diffs alone, so that they are a patch.
    fn diffs(&self) -> String {
        self.files.iter().filter_map(|file| file.diff.as_deref()).collect()
    }

    fn short(&self, path: &str) -> String {
        match Path::new(path).strip_prefix(&self.home) {
            Ok(rest) => format!("~/{}", rest.display()),
            Err(_) => path.to_owned(),
        }
    }
}

/// A step as a unified diff.
fn diff(step: &Step) -> String {
    let path = step.file.path.display().to_string();
    let name = |there: bool| if there { path.clone() } else { "/dev/null".to_owned() };
    let (before, after) = (step.file.text.as_deref(), step.after.as_deref());
    let diff = TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default());
    diff.unified_diff().header(&name(before.is_some()), &name(after.is_some())).to_string()
}
