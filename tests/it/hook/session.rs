//! A session as the tests of hooks need it: a living process that stands for the client, and the hooks it calls.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Postino, Ran};

/// A client's process in a folder called `webshop`, and the conversation it is in.
pub(crate) struct Session<'a> {
    pub(crate) postino: &'a Postino,
    pub(crate) process: Child,
    pub(crate) id: String,
}

impl<'a> Session<'a> {
    /// A client in a conversation; nothing has been called yet.
    pub(crate) fn open(postino: &'a Postino, id: &str) -> Session<'a> {
        std::fs::create_dir_all(postino.home().join("webshop")).unwrap();
        let process = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        Session { postino, process, id: id.to_owned() }
    }

    /// A client whose session has started.
    pub(crate) fn start(postino: &'a Postino, id: &str) -> Session<'a> {
        let session = Session::open(postino, id);
        session.hook("session-start", &json!({"source": "startup"}));
        session
    }

    /// A command line of a process of this client. Hooks have time enough here, however busy the machine is.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.postino.command(args);
        command.env("POSTINO_CLIENT_PID", self.process.id().to_string()).env("POSTINO_HOOK_MS", "30000");
        command.current_dir(self.postino.home().join("webshop"));
        command
    }

    /// Runs a command of this session.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args))
    }

    /// The client's JSON for a hook.
    pub(crate) fn payload(&self, event: &str, more: &Value) -> String {
        let name = match event {
            "session-start" => "SessionStart",
            "user-prompt-submit" => "UserPromptSubmit",
            "post-tool-use" => "PostToolUse",
            "stop" => "Stop",
            "session-end" => "SessionEnd",
            other => other,
        };
        let mut payload = json!({
            "session_id": self.id, "transcript_path": "/t.jsonl", "cwd": "/", "hook_event_name": name,
            "permission_mode": "default",
        });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        payload.to_string()
    }

    /// Calls a hook; it must end well and say nothing on stderr. What it printed.
    #[track_caller]
    pub(crate) fn hook(&self, event: &str, more: &Value) -> String {
        self.hook_with(event, more, &[])
    }

    /// The same with further variables.
    #[track_caller]
    pub(crate) fn hook_with(&self, event: &str, more: &Value, variables: &[(&str, &str)]) -> String {
        let mut command = self.command(&["hook", event]);
        command.envs(variables.iter().copied());
        let ran = feed(command, self.payload(event, more).as_bytes());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{event}");
        ran.out
    }

    /// What the hooks of a turn's moments print.
    #[track_caller]
    pub(crate) fn prompt(&self) -> String {
        self.hook("user-prompt-submit", &json!({"prompt": "go on"}))
    }

    #[track_caller]
    pub(crate) fn tool(&self) -> String {
        self.hook("post-tool-use", &json!({"tool_name": "Bash", "tool_input": {}, "tool_response": {"stdout": "}"}}))
    }

    #[track_caller]
    pub(crate) fn stop(&self) -> String {
        self.hook("stop", &json!({"stop_hook_active": false}))
    }

    /// The name that `whoami` tells.
    #[track_caller]
    pub(crate) fn name(&self) -> String {
        let ran = self.run(&["whoami", "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.json()["agent"].as_str().unwrap().to_owned()
    }

    /// Reads all mail, so that none waits.
    pub(crate) fn read(&self) {
        assert_eq!(self.run(&["read", "-q"]).code, 0);
    }

    /// Ends the client's process without a word.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a command with these bytes on a pipe.
pub(crate) fn feed(mut command: Command, stdin: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A hook may end before it has read everything.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin);
    Ran::from(child.wait_with_output().unwrap())
}

/// The hint for one message.
pub(crate) fn hint(from: &str) -> String {
    format!("[postino] 1 unread message(s) (newest from {from}). msg_read shows them.\n")
}

/// A text in the form that Claude Code takes as context.
#[track_caller]
pub(crate) fn context(printed: &str, event: &str) -> String {
    let json: Value = serde_json::from_str(printed).unwrap_or_else(|error| panic!("{error}: {printed:?}"));
    assert_eq!(json["hookSpecificOutput"]["hookEventName"], event);
    json["hookSpecificOutput"]["additionalContext"].as_str().unwrap().to_owned()
}

/// The registry's files, by name, of all hosts.
pub(crate) fn registered(postino: &Postino) -> Vec<String> {
    let mut names: Vec<String> = files(postino.home().join("postino/sessions"))
        .into_iter()
        .flat_map(files)
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}
