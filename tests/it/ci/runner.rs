//! A job that runs the page's scripts: its folder, its variables, its store, and the agents that it talks to.
//! The runner of GitHub Actions is played as far as it acts on what a step prints and writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use super::snippets;
use crate::release::Machine;
use crate::support::Ran;

/// A machine with a release to install from, a store, and a program `make` that notes what it was to make.
pub(crate) struct Job {
    machine: Machine,
    release: String,
}

impl Job {
    pub(crate) fn new(release: &Path) -> Job {
        let machine = Machine::new();
        machine.give("make", &format!("echo \"$*\" >>{}", machine.path("made").display()));
        Job { machine, release: format!("file://{}", release.display()) }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.machine.path(name)
    }

    fn store(&self) -> String {
        format!("sqlite:{}", self.path("store/postino.db").display())
    }

    fn shell(&self, shell: &[&str], script: &str, path: &str) -> Command {
        fs::write(self.path("script"), script).unwrap();
        let mut command = self.machine.command(shell[0]);
        command.args(&shell[1..]).arg(self.path("script")).env("POSTINO_VALKEY_URL", self.store());
        let tools = self.path("tools");
        command.env("PATH", format!("{path}{}:/usr/bin:/bin", tools.display())).env("POSTINO_AGENT_NAME", "ci");
        command
    }

    /// Runs parts of a GitLab job in one shell.
    pub(crate) fn gitlab(&self, parts: &[&str], status: &str) -> Ran {
        let mut command = self.shell(&["sh", "-e"], &parts.concat(), "");
        command.env("CI_PROJECT_DIR", self.path("home")).env("CI_JOB_STATUS", status).env("CI_JOB_ID", status);
        command.env("CI_COMMIT_REF_NAME", "main").env("CI_COMMIT_SHA", "0123abc");
        command.env("CI_JOB_URL", "https://gitlab.example/jobs/17").env("POSTINO_RELEASE", &self.release);
        Ran::of(&mut command)
    }

    /// Runs postino as an agent elsewhere, which must succeed.
    pub(crate) fn postino(&self, agent: &str, args: &[&str]) -> String {
        let ran = Ran::of(self.elsewhere(agent).args(args));
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        String::from_utf8(ran.bytes).unwrap()
    }

    fn elsewhere(&self, agent: &str) -> Command {
        let mut command = self.machine.command(env!("CARGO_BIN_EXE_postino"));
        command.env("POSTINO_HOME", self.path(agent)).env("POSTINO_VALKEY_URL", self.store());
        command.args(["--agent", agent, "-q"]);
        command
    }
}

/// An agent that answers the first message that comes to it.
pub(crate) struct Reviewer(JoinHandle<String>);

impl Reviewer {
    pub(crate) fn answering(job: &Job, name: &str, answer: &str) -> Reviewer {
        job.postino(name, &["check"]);
        let mut read = job.elsewhere(name);
        read.args(["read", "--limit", "1", "--wait", "60", "--json"]);
        let mut send = job.elsewhere(name);
        let body = job.path("answer");
        fs::write(&body, answer).unwrap();
        Reviewer(std::thread::spawn(move || {
            let message = Ran::of(&mut read).json()["messages"][0].clone();
            send.args(["send", "ci", "--reply-to", message["id"].as_str().unwrap(), "--file"]).arg(body);
            let ran = Ran::of(&mut send);
            assert_eq!(ran.code, 0, "{ran:?}");
            message["body"].as_str().unwrap().to_owned()
        }))
    }

    /// What it was asked.
    pub(crate) fn was_asked(self) -> String {
        self.0.join().unwrap()
    }
}

/// A runner of GitHub Actions.
pub(crate) struct Github<'a> {
    job: &'a Job,
    scripts: BTreeMap<&'static str, String>,
    variables: Vec<(&'static str, String)>,
    stopped: Option<String>,
    commands: Vec<String>,
}

impl<'a> Github<'a> {
    pub(crate) fn new(job: &'a Job) -> Github<'a> {
        let file = |name: &str| job.path(name).display().to_string();
        fs::write(job.path("path"), "").unwrap();
        fs::write(job.path("output"), "").unwrap();
        let variables = vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_PATH", file("path")),
            ("GITHUB_OUTPUT", file("output")),
            ("RUNNER_TEMP", file("tmp")),
            ("GITHUB_SERVER_URL", "https://github.example".to_owned()),
            ("GITHUB_REPOSITORY", "someone/shop".to_owned()),
            ("GITHUB_REF_NAME", "main".to_owned()),
            ("GITHUB_SHA", "0123abc".to_owned()),
            ("GITHUB_RUN_ID", "17".to_owned()),
            ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
            ("RELEASE", job.release.clone()),
            ("STATUS", "failure".to_owned()),
        ];
        Github { job, scripts: snippets::github(), variables, stopped: None, commands: Vec::new() }
    }

    /// Sets a variable for the steps that follow.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    /// Changes a word in every script.
    pub(crate) fn replace(&mut self, from: &str, to: &str) {
        self.scripts.values_mut().for_each(|script| *script = script.replace(from, to));
    }

    /// Runs a step, and acts on what it printed.
    pub(crate) fn step(&mut self, name: &str) -> Ran {
        let added = fs::read_to_string(self.job.path("path")).unwrap();
        let path: String = added.lines().map(|folder| format!("{folder}:")).collect();
        let mut command = self.job.shell(&["bash", "-e"], &self.scripts[name], &path);
        command.envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())));
        let output = command.stdin(Stdio::null()).output().unwrap();
        self.hears(&String::from_utf8_lossy(&output.stderr));
        self.hears(&String::from_utf8_lossy(&output.stdout));
        Ran::from(output)
    }

    /// Acts on output: a line ends at a line feed and at a carriage return, and `##[` counts anywhere in it.
    pub(crate) fn hears(&mut self, output: &str) {
        for line in output.split(['\n', '\r']) {
            let new = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::"));
            let old = || line.split_once("##[").and_then(|(_, rest)| rest.split_once(']'));
            let Some((command, value)) = new.or_else(old) else { continue };
            let command = command.split(' ').next().unwrap_or_default();
            match &self.stopped {
                Some(mark) if command == mark => self.stopped = None,
                Some(_) => {}
                None if command == "stop-commands" => self.stopped = Some(value.to_owned()),
                None => self.commands.push(command.to_owned()),
            }
        }
    }

    /// The commands that were obeyed, but for those that stop the listening.
    pub(crate) fn commands(&self) -> &[String] {
        &self.commands
    }

    /// The outputs that steps have set.
    pub(crate) fn outputs(&self) -> Vec<(String, String)> {
        let file = fs::read_to_string(self.job.path("output")).unwrap();
        let mut lines = file.split_inclusive('\n');
        let mut outputs = Vec::new();
        while let Some(line) = lines.next() {
            let (name, mark) = line.trim_end().split_once("<<").unwrap_or_else(|| panic!("{line}"));
            let value: String = lines.by_ref().take_while(|line| line.trim_end_matches('\n') != mark).collect();
            outputs.push((name.to_owned(), value.strip_suffix('\n').unwrap_or(&value).to_owned()));
        }
        outputs
    }
}
