//! A caller of our own, who comes again and again so that nobody else waits in vain. It knows a socket and nothing of what is
//! asked there.
//!
//! tiny_http hands a new connection to a thread that waits for one, but counts a thread that was called a moment ago as waiting
//! still; so of several callers at once one may be left to nobody until some other connection ends. A knock ends at once, and
//! the thread that had it looks who else is there. And when its thread that accepts is dead, nobody opens.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, Thread, park_timeout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How often to knock while there are requests, and while there are none.
const EVERY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long a knock may take to get into the backlog.
const PATIENCE: Duration = Duration::from_millis(200);
/// For how many knocks in a row somebody may wait to be accepted before nobody accepts any more.
const STUCK: u32 = 20;
/// The thread needs little room.
const STACK: usize = 64 << 10;

/// The one who knocks.
#[derive(Clone)]
pub(super) struct Knocker {
    thread: Thread,
    mood: Arc<Mood>,
}

/// What the knocker is told.
#[derive(Default)]
struct Mood {
    busy: AtomicBool,
    over: AtomicBool,
}

impl Knocker {
    /// Knocks at this socket from now on; calls `dead` when nobody opens any more.
    pub(super) fn start(listener: &TcpListener, dead: impl FnOnce() + Send + 'static) -> io::Result<Knocker> {
        let listener = listener.try_clone()?;
        let door = door(listener.local_addr()?);
        let mood = Arc::new(Mood::default());
        let told = Arc::clone(&mood);
        let knock = move || {
            if knock(&listener, door, &told) {
                dead();
            }
        };
        let thread = Builder::new().name("knocker".to_owned()).stack_size(STACK).spawn(knock)?;
        Ok(Knocker { thread: thread.thread().clone(), mood })
    }

    /// Says that there are requests: connections come in bursts.
    pub(super) fn busy(&self) {
        if !self.mood.busy.swap(true, Ordering::Relaxed) {
            self.thread.unpark();
        }
    }

    /// Says that it is over.
    pub(super) fn stop(&self) {
        self.mood.over.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}

/// Where a socket can be reached from here.
fn door(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    address
}

/// Knocks until it is over, or, which is then said, nobody opens.
fn knock(listener: &TcpListener, door: SocketAddr, mood: &Mood) -> bool {
    let mut waited = 0;
    while waited < STUCK {
        let is_busy = mood.busy.swap(false, Ordering::Relaxed) || waited > 0;
        park_timeout(if is_busy { EVERY.0 } else { EVERY.1 });
        if mood.over.load(Ordering::Relaxed) {
            return false;
        }
        // Without a descriptor for it there is no knock now; the next one comes soon.
        let _ = TcpStream::connect_timeout(&door, PATIENCE);
        let mut watched = [PollFd::new(listener, PollFlags::IN)];
        let waits = poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0);
        waited = if waits { waited + 1 } else { 0 };
    }
    true
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_door_that_nobody_opens_is_noticed_and_one_that_is_opened_is_not() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let accepting = listener.try_clone().unwrap();
        let (died, dead) = channel();
        let knocker = Knocker::start(&listener, move || died.send(()).unwrap()).unwrap();
        for _ in 0..2 * STUCK {
            knocker.busy();
            accepting.accept().unwrap();
        }
        assert!(dead.try_recv().is_err());
        knocker.busy();
        dead.recv_timeout(Duration::from_secs(60)).unwrap();
    }
}
