//! Files are the user's alone under any umask, and what somebody planted in their place is refused, or replaced, and never
//! followed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::Client;
use crate::support::{Postino, Ran};

/// What a planted link leads to.
const THEIRS: &str = "somebody else's words\n";
/// How long all commands may take when one of them met a pipe; a hook that waited there would take 20 s alone.
const AT_ONCE: Duration = Duration::from_secs(120);

/// Everything below a folder, folders included.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

/// Uses postino in every way that leaves files behind.
fn furnish(postino: &Postino, client: &Client) {
    assert_eq!(client.hook(postino, "session-start").code, 0);
    for line in [&["send", "bob", "hello"][..], &["check"], &["broadcast", "hello"], &["install", "codex"]] {
        let ran = Ran::of(&mut client.command(postino, line));
        assert_eq!(ran.code, 0, "{line:?}: {ran:?}");
    }
    // A store that was never there: what counts the hooks that failed.
    let mut hook = client.command(postino, &["hook", "user-prompt-submit", "claude"]);
    let payload = fs::File::open(postino.home().join("payload")).unwrap();
    assert_eq!(Ran::of(hook.env("POSTINO_VALKEY_URL", "redis://127.0.0.1:1").stdin(payload)).code, 0);
}

/// A command of the web server's, on a free port; one that should have been refused ends all the same.
fn serve(postino: &Postino, client: &Client, args: &[&str]) -> Ran {
    let inner = client.command(postino, &[&["serve"], args].concat());
    let mut command = Command::new("timeout");
    command.arg("20").arg(inner.get_program()).args(inner.get_args()).env_clear().current_dir(postino.home());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(command.env("POSTINO_WEB_PORT", "0").env("PATH", "/usr/bin:/bin"))
}

/// A home that was used, with a web server or without, and the files that this left there.
fn used(served: bool) -> (Postino, Client, Vec<PathBuf>) {
    let (postino, client) = (Postino::new(), Client::start());
    furnish(&postino, &client);
    if served {
        for line in [&["--detach"][..], &["stop"]] {
            let ran = serve(&postino, &client, line);
            assert_eq!(ran.code, 0, "{line:?}: {ran:?}");
        }
    }
    let mut files = all(&postino.home().join("postino"));
    files.retain(|path| path.is_file() && path.parent().is_some_and(|folder| folder.ends_with("serve") == served));
    (postino, client, files)
}

#[test]
fn everything_is_private_under_any_umask() {
    for umask in ["000", "077"] {
        let postino = Postino::new();
        let client = Client::start();
        // The shell's umask is inherited by all that it starts.
        let script = format!("umask {umask}; exec \"$@\"");
        let loose = |args: &[&str]| {
            let inner = client.command(&postino, args);
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &script, "sh"]).arg(inner.get_program()).args(inner.get_args()).env_clear();
            command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command.current_dir(postino.home());
            command
        };
        fs::write(postino.home().join("payload"), "{\"session_id\":\"s\"}").unwrap();
        let hook = |event: &str| {
            let payload = fs::File::open(postino.home().join("payload")).unwrap();
            assert_eq!(Ran::of(loose(&["hook", event, "claude"]).stdin(payload)).code, 0);
        };
        hook("session-start");
        for line in [&["send", "bob", "hello"][..], &["read"], &["broadcast", "x"], &["install", "codex"]] {
            let ran = Ran::of(&mut loose(line));
            assert_eq!(ran.code, 0, "{line:?}: {ran:?}");
        }
        let found = all(&postino.home().join("postino"));
        assert!(found.len() > 12, "{found:?}");
        for path in found.iter().chain([&postino.home().join("postino")]) {
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            let mode = fs::metadata(path).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, wanted, "umask {umask}: {} is {mode:o}", path.display());
        }
    }
}

/// What may stand where a file of postino's should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planted {
    Symlink,
    HardLink,
    Pipe,
    Folder,
    Foreign,
}

impl Planted {
    const ALL: [Planted; 5] = [Planted::Symlink, Planted::HardLink, Planted::Pipe, Planted::Folder, Planted::Foreign];

    /// Puts it there; false when this user cannot.
    fn put(self, path: &Path, theirs: &Path) -> bool {
        if self == Planted::Foreign {
            // Only root can give files away; for anybody else there is nothing to try.
            return chown(path, Some(12_345), None).is_ok();
        }
        fs::remove_file(path).unwrap();
        match self {
            Planted::Symlink => symlink(theirs, path).unwrap(),
            Planted::HardLink => fs::hard_link(theirs, path).unwrap(),
            Planted::Pipe => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
            Planted::Folder => fs::create_dir(path).unwrap(),
            Planted::Foreign => {}
        }
        true
    }
}

/// Runs what would use the file, and gives every word that was said.
fn use_all(postino: &Postino, client: &Client, path: &Path) -> String {
    let begun = Instant::now();
    let mut said = String::new();
    for event in ["user-prompt-submit", "stop"] {
        said += &client.hook(postino, event).err;
    }
    for line in [&["send", "bob", "more"][..], &["rename", "other"], &["whoami"], &["install", "codex"]] {
        let ran = Ran::of(&mut client.command(postino, line));
        said += &format!("{}{}", ran.out, ran.err);
    }
    if path.to_string_lossy().ends_with(".lock") && path.parent().is_some_and(|folder| folder.ends_with("serve")) {
        said += &serve(postino, client, &[]).err;
    } else if path.parent().is_some_and(|folder| folder.ends_with("serve")) {
        for line in [&["--detach"][..], &["stop"]] {
            said += &serve(postino, client, line).err;
        }
    }
    // Without a session and a choice, a store is chosen, under its lock.
    let choice = postino.home().join("postino/store");
    if fs::symlink_metadata(&choice).is_ok_and(|meta| meta.is_file() && meta.nlink() == 1 && meta.uid() != 12_345) {
        fs::remove_file(choice).unwrap();
    }
    let mut command = client.command(postino, &["check", "--agent", "ann"]);
    said += &Ran::of(command.env("POSTINO_CLIENT_PID", "0")).err;
    let mut command = client.command(postino, &["hook", "session-end", "claude"]);
    Ran::of(command.stdin(fs::File::open(postino.home().join("payload")).unwrap()));
    assert!(begun.elapsed() < AT_ONCE, "something waited");
    said
}

#[test]
fn what_was_planted_is_refused_or_replaced_and_never_followed() {
    let is = |path: &Path, ends: &[&str]| ends.iter().any(|end| path.to_string_lossy().ends_with(end));
    for served in [false, true] {
        let (_, _, files) = used(served);
        // A sample for each sort of file, whatever its process is called this time.
        let sorts: &[&str] = if served {
            &[".lock", ".log"]
        } else {
            &["store", "store.lock", "postino.db", "postino.db-wal", "wake", ".json", "failures", "installed.lock"]
        };
        for sort in sorts {
            assert!(files.iter().any(|name| is(name, &[sort])), "{sort} is not among {files:?}");
        }
        for (n, planted) in (0..files.len()).flat_map(|n| Planted::ALL.map(|planted| (n, planted))) {
            let (postino, client, mut files) = used(served);
            let path = files.remove(n);
            let theirs = postino.home().join("theirs");
            fs::write(&theirs, THEIRS).unwrap();
            fs::set_permissions(&theirs, fs::Permissions::from_mode(0o604)).unwrap();
            if !planted.put(&path, &theirs) {
                continue;
            }
            let inode = fs::symlink_metadata(&path).unwrap().ino();
            let said = use_all(&postino, &client, &path);
            assert_eq!(fs::read_to_string(&theirs).unwrap(), THEIRS, "{planted:?} at {}", path.display());
            let mode = fs::metadata(&theirs).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, 0o604, "{planted:?} at {}", path.display());
            // Refused with a word, or not there any more: replaced by one that is the user's own.
            let told = said.contains(path.to_str().unwrap());
            let replaced = fs::symlink_metadata(&path).map_or(true, |meta| meta.ino() != inode);
            // What costs a line in a list or in a log when it cannot be used is left out without a word.
            let left_out = is(&path, &["/failures", ".log"]) || path.to_string_lossy().contains("/presence/");
            assert!(told || replaced || left_out, "{planted:?} at {} was used: {said}", path.display());
        }
    }
}

#[test]
fn settings_of_another_user_are_refused() {
    let postino = Postino::new();
    let home = postino.home().join("postino");
    let config = home.join("config.toml");
    fs::create_dir_all(&home).unwrap();
    fs::write(&config, "max_inbox = 7\n").unwrap();
    let refused = |why: &str| {
        let ran = postino.run("ann", &["check"]);
        assert_eq!(ran.code, 6, "{why}: {ran:?}");
        assert!(ran.err.contains("config.toml") && ran.err.contains(why) && ran.err.contains("try:"), "{ran:?}");
    };
    fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).unwrap();
    refused("everybody may write to it");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(postino.run("ann", &["check"]).code, 0);
    if chown(&config, Some(12_345), None).is_ok() {
        refused("it belongs to another user");
    }
    fs::remove_file(&config).unwrap();
    assert!(Command::new("mkfifo").arg(&config).status().unwrap().success());
    refused("it is not a regular file");
}

#[test]
fn a_home_that_belongs_to_another_user_is_refused() {
    let postino = Postino::new();
    let home = postino.home().join("postino");
    fs::create_dir_all(&home).unwrap();
    if chown(&home, Some(12_345), None).is_err() {
        // Only root can give folders away.
        return;
    }
    let mut command = postino.command(&["--agent", "ann", "check"]);
    let ran = Ran::of(command.env_remove("POSTINO_VALKEY_URL"));
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.err.contains("belongs to another user"), "{ran:?}");
    assert!(fs::read_dir(&home).unwrap().next().is_none(), "nothing was put there");
}
