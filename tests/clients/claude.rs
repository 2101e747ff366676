//! Claude Code, started clean: its settings, its environment, one-shot runs. It knows no plugin and no test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fetch;
use crate::mock::Mock;
use crate::world::{Ran, World};

/// Not a key; the client wants one, and the mock does not look.
const KEY: &str = "not-a-key-but-twenty-long";

/// The plugin's MCP server, as rules and names of tools spell it; what the user adds is called `mcp__postino`.
pub const OURS: &str = "mcp__plugin_postino_postino";

/// A way to start Claude Code in one world, against one model of its own.
pub struct Claude<'a> {
    /// The model it talks to.
    pub mock: Mock,
    /// Where it runs.
    pub folder: PathBuf,
    /// Variables of its own.
    pub env: BTreeMap<String, String>,
    /// Arguments of every run.
    pub args: Vec<String>,
    /// Its world.
    pub world: &'a World,
    program: &'static Path,
}

/// What a one-shot run answered.
#[derive(Debug)]
pub struct Answer {
    /// The model's last words.
    pub text: String,
    /// The session's id.
    pub session: String,
    /// What the client complained of.
    pub stderr: String,
}

impl<'a> Claude<'a> {
    /// One that is past its first questions; `None` when the client or a terminal for it cannot be had.
    pub fn new(world: &'a World) -> Option<Claude<'a>> {
        fetch::tmux()?;
        let program = fetch::claude()?;
        let mock = Mock::start();
        let folder = world.path("project").canonicalize().unwrap();
        settle(world, &folder);
        Some(Claude { mock, folder, env: BTreeMap::new(), args: Vec::new(), world, program })
    }

    /// With a plugin's folder for every run.
    pub fn plugin(mut self, folder: &Path) -> Claude<'a> {
        self.args.extend(["--plugin-dir".to_owned(), folder.display().to_string()]);
        self
    }

    /// With a variable for every run.
    pub fn env(mut self, name: &str, value: &str) -> Claude<'a> {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The program and its arguments.
    pub fn command(&self, args: &[&str]) -> Vec<String> {
        let mut command = vec![self.program.display().to_string()];
        command.extend(self.args.iter().cloned());
        command.extend(args.iter().map(|arg| (*arg).to_owned()));
        command
    }

    /// All its variables.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let mut env = self.world.env();
        env.extend(self.mock.proxy());
        for (name, value) in [
            ("ANTHROPIC_BASE_URL", self.mock.url.as_str()),
            ("ANTHROPIC_API_KEY", KEY),
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
            ("DISABLE_TELEMETRY", "1"),
            ("DISABLE_ERROR_REPORTING", "1"),
        ] {
            env.insert(name.to_owned(), value.to_owned());
        }
        env.extend(self.env.clone());
        env
    }

    /// Runs a subcommand such as `plugin validate`.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.world.run(&self.command(args), &self.variables(), &self.folder)
    }

    /// Runs one prompt to its end (`-p`); the run must succeed.
    pub fn print(&self, args: &[&str], prompt: &str) -> Answer {
        let ran = self.run(&[args, &["--output-format", "json", "-p", prompt]].concat());
        assert_eq!(ran.code, Some(0), "claude -p {prompt:?}: {ran:?}");
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        let field = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Answer { text: field("result"), session: field("session_id"), stderr: ran.stderr }
    }
}

/// Writes the settings of somebody who has answered the client's first questions, and lets it use its shell and
/// postino's tools.
fn settle(world: &World, folder: &Path) {
    let approved = &KEY[KEY.len() - 20..];
    let state = json!({
        "hasCompletedOnboarding": true,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [approved], "rejected": []},
        "projects": {folder.display().to_string(): {"hasTrustDialogAccepted": true}},
    });
    if !world.path("home/.claude.json").exists() {
        world.write("home/.claude.json", &state.to_string());
        let settings = json!({"permissions": {"defaultMode": "default", "allow": ["Bash", OURS, "mcp__postino"]}});
        world.write("home/.claude/settings.json", &settings.to_string());
    }
    fs::create_dir_all(folder).unwrap();
}
