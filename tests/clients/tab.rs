//! A terminal tab: a client in a tmux of its own, typed into and looked at. It knows no client's screen.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::claude::Claude;
use crate::world::until;

/// How long a client may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// A client in a terminal; it ends with its tmux when it is dropped.
pub struct Tab<'a> {
    /// What runs in it.
    pub claude: &'a Claude<'a>,
    socket: String,
    /// The client's process id.
    client: String,
}

impl<'a> Tab<'a> {
    /// Opens one and waits for the prompt.
    pub fn open(claude: &'a Claude<'a>, args: &[&str]) -> Tab<'a> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let socket = format!("postino-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut tab = Tab { claude, socket, client: String::new() };
        let folder = claude.folder.display().to_string();
        // The client shall see the terminal that the test names, and no tmux.
        let shed = ["env", "-u", "TMUX", "-u", "TMUX_PANE", "-u", "TERM_PROGRAM"];
        let mut start = vec!["-f", "/dev/null", "new-session", "-d", "-x", "160", "-y", "50", "-c", &folder, "--"];
        start.extend(shed);
        let command = claude.command(args);
        start.extend(command.iter().map(String::as_str));
        tab.tmux(&start);
        let client = tab.tmux(&["display-message", "-p", "#{pane_pid}"]).stdout;
        tab.client = String::from_utf8_lossy(&client).trim().to_owned();
        tab.shows("❯");
        tab
    }

    fn tmux(&self, args: &[&str]) -> Output {
        let output = Command::new("tmux")
            .env_clear()
            .envs(self.claude.variables())
            .env("TMUX_TMPDIR", self.claude.world.path("tmp"))
            .args(["-L", &self.socket])
            .args(args)
            .output()
            .expect("tmux runs");
        assert!(output.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p"]).stdout).into_owned()
    }

    /// Waits until these words are on the screen.
    pub fn shows(&self, words: &str) {
        until(&format!("{words:?} on the screen"), || self.screen().contains(words).then_some(()));
    }

    /// Waits until these words are no longer on the screen.
    pub fn forgets(&self, words: &str) {
        until(&format!("{words:?} off the screen"), || (!self.screen().contains(words)).then_some(()));
    }

    /// Types a line and sends it once it has been taken up.
    pub fn types(&self, line: &str) {
        self.tmux(&["send-keys", "-l", "--", line]);
        self.shows(line);
        self.tmux(&["send-keys", "Enter"]);
    }

    /// Types a prompt and waits for the model's answer to it on the screen.
    pub fn asks(&self, prompt: &str, answer: &str) {
        self.types(prompt);
        self.shows(answer);
    }

    /// Kills the client, which gets no time to say goodbye.
    pub fn kill(&self) {
        signal("-KILL", &self.client);
    }
}

/// Sends a signal; false when there is no such process.
fn signal(signal: &str, pid: &str) -> bool {
    Command::new("kill").args([signal, pid]).output().is_ok_and(|output| output.status.success())
}

impl Drop for Tab<'_> {
    fn drop(&mut self) {
        let kill = ["-L", &self.socket, "kill-server"];
        let _ = Command::new("tmux").env("TMUX_TMPDIR", self.claude.world.path("tmp")).args(kill).output();
        // It says goodbye, and writes to its folders meanwhile; they are not removed before it is done.
        let end = Instant::now() + GOODBYE;
        while signal("-0", &self.client) && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        signal("-KILL", &self.client);
    }
}
