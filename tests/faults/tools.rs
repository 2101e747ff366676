//! Programs and rights that some faults need. What is missing is said loudly; under CI a missing program is a failure,
//! a missing right (root, `/dev/fuse`) is not, for no package brings it.

use std::path::Path;
use std::process::{Command, Stdio};

/// strace, which kills a process at a system call, or lets the call fail.
pub(crate) fn strace() -> Option<String> {
    program("strace", &["-V"])
}

/// Whether this machine lets us mount, seen by trying: root in a container may not.
pub(crate) fn may_mount() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let done = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).arg(folder.path()).stdin(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let works = done("mount", &["-t", "tmpfs", "postino-test"]);
    if works {
        done("umount", &["--lazy"]);
    }
    allowed(works, "mounting file systems needs root, and a container that lets it")
}

/// Whether file systems in user space can be mounted.
pub(crate) fn may_fuse() -> bool {
    may_mount() && allowed(Path::new("/dev/fuse").exists(), "a disk that forgets needs /dev/fuse")
}

/// The library that turns the clock of a process.
pub(crate) fn faketime() -> Option<String> {
    let places = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    let found =
        places.iter().map(|place| format!("{place}/faketime/libfaketime.so.1")).find(|path| Path::new(path).exists());
    found.or_else(|| missing("libfaketime"))
}

fn program(name: &str, version: &[&str]) -> Option<String> {
    let mut command = Command::new(name);
    command.args(version).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let found = command.status().is_ok_and(|status| status.success()).then(|| name.to_owned());
    found.or_else(|| missing(name))
}

fn missing(what: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "whether this is CI is told to the tests, not to postino")]
    let is_ci = std::env::var_os("CI").is_some();
    assert!(!is_ci, "{what} is not installed, and under CI nothing is skipped");
    loudly(&format!("{what} IS NOT INSTALLED"));
    None
}

fn allowed(is: bool, why: &str) -> bool {
    if !is {
        loudly(why);
    }
    is
}

fn loudly(what: &str) {
    eprintln!("\n*** {what}: some faults prove nothing in this run ***\n");
}
