//! Claude Code: its own command registers the marketplace and the plugin. That command writes the settings file anew; where
//! it says the same then as postino would have written, the file gets its old layout back, so that no foreign byte changes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::clients::CLAUDE;
use super::edit::Format;
use super::file::Found;
use super::json::{self, Dialect};
use super::look::Registered;
use super::plan::{self, Step, Wanted};
use super::plugin;
use super::record::Record;
use super::report::Report;
use super::site::{Scope, Site};
use crate::config::Settings;
use crate::error::{Error, Kind, Result};

/// How long a command of Claude Code's may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(20);
/// The plugin, as Claude Code names it.
const PLUGIN: &str = "postino@postino";
/// The place in the settings that turns the plugin on.
const PLUGIN_POINTER: &str = "/enabledPlugins/postino@postino";
/// The setting that turns it on.
const PLUGIN_TEMPLATE: &str = "{\n  \"enabledPlugins\": {\n    \"postino@postino\": true\n  }\n}\n";
/// The setting that allows postino's tools.
const RULE_TEMPLATE: &str =
    "{\n  \"permissions\": {\n    \"allow\": [\n      \"mcp__plugin_postino_postino\"\n    ]\n  }\n}\n";

/// Claude Code on this machine.
pub struct Claude<'a> {
    site: &'a Site<'a>,
    /// Its command, when it is on the PATH.
    program: Option<PathBuf>,
    /// The folder that it keeps the user's configuration in.
    folder: PathBuf,
    /// The settings of the scope.
    file: PathBuf,
    /// Where the plugin's files lie, for Claude Code to read.
    market: PathBuf,
}

impl<'a> Claude<'a> {
    /// Claude Code as it is found.
    pub fn new(site: &'a Site<'a>, settings: &Settings) -> Claude<'a> {
        let folder = site.folder(&CLAUDE);
        let file = match site.scope {
            Scope::User => folder.join("settings.json"),
            Scope::Project => site.project.join(".claude/settings.json"),
        };
        let program = CLAUDE.programs.iter().find_map(|program| site.program(program));
        Claude { site, program, folder, file, market: settings.dirs.data.join("claude") }
    }

    /// Registers the marketplace and the plugin, or says what to type.
    pub fn install(&self, record: &mut Record, report: &mut Report, allow_tools: bool) -> Result<()> {
        let elsewhere = self.marketplace().filter(|place| *place != self.market);
        let mut templates = Vec::new();
        if self.program.is_some() {
            templates.extend(elsewhere.is_none().then(|| self.market_template()));
            templates.push(PLUGIN_TEMPLATE.to_owned());
        }
        templates.extend(allow_tools.then(|| RULE_TEMPLATE.to_owned()));
        let wanted = self.wanted(templates);
        let steps = plan::put(&wanted, record)?;
        let done = !steps.iter().any(Step::changes) && self.marketplace().is_some() && self.is_installed();
        let mut commands = Vec::new();
        if let Some(place) = &elsewhere {
            report.note(format!("the marketplace postino is registered already, from {}; it stays", place.display()));
        } else if !done {
            commands.push(self.command(&["marketplace", "add", &self.market.to_string_lossy()]));
        }
        commands.extend((!done).then(|| self.command(&["install", PLUGIN])));
        if !report.dry_run {
            plugin::write(&self.market)?;
            steps.iter().filter_map(|step| step.entry.clone()).try_for_each(|entry| record.put(entry))?;
        }
        self.carry_out(&steps, &commands, record, report, |record| plan::put(&wanted, record))?;
        report.next.extend(CLAUDE.then.filter(|_| !done && self.program.is_some()).map(str::to_owned));
        Ok(())
    }

    /// Takes the plugin and the marketplace out again, or says what to type.
    pub fn uninstall(&self, record: &mut Record, report: &mut Report) -> Result<()> {
        let wanted = self.wanted(vec![self.market_template(), PLUGIN_TEMPLATE.to_owned(), RULE_TEMPLATE.to_owned()]);
        let steps = plan::take(&wanted, record)?;
        // A plugin that was there before the installation stays.
        let ours = record.find(&self.file).is_none_or(|entry| entry.made.covers(PLUGIN_POINTER));
        let mut commands = Vec::new();
        commands.extend((ours && self.is_installed()).then(|| self.command(&["uninstall", PLUGIN])));
        let registered = self.marketplace().is_some_and(|place| place == self.market);
        commands.extend((ours && registered).then(|| self.command(&["marketplace", "remove", "postino"])));
        self.carry_out(&steps, &commands, record, report, |record| plan::take(&wanted, record))?;
        if report.dry_run || self.marketplace().is_some_and(|place| place == self.market) {
            return Ok(());
        }
        plugin::remove(&self.market)
    }

    /// Runs Claude Code's commands and then sees to the settings file, or says what to type.
    fn carry_out(
        &self,
        steps: &[Step],
        commands: &[Vec<String>],
        record: &mut Record,
        report: &mut Report,
        again: impl Fn(&Record) -> Result<Vec<Step>>,
    ) -> Result<()> {
        steps.iter().for_each(|step| report.step(step));
        match &self.program {
            Some(program) => {
                for words in commands {
                    report.command(&shown(words));
                    if !report.dry_run {
                        self.run(program, words)?;
                    }
                }
            }
            None => report
                .next
                .extend(commands.iter().map(|words| format!("claude is not on the PATH; type: {}", shown(words)))),
        }
        if report.dry_run {
            return Ok(());
        }
        steps.iter().try_for_each(|step| self.settle(step, record, &again))
    }

    /// After the commands: what is left to do is planned anew, and where that comes to what was planned at first, the file gets
    /// the text planned at first.
    fn settle(&self, step: &Step, record: &mut Record, again: impl Fn(&Record) -> Result<Vec<Step>>) -> Result<()> {
        for anew in again(record)? {
            let planned = meaning(step.after.as_deref());
            let same = planned.is_some() && planned == meaning(anew.after.as_deref());
            let after = if same { step.after.clone() } else { anew.after.clone() };
            Step { after, ..anew }.apply(record)?;
        }
        Ok(())
    }

    fn run(&self, program: &Path, words: &[String]) -> Result<()> {
        let fail = |why: &str| {
            Error::new(Kind::Other, format!("`{}` failed: {why}", shown(words)))
                .hint("type it yourself; `postino uninstall claude` takes back what was done so far")
        };
        let mut command = Command::new(program);
        command.args(words).current_dir(&self.site.project);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| fail("it could not be started").because(error))?;
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait().map_err(|error| fail("it was lost").because(error))?.is_none() {
            if Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                return Err(fail("it did not end within a minute"));
            }
            std::thread::sleep(GLANCE);
        }
        let output = child.wait_with_output().map_err(|error| fail("it was lost").because(error))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let why = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not say why");
        if output.status.success() { Ok(()) } else { Err(fail(why)) }
    }

    /// A command of Claude Code's for this scope.
    fn command(&self, words: &[&str]) -> Vec<String> {
        let scope = match self.site.scope {
            Scope::User => "user",
            Scope::Project => "project",
        };
        ["plugin"].iter().chain(words).chain(&["--scope", scope]).map(ToString::to_string).collect()
    }

    fn wanted(&self, templates: Vec<String>) -> Vec<Wanted> {
        let wanted = |template| Wanted { path: self.file.clone(), format: Format::Json, template };
        templates.into_iter().map(wanted).collect()
    }

    /// The setting that Claude Code's command writes for our marketplace.
    fn market_template(&self) -> String {
        let place = Value::from(self.market.to_string_lossy()).to_string();
        let source = format!("{{\n        \"source\": \"directory\",\n        \"path\": {place}\n      }}");
        format!(
            "{{\n  \"extraKnownMarketplaces\": {{\n    \"postino\": {{\n      \"source\": {source}\n    }}\n  }}\n}}\n"
        )
    }

    /// How far Claude Code knows postino in this scope.
    pub fn registered(&self) -> Result<Registered> {
        if !self.is_installed() {
            return Ok(Registered::Not);
        }
        let file = Found::read(&self.file)?;
        let settings = meaning(file.text.as_deref()).unwrap_or_default();
        let on = settings["enabledPlugins"][PLUGIN] != false;
        Ok(if on { Registered::Whole(vec![self.file.clone()]) } else { Registered::Off })
    }

    /// Where postino lays out the plugin's files.
    pub fn market(&self) -> &Path {
        &self.market
    }

    /// Where the marketplace that Claude Code knows as ours has its files.
    pub fn marketplace(&self) -> Option<PathBuf> {
        let known = self.bookkeeping("known_marketplaces.json")?;
        Some(known.get("postino")?.get("installLocation")?.as_str()?.into())
    }

    /// Whether Claude Code has the plugin for this scope.
    pub fn is_installed(&self) -> bool {
        let here = |entry: &Value| match self.site.scope {
            Scope::User => entry["scope"] == "user",
            Scope::Project => {
                entry["scope"] == "project" && entry["projectPath"].as_str() == self.site.project.to_str()
            }
        };
        let known = self.bookkeeping("installed_plugins.json");
        known
            .and_then(|known| known["plugins"][PLUGIN].as_array().map(|entries| entries.iter().any(here)))
            .unwrap_or(false)
    }

    /// A file in which Claude Code keeps books; read only, and only for what was seen to stand there.
    fn bookkeeping(&self, name: &str) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.folder.join("plugins").join(name)).ok()?).ok()
    }
}

/// What settings say; that a section is empty and that it is not there is the same.
fn meaning(text: Option<&str>) -> Option<Value> {
    let mut value = json::value(text.unwrap_or_default().trim_start_matches('\u{feff}'), Dialect::Strict).ok()?;
    let settings = value.as_object_mut()?;
    for section in ["enabledPlugins", "extraKnownMarketplaces"] {
        if settings.get(section).and_then(Value::as_object).is_some_and(serde_json::Map::is_empty) {
            settings.remove(section);
        }
    }
    Some(value)
}

/// A command as one would type it.
fn shown(words: &[String]) -> String {
    let word = |word: &String| {
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./@+:".contains(c));
        if plain { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    format!("claude {}", words.iter().map(word).collect::<Vec<_>>().join(" "))
}
