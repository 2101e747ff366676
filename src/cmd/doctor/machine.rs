//! Checks of the machine: the binary, the folders, the disk, and how long a hook takes.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Exam, Finding, Patient, quoted};
use crate::cmd::app::System;
use crate::config::{self, Env};
use crate::error::Error;
use crate::ops::Machine;

/// What this binary calls itself.
const VERSION: &str = concat!("postino ", env!("CARGO_PKG_VERSION"));
/// Less free space than this is too little, in bytes.
const LEAST_SPACE: u64 = 64 << 20;
/// Less free space than this is worth a word, in bytes.
const SCARCE_SPACE: u64 = 512 << 20;
/// How often a hook is run to be measured.
const RUNS: usize = 9;
/// A hook that takes this long is cut off.
const CUT_OFF: Duration = Duration::from_millis(250);
/// A hook that takes this long can be felt.
const SLOW: Duration = Duration::from_millis(100);

/// Settings that cannot be read: the variable, or the file, that is to be changed.
pub(super) fn settings(error: &Error) -> Finding {
    let legal = |c: char| c.is_ascii_uppercase() || c == '_';
    let variable = error.message.split(|c| !legal(c)).find(|word| word.starts_with("POSTINO_"));
    let file = Env::of_process().and_then(|env| config::settings_file(&env));
    let mend = match (variable, file) {
        (Some(variable), _) => format!("unset {variable}"),
        (None, Ok(file)) => format!("${{EDITOR:-vi}} {}", quoted(&file)),
        (None, Err(_)) => "export HOME=\"$(getent passwd \"$(id -u)\" | cut -d: -f6)\"".to_owned(),
    };
    Finding::broken(error.message.clone(), mend)
}

/// Clients call postino by its name: the PATH must lead to this version.
pub(super) fn binary(patient: &Patient<'_>) -> Exam {
    let this = config::executable().ok_or_else(|| Finding::skipped("this file cannot be found"))?;
    let Some(found) = patient.site()?.program("postino") else {
        let folder = this.parent().unwrap_or(Path::new("/")).display().to_string();
        return Ok(Finding::broken(
            "postino is not on the PATH; clients call it by that name",
            format!("export PATH=\"{folder}:$PATH\""),
        ));
    };
    if fs::canonicalize(&found).is_ok_and(|found| fs::canonicalize(&this).is_ok_and(|this| this == found)) {
        return Ok(Finding::ok(format!("{VERSION}, {}", found.display())));
    }
    let said = Command::new(&found).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if said == VERSION {
        return Ok(Finding::ok(format!("{VERSION}, another copy at {}", found.display())));
    }
    let said = if said.is_empty() { "does not run".to_owned() } else { format!("is {said}") };
    let mend = format!("cp {} {}", quoted(&this), quoted(&found));
    Ok(Finding::broken(format!("{} on the PATH {said}; this is {VERSION}", found.display()), mend))
}

/// The folders are the user's alone.
pub(super) fn folders(patient: &Patient<'_>) -> Exam {
    let dirs = &patient.app.settings.dirs;
    let mut looked = 0;
    for folder in [dirs.data.clone(), dirs.state.join("sessions"), dirs.state.join("bound")] {
        let Ok(meta) = fs::metadata(&folder) else { continue };
        looked += 1;
        owned(&folder, &meta)?;
        if meta.mode() & 0o077 != 0 {
            let what = format!("others may enter {}", folder.display());
            return Ok(Finding::broken(what, format!("chmod 700 {}", quoted(&folder))));
        }
    }
    Ok(Finding::ok(if looked == 0 { "none yet; the first use makes them" } else { "private" }))
}

/// What may hold a password is not for others to read.
pub(super) fn settings_file(patient: &Patient<'_>) -> Exam {
    let settings = &patient.app.settings;
    let config = &settings.dirs.config;
    // One that somebody else handed in, as a container's secret is, is theirs to guard.
    let mine = |file: &&Path| fs::metadata(file).is_ok_and(|meta| meta.uid() == rustix::process::getuid().as_raw());
    let token = settings.web.token_file().filter(mine).map(|file| (file.to_owned(), "holds the API token"));
    let ours = ["config.toml", "store"].map(|name| (config.join(name), "may hold a password"));
    for (file, why) in ours.into_iter().chain(token) {
        let Ok(meta) = fs::metadata(&file) else { continue };
        owned(&file, &meta)?;
        if meta.mode() & 0o077 != 0 {
            let what = format!("others may read {}, which {why}", file.display());
            return Ok(Finding::warning(what, format!("chmod 600 {}", quoted(&file))));
        }
    }
    Ok(Finding::ok("private, or not there"))
}

fn owned(path: &Path, meta: &Metadata) -> Result<(), Finding> {
    let me = rustix::process::getuid().as_raw();
    if meta.uid() == me {
        return Ok(());
    }
    let mend = format!("sudo chown -R {me} {}", quoted(path));
    Err(Finding::broken(format!("{} belongs to user {}, not to {me}", path.display(), meta.uid()), mend))
}

/// There is room for mail.
pub(super) fn disk(patient: &Patient<'_>) -> Exam {
    let data = &patient.app.settings.dirs.data;
    let there = data.ancestors().find(|folder| folder.exists()).unwrap_or(data);
    let room = rustix::fs::statvfs(there).map_err(|_| Finding::skipped("the file system does not say"))?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let what = format!("{} MB free for {}", free >> 20, data.display());
    let mend = format!("df -h {}", quoted(there));
    Ok(match free {
        ..LEAST_SPACE => Finding::broken(what, mend),
        LEAST_SPACE..SCARCE_SPACE => Finding::warning(what, mend),
        SCARCE_SPACE.. => Finding::ok(what),
    })
}

/// A home for one measurement, removed when it is over.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How long a hook takes that has nothing to say, beside a program that does nothing. It runs in a home of its own, on an
/// embedded store, so that it disturbs no session; how fast the store in use answers is told by another check.
pub(super) fn hook_latency(patient: &Patient<'_>) -> Exam {
    let this = config::executable().ok_or_else(|| Finding::skipped("this file cannot be found"))?;
    let nothing =
        patient.site()?.program("true").ok_or_else(|| Finding::skipped("there is no `true` to compare with"))?;
    let state = &patient.app.settings.dirs.state;
    let scratch = Scratch(state.join(format!("doctor-{:032x}", System.random())));
    let hook = |event: &str| {
        let mut command = Command::new(&this);
        command.args(["hook", event, "claude"]).env("POSTINO_HOME", &scratch.0);
        command.env("POSTINO_CLIENT_PID", std::process::id().to_string()).env_remove("POSTINO_DEBUG");
        command.env_remove("POSTINO_AGENT_NAME").env("POSTINO_WEB_ENABLED", "false");
        command.env("POSTINO_VALKEY_URL", format!("sqlite:{}", scratch.0.join("postino.db").display()));
        command
    };
    let mut times = [Vec::new(), Vec::new()];
    run(hook("session-start"))?;
    for _ in 0..RUNS {
        times[0].push(run(hook("user-prompt-submit"))?);
        times[1].push(run(Command::new(&nothing))?);
    }
    let [hook, floor] = times.map(median);
    let ratio = hook.as_secs_f64() / floor.as_secs_f64().max(0.000_001);
    let what = format!("{:.1} ms for nothing new, {ratio:.1} times as long as `true`", hook.as_secs_f64() * 1000.0);
    let mend = "cargo install postino --locked";
    Ok(match hook {
        _ if hook >= CUT_OFF => Finding::broken(format!("{what}: too long, it is cut off"), mend),
        _ if hook >= SLOW => Finding::warning(what, mend),
        _ => Finding::ok(what),
    })
}

/// How long a command takes from start to end.
fn run(mut command: Command) -> Result<Duration, Finding> {
    let start = Instant::now();
    // An object is all that a hook needs to hear.
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.map_err(|_| Finding::broken("a hook cannot be started", "postino hook stop </dev/null"))?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = std::io::Write::write_all(&mut stdin, b"{\"session_id\":\"doctor\"}");
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(start.elapsed()),
        Ok(_) | Err(_) => Err(Finding::broken("a hook failed", "postino hook stop </dev/null")),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
