//! Makes releases for the tests: one of the built binary by the scripts that make real ones, and tiny ones to break.
//! It knows how a release is laid out, not what is to become of it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::support::Ran;

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What archives for this machine's processor are named after.
pub(crate) fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// The archive's name without its ending.
pub(crate) fn stem() -> String {
    format!("postino-{}-{}", env!("CARGO_PKG_VERSION"), target())
}

/// A release of the built binary, made once. `None` is said loudly, and is a failure in CI.
pub(crate) fn release() -> Option<&'static Path> {
    static MADE: OnceLock<Option<Made>> = OnceLock::new();
    MADE.get_or_init(make).as_ref().map(|made| made.folder.as_path())
}

struct Made {
    folder: PathBuf,
    // Two test processes at once would write into one folder.
    _lock: File,
}

fn make() -> Option<Made> {
    tool("python3").and(tool("node")).and(tool("npm"))?;
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release");
    fs::create_dir_all(&home).unwrap();
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    let folder = home.join("files");
    let _ = fs::remove_dir_all(&folder);
    // Most of a debug binary is for debuggers, and all of it would be packed several times.
    let binary = home.join("postino");
    let stripped = Command::new("strip").arg("-o").arg(&binary).arg(env!("CARGO_BIN_EXE_postino")).status();
    if !stripped.is_ok_and(|status| status.success()) {
        fs::copy(env!("CARGO_BIN_EXE_postino"), &binary).unwrap();
    }
    done(script("archive").arg(&binary).arg(target()).arg(&folder));
    done(script("release").arg(&folder));
    Some(Made { folder, _lock: lock })
}

/// A script of the repository that makes releases.
pub(crate) fn script(name: &str) -> Command {
    let mut command = Command::new(root().join(".ci").join(name));
    command.current_dir(root()).stdin(Stdio::null()).env_remove("POSTINO_RELEASE_URL");
    command
}

/// Runs a command, which must succeed, and gives what it answered.
#[track_caller]
pub(crate) fn done(command: &mut Command) -> String {
    let ran = Ran::of(command);
    assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
    ran.out
}

/// Whether a program is installed. `None` is said loudly, and is a failure in CI.
#[expect(clippy::disallowed_methods, reason = "whether this is CI stands in the environment alone")]
pub(crate) fn tool(name: &str) -> Option<()> {
    if Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Some(());
    }
    assert!(std::env::var_os("CI").is_none(), "{name} is not installed");
    // Past the macros, whose output a test that passes keeps to itself.
    let _ = writeln!(std::io::stderr(), "\n!!! NOT TESTED: {name} is not installed\n");
    None
}

/// A machine of one person who installs: a home, a folder for temporary files, and nothing else.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// One that has nothing yet.
    pub(crate) fn new() -> Machine {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "tmp", "tools", "release"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Machine { folder }
    }

    /// A path on it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the binary goes when nothing is said.
    pub(crate) fn installed(&self) -> PathBuf {
        self.path("home/.local/bin/postino")
    }

    /// A command with this machine's environment.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("tmp")).env("PATH", "/usr/bin:/bin");
        command.env("POSTINO_PROBE_URL", crate::support::NOWHERE).env("POSTINO_CLIENT_PID", "0");
        command
    }

    /// The repository's install.sh, about to be run with these arguments.
    pub(crate) fn install(&self, args: &[&str]) -> Command {
        let mut command = self.command("/bin/sh");
        command.arg(root().join("install.sh")).args(args);
        command
    }

    /// Leaves only these programs to be found, and those of this machine's own.
    pub(crate) fn with_only(&self, programs: &[&str]) {
        for name in programs {
            let program = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
            let program = program.iter().find(|path| path.exists()).unwrap_or_else(|| panic!("no {name} here"));
            std::os::unix::fs::symlink(program, self.path("tools").join(name)).unwrap();
        }
    }

    /// Puts a script of this machine's own among its programs.
    pub(crate) fn give(&self, name: &str, script: &str) {
        let path = self.path("tools").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        executable(&path);
    }

    /// The names of all files that are left under a folder.
    pub(crate) fn left(&self, folder: &str) -> Vec<String> {
        done(Command::new("find").arg(".").args(["-type", "f"]).current_dir(self.path(folder)))
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

/// A release whose binary is a script, in a machine's folder `release`.
pub(crate) fn tiny(machine: &Machine) -> PathBuf {
    let folder = machine.path("release");
    pack(&folder, "postino", "#!/bin/sh\necho postino 0.0.1\n");
    sum(&folder);
    folder
}

/// An archive with one file, named for this machine.
pub(crate) fn pack(folder: &Path, file: &str, text: &str) {
    let name = format!("postino-0.0.1-{}", target());
    fs::create_dir_all(folder.join(&name)).unwrap();
    fs::write(folder.join(&name).join(file), text).unwrap();
    executable(&folder.join(&name).join(file));
    done(Command::new("tar").arg("-C").arg(folder).arg("-czf").arg(folder.join(name.clone() + ".tar.gz")).arg(&name));
    fs::remove_dir_all(folder.join(&name)).unwrap();
}

/// Writes the checksums of a folder's archives anew.
pub(crate) fn sum(folder: &Path) {
    let sums = done(Command::new("sh").args(["-c", "sha256sum *.tar.gz"]).current_dir(folder));
    fs::write(folder.join("SHA256SUMS"), sums).unwrap();
}

/// Makes a file one that can be run.
pub(crate) fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
