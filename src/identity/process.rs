//! Processes: who is whose parent, and which one is still the same. It knows nothing of names.
//!
//! A process is told by its id and its start time, for ids are used again. On Linux both come from `/proc`;
//! elsewhere from the `ps` command (POSIX).

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use crate::error::{Error, Kind, Result};
use crate::store::Holder;

/// A process as the system tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent's id.
    pub parent: u32,
    /// When it started: clock ticks since boot on Linux, a hash of the date elsewhere.
    pub started: u64,
    /// Its short name.
    pub name: String,
}

/// A living process; `None` when there is none with that id, or only a corpse.
#[cfg(target_os = "linux")]
pub fn look(pid: u32) -> Option<Process> {
    let stat = small_file(format!("/proc/{pid}/stat"))?;
    parse_stat(pid, &String::from_utf8_lossy(&stat))
}

/// Reads a line of `/proc/PID/stat` (proc(5)): the name is in parentheses and may hold anything, also `)`.
#[cfg(target_os = "linux")]
pub(super) fn parse_stat(pid: u32, stat: &str) -> Option<Process> {
    let (name, rest) = (stat.find('(')? + 1, stat.rfind(')')?);
    let fields: Vec<&str> = stat.get(rest + 1..)?.split_ascii_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X" | "x") {
        return None;
    }
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
        name: stat.get(name..rest)?.to_owned(),
    })
}

/// A living process; `None` when there is none with that id, or only a corpse.
#[cfg(not(target_os = "linux"))]
pub fn look(pid: u32) -> Option<Process> {
    look_by_ps(pid)
}

/// The same by `ps`.
#[cfg(any(not(target_os = "linux"), test))]
fn look_by_ps(pid: u32) -> Option<Process> {
    let fields = ["-o", "stat=", "-o", "ppid=", "-o", "lstart=", "-o", "comm="];
    let output = std::process::Command::new("ps")
        .args(fields)
        .args(["-p", &pid.to_string()])
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    // stat ppid Www Mmm dd hh:mm:ss yyyy comm…
    let (state, name) = (words.first()?, words.get(7..)?.join(" "));
    if state.starts_with('Z') {
        return None;
    }
    let started =
        words.get(2..7)?.join(" ").bytes().fold(0u64, |hash, byte| hash.wrapping_mul(131).wrapping_add(byte.into()));
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    Some(Process { pid, parent: words.get(1)?.parse().ok()?, started, name })
}

/// A file of some kilobytes at most, in one read: its size, which `/proc` does not tell, need not be known before.
pub(super) fn small_file(path: impl AsRef<Path>) -> Option<Vec<u8>> {
    let mut content = [0; 8 << 10];
    let n = File::open(path).ok()?.read(&mut content).ok()?;
    Some(content[..n].to_vec())
}

/// Where a process id means something: this boot and this pid namespace, as 16 hex digits.
pub fn host_id() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| {
        let boot = small_file("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = String::from_utf8_lossy(&boot);
        let space = std::fs::read_link("/proc/self/ns/pid").map(|path| path.display().to_string()).unwrap_or_default();
        // Without /proc, the start of the first process stands for the boot.
        let first = if boot.is_empty() { look(1).map_or(0, |process| process.started) } else { 0 };
        super::hashed(&[boot.trim(), &space, &first.to_string(), &host_name()], 16)
    })
}

/// The host's name, for display.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Whether the holder of a claim ran here and has ended; false when it ran elsewhere.
pub fn is_gone(holder: &Holder) -> bool {
    holder.host_id == host_id() && look(holder.pid).is_none_or(|process| process.started != holder.started)
}

/// Programs that run others from a file.
const INTERPRETERS: [&str; 4] = ["node", "MainThread", "bun", "deno"];
/// Programs that stand between a client and what it starts.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "zsh", "fish", "ksh", "env"];

impl Process {
    /// What the process is known by: its short name; of a script, the name that it was started as or its file's name.
    pub fn program(&self) -> String {
        let named = INTERPRETERS.contains(&self.name.as_str()).then(|| script(self.pid)).flatten();
        named.unwrap_or_else(|| self.name.clone())
    }

    /// Whether it has ended; another one with its id is not it.
    pub fn is_gone(&self) -> bool {
        look(self.pid).is_none_or(|process| process.started != self.started)
    }

    /// Whether it is a shell, which starts programs for others.
    pub fn is_shell(&self) -> bool {
        SHELLS.contains(&self.name.as_str())
    }
}

/// What an interpreter runs; `None` where the system has no `/proc`.
fn script(pid: u32) -> Option<String> {
    let line = small_file(format!("/proc/{pid}/cmdline"))?;
    script_in(&String::from_utf8_lossy(&line))
}

/// The script in a command line whose words end in NUL (proc(5)): the first word when it names no interpreter, else the first
/// that is no option.
pub(super) fn script_in(line: &str) -> Option<String> {
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut words = line.split('\0');
    let first = base(words.next()?);
    if !first.is_empty() && !INTERPRETERS.contains(&first.as_str()) {
        return Some(first);
    }
    let file = base(words.find(|word| !word.is_empty() && !word.starts_with('-'))?);
    Some(file.trim_end_matches(".js").trim_end_matches(".mjs").to_owned())
}

/// This process.
pub fn own() -> Result<Process> {
    look(std::process::id()).ok_or_else(|| {
        Error::new(Kind::Other, "the system tells nothing about this process")
            .hint("is /proc mounted, or ps installed?")
    })
}

/// The parents of this process, nearest first, at most 64.
pub fn ancestors() -> impl Iterator<Item = Process> {
    let parent = rustix::process::getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    std::iter::successors(parent.and_then(look), |process| (process.parent > 1).then(|| look(process.parent)).flatten())
        .take(64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Generation;

    fn holder_of(process: &Process) -> Holder {
        Holder { generation: Generation(1), host_id: host_id().to_owned(), pid: process.pid, started: process.started }
    }

    #[test]
    fn a_living_process_is_not_gone_and_a_dead_or_reused_one_is() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = look(child.id()).unwrap();
        assert!(!is_gone(&holder_of(&process)));
        assert!(is_gone(&Holder { started: process.started + 1, ..holder_of(&process) }));
        child.kill().unwrap();
        // Killed but not yet waited for: a corpse is gone.
        while !is_gone(&holder_of(&process)) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(is_gone(&holder_of(&process)));
        assert!(!is_gone(&Holder { host_id: "elsewhere".into(), ..holder_of(&process) }));
    }

    #[test]
    fn both_ways_to_look_agree() {
        let pid = std::process::id();
        let (here, by_ps) = (look(pid).unwrap(), look_by_ps(pid).unwrap());
        assert_eq!((here.pid, here.parent), (by_ps.pid, by_ps.parent));
        assert!(ancestors().next().is_some_and(|parent| parent.pid == here.parent));
    }

    #[test]
    fn a_script_is_known_by_its_file() {
        for (line, name) in [
            ("node\0--no-warnings=DEP0040\0/usr/local/bin/gemini\0-p\0hi\0", "gemini"),
            ("/opt/node/bin/node\0/x/gemini.js\0", "gemini"),
            ("/home/me/.local/bin/cursor-agent\0--use-system-ca\0/x/index.js\0", "cursor-agent"),
        ] {
            assert_eq!(script_in(line).as_deref(), Some(name), "{line:?}");
        }
        assert_eq!(script_in(""), None);
        assert_eq!(script_in("node\0-i\0"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_name_with_parentheses_does_not_confuse() {
        let fields: Vec<String> = (4..=22).map(|n| n.to_string()).collect();
        let process = parse_stat(9, &format!("9 (a) S (b) R {}", fields.join(" "))).unwrap();
        assert_eq!((process.parent, process.started, process.name.as_str()), (4, 22, "a) S (b"));
    }
}
