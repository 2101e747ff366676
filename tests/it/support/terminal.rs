//! Runs a command on a terminal of its own, as a person would.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::plain;

/// Runs a command with stdin, stdout and stderr on a terminal of 80 columns, types something, and gives the exit code and
/// what the screen got, line ends as `\n`, ids and times replaced.
pub(crate) fn on_terminal(command: &mut Command, typed: &str) -> (i32, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let line = || -> OwnedFd { OpenOptions::new().read(true).write(true).open(&path).unwrap().into() };
    let mut child = command.stdin(line()).stdout(line()).stderr(line()).spawn().unwrap();
    // The command keeps its ends of the line open; given others, the child's are the last ones, and its end is seen.
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut master = File::from(master);
    master.write_all(typed.as_bytes()).unwrap();
    let mut screen = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match master.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => screen.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // The other end is closed.
            Err(_) => break,
        }
    }
    let code = child.wait().unwrap().code().unwrap_or(-1);
    (code, plain(&String::from_utf8_lossy(&screen)).replace("\r\n", "\n"))
}
