//! The child's side: it gets the listening socket and a wire to its parent as its streams, says when it serves, hears when it is to
//! end, and asks to be relieved when it cannot go on well. It knows nothing of HTTP.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::stdio;

use super::{READY, RELIEVED, STOP, failed};
use crate::error::{Error, Kind, Result};

/// The longest line that a parent hands over, in bytes.
const HANDED: u64 = 64 << 10;
/// More descriptors than this are not asked for.
const DESCRIPTORS: u64 = 1 << 16;
/// More threads than this are a reason to be relieved.
const THREADS: u64 = 4_096;

/// Why a child ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The parent says so, or is gone.
    Told,
    /// The socket cannot be accepted from any more.
    Deaf,
    /// Too many threads or descriptors are in use.
    Crowded,
}

/// What a child was given at its start.
pub struct Post {
    /// The socket to accept from.
    pub listener: TcpListener,
    /// What the parent handed over.
    pub handed: String,
    wire: UnixStream,
}

/// The end of a child's work: whoever finds a reason says it here, and the first one counts.
#[derive(Clone, Debug)]
pub struct Bell(SyncSender<Why>);

impl Bell {
    /// A bell, and where it is heard.
    pub fn new() -> (Bell, Receiver<Why>) {
        let (ring, heard) = sync_channel(1);
        (Bell(ring), heard)
    }

    /// Says why it is over.
    pub fn ring(&self, why: Why) {
        let _ = self.0.try_send(why);
    }
}

impl Post {
    /// Takes the streams that the parent gave this process. They can be taken once.
    pub fn take() -> Result<Post> {
        let doing = "take over from the parent process";
        let taken = || {
            let listener = TcpListener::from(stdio::stdin().try_clone_to_owned()?);
            let wire = UnixStream::from(stdio::stdout().try_clone_to_owned()?);
            let nothing = File::options().read(true).write(true).open("/dev/null")?;
            // The socket is to be closed when its last user in this process lets it go.
            stdio::dup2_stdin(&nothing)?;
            stdio::dup2_stdout(&nothing)?;
            listener.local_addr()?;
            Ok((listener, wire))
        };
        let (listener, wire) = taken().map_err(|error| failed(doing, error))?;
        let mut handed = String::new();
        // One byte at a time: what follows the line is not for this reader.
        let mut reader = BufReader::with_capacity(1, &wire).take(HANDED);
        reader.read_line(&mut handed).map_err(|error| failed(doing, error))?;
        if !handed.ends_with('\n') {
            return Err(Error::new(Kind::Other, format!("cannot {doing}: it is gone")));
        }
        Ok(Post { listener, handed, wire })
    }

    /// Says that requests are answered from now on, and rings when the parent wants an end or is gone.
    pub fn report(&self, bell: &Bell) -> Result<()> {
        let mut wire = self.wire.try_clone().map_err(|error| failed("watch the parent process", error))?;
        let bell = bell.clone();
        let watch = move || {
            let mut byte = [0];
            while wire.read(&mut byte).is_ok_and(|n| n == 1 && byte[0] != STOP) {}
            bell.ring(Why::Told);
        };
        let thread = std::thread::Builder::new().name("parent".to_owned()).stack_size(64 << 10).spawn(watch);
        thread.map_err(|error| failed("watch the parent process", error))?;
        self.say(READY);
        Ok(())
    }

    /// Asks the parent for another child. Nothing must be accepted any more.
    pub fn relieved(&self) {
        self.say(RELIEVED);
    }

    fn say(&self, byte: u8) {
        // A parent that is gone is noticed by who listens to it.
        let _ = (&self.wire).write_all(&[byte]);
    }
}

/// Makes a thread that waits in `accept` on this socket return with an error, so that no connection is taken by a process that is
/// about to end: they wait for the next one. `is_over` says when it has.
pub fn stop_accepting(listener: &TcpListener, is_over: impl Fn() -> bool) {
    let Ok(address) = listener.local_addr() else { return };
    if is_over() || listener.set_nonblocking(true).is_err() {
        return;
    }
    // Who waits already is woken by a connection; the next attempt finds nothing and does not wait.
    let _ = TcpStream::connect_timeout(&address, Duration::from_millis(200));
    for _ in 0..200 {
        if is_over() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // The next process wants to wait.
    let _ = listener.set_nonblocking(false);
}

/// Allows this process as many descriptors as it may have; gives how many threads it should not pass.
pub fn make_room() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(DESCRIPTORS).min(DESCRIPTORS);
    if limit.current.is_some_and(|current| current < most) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum });
    }
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(DESCRIPTORS);
    // A connection takes two descriptors and a thread.
    THREADS.min(descriptors / 3)
}

/// How many threads this process has; `None` where the system does not tell so cheaply.
pub fn threads() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Field 20 of proc(5), the 18th behind the name.
    stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().nth(17)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn an_accept_that_waits_is_ended_and_the_next_one_waits_again() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (clone, over) = (listener.try_clone().unwrap(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&over);
        let accepting = std::thread::spawn(move || {
            while clone.accept().is_ok() {}
            flag.store(true, Ordering::Relaxed);
        });
        stop_accepting(&listener, || over.load(Ordering::Relaxed));
        accepting.join().unwrap();
        let address = listener.local_addr().unwrap();
        let waiting = std::thread::spawn(move || listener.accept().map(drop));
        TcpStream::connect(address).unwrap();
        waiting.join().unwrap().unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn threads_are_counted() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let one = std::thread::spawn(move || held.recv());
        assert!(threads().unwrap() >= 2);
        drop(hold);
        one.join().unwrap().unwrap_err();
    }
}
