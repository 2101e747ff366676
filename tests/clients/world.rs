//! A world of its own for a test: HOME, folders, a postino store, and an environment without anything of ours in it.
//! It knows no client.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a client may take for something; generous, for a slow machine. Only a failure waits that long.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until something is there, looking often.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "in vain for {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Folders and variables of one test; gone when it is dropped.
pub struct World {
    folder: TempDir,
}

impl World {
    /// An empty one.
    pub fn new() -> World {
        // A hook has 300 ms; the program of the tests is large, and to read it from a disk takes longer on a busy machine.
        static IN_MEMORY: Once = Once::new();
        IN_MEMORY.call_once(|| {
            World::empty().postino(&["agents"]);
        });
        World::empty()
    }

    fn empty() -> World {
        let world = World { folder: tempfile::Builder::new().prefix("pc").tempdir().unwrap() };
        for name in ["home", "tmp", "project"] {
            fs::create_dir(world.path(name)).unwrap();
        }
        world
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in it, and the folders on the way.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// The variables of every process in it.
    pub fn env(&self) -> BTreeMap<String, String> {
        let path = |name: &str| self.path(name).display().to_string();
        let binary = Path::new(env!("CARGO_BIN_EXE_postino")).parent().unwrap();
        [
            ("HOME", path("home")),
            ("TMPDIR", path("tmp")),
            ("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display())),
            ("LANG", "C.UTF-8".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("POSTINO_HOME", path("postino")),
            ("POSTINO_PROBE_URL", "redis://127.0.0.1:1".to_owned()),
            ("POSTINO_WEB_ENABLED", "false".to_owned()),
            // What a hook says is looked at, not how soon: two clients that start at once may take all there is.
            ("POSTINO_HOOK_MS", "5000".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// How many `postino monitor` run in it (Linux).
    pub fn monitors(&self) -> usize {
        let here = format!("POSTINO_HOME={}\0", self.path("postino").display());
        let read = |process: &Path, name: &str| {
            String::from_utf8_lossy(&fs::read(process.join(name)).unwrap_or_default()).into_owned()
        };
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        processes
            .filter(|process| {
                read(process, "cmdline").ends_with("\0monitor\0") && read(process, "environ").contains(&here)
            })
            .count()
    }

    /// Runs a command to its end.
    pub fn run(&self, command: &[String], env: &BTreeMap<String, String>, folder: &Path) -> Ran {
        let output = assert_cmd::Command::new(&command[0])
            .args(&command[1..])
            .env_clear()
            .envs(env)
            .current_dir(folder)
            .timeout(PATIENCE)
            .output()
            .unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ran { code: output.status.code(), stdout, stderr }
    }

    /// Runs postino as somebody outside every session; it must succeed. Gives what it printed.
    pub fn postino(&self, args: &[&str]) -> String {
        let mut env = self.env();
        env.insert("POSTINO_CLIENT_PID".to_owned(), "0".to_owned());
        let command: Vec<String> =
            [env!("CARGO_BIN_EXE_postino")].iter().chain(args).map(|arg| arg.to_string()).collect();
        let ran = self.run(&command, &env, &self.path("project"));
        assert_eq!(ran.code, Some(0), "postino {args:?}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; `None` when it was killed, as it is when it takes too long.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}
