//! From the listener to the requests: the servers and their workers. tiny_http's thread that accepts ends for good when a connection
//! cannot be accepted, so there is always one server that accepts, and there may be some that only finish what they began.
//! It knows nothing of what is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_send_buffer_size, set_socket_timeout, set_tcp_nodelay};
use tiny_http::Server;

use super::lane::{Lane, Turn};
use super::sse::Hub;
use super::supervise::child::{self, Bell, Why};
use super::{Site, way};
use crate::error::{Error, Kind, Result};

/// Threads of one server that answer; there are more of them while clients keep all of them waiting.
const WORKERS: usize = 8;
/// How many are hired at once at most.
const HIRED: usize = 128;
/// How long nothing is asked before one of those goes.
const SPARE: Duration = Duration::from_millis(50);
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;
/// What the system keeps for a client that does not read, in bytes, before who writes to it notices. It doubles this.
const UNREAD: usize = 128 << 10;
/// How long a connection may be silent, and how long it may take no answer in; the listener hands both on to each connection.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a server that accepts no more waits for requests: by then all its connections have been silent for too long.
const LINGER: Duration = Duration::from_secs(35);
/// How long to wait before something that failed is tried again.
const PAUSE: Duration = Duration::from_millis(200);
/// How often to knock while there are requests, and while there are none.
const KNOCK: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// After how many looks in a row that found nobody there is held to be nobody: one knock brings in one of those who were left out.
const QUIET: u32 = 6;
/// For how many looks in a row a caller may wait to be accepted before the server is held to be dead.
const STUCK: u32 = 40;

/// What the threads share.
pub(super) struct Serving {
    listener: TcpListener,
    site: Arc<Site>,
    hub: Arc<Hub>,
    bell: Bell,
    /// The server that accepts.
    current: Mutex<Option<Arc<Generation>>>,
    /// Requests that are being answered, and how many were taken in all.
    answering: AtomicUsize,
    taken: AtomicUsize,
    /// Whether no other server is to follow.
    leaving: AtomicBool,
    /// Whether the next knock may be long in coming, and who knocks.
    idle: AtomicBool,
    porter: OnceLock<Thread>,
}

/// One server with the connections that it accepted.
struct Generation {
    server: Server,
    /// Whether it still accepts.
    open: AtomicBool,
    /// How many threads answer, and how many of them do so just now.
    workers: AtomicUsize,
    busy: AtomicUsize,
    /// Held by the one worker that waits for the next request.
    door: Mutex<()>,
    /// Whether none will come any more.
    over: AtomicBool,
}

/// Serves from now on, in threads of its own. When nothing can be accepted any more, the bell rings.
pub(super) fn start(listener: TcpListener, site: Arc<Site>, hub: Arc<Hub>, bell: Bell) -> Result<Arc<Serving>> {
    prepare(&listener).map_err(|error| broken(error.into()))?;
    let (current, answering, taken) = (Mutex::default(), AtomicUsize::new(0), AtomicUsize::new(0));
    let (leaving, idle) = (AtomicBool::new(false), AtomicBool::new(false));
    let porter = OnceLock::new();
    let serving = Arc::new(Serving { listener, site, hub, bell, current, answering, taken, leaving, idle, porter });
    serving.renew();
    let porter = Arc::clone(&serving);
    let knock = move || {
        while !porter.leaving.load(Ordering::Relaxed) {
            if porter.knock_until_dead().is_err() {
                porter.bell.ring(Why::Deaf);
                break;
            }
            porter.renew();
        }
    };
    let porter = thread::Builder::new().name("porter".to_owned()).spawn(knock).map_err(broken)?;
    // Nobody else sets it.
    let _ = serving.porter.set(porter.thread().clone());
    Ok(serving)
}

/// Whether accepting failed because the system, or what it allows this process, is used up: another process may have more.
fn is_used_up(error: &std::io::Error) -> bool {
    let known = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| known.contains(&error))
}

/// Sets what every connection inherits from the listening socket.
fn prepare(listener: &TcpListener) -> rustix::io::Result<()> {
    set_tcp_nodelay(listener, true)?;
    set_socket_send_buffer_size(listener, UNREAD)?;
    for side in [Timeout::Recv, Timeout::Send] {
        set_socket_timeout(listener, side, Some(SILENCE))?;
    }
    rustix::net::listen(listener, BACKLOG)
}

fn broken(error: std::io::Error) -> Error {
    Error::new(Kind::Other, format!("the web server's socket cannot be used: {}", error.kind())).because(error)
}

impl Generation {
    fn new(server: Server) -> Generation {
        let (workers, busy) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (open, over) = (AtomicBool::new(true), AtomicBool::new(false));
        Generation { server, open, workers, busy, door: Mutex::default(), over }
    }

    /// Waits for the next request; nothing when none came in time. One worker waits at a time, so that the requests of a connection
    /// get in its row in their order.
    fn next(&self) -> std::io::Result<Option<Turn>> {
        let _door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        if self.over.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let patience = self.patience();
        let next = self.server.recv_timeout(patience)?;
        if next.is_none() && patience == LINGER && !self.open.load(Ordering::Relaxed) {
            self.over.store(true, Ordering::Relaxed);
        }
        Ok(next.map(Lane::enter))
    }

    /// How long a worker waits for a request.
    fn patience(&self) -> Duration {
        if self.workers.load(Ordering::Relaxed) > WORKERS { SPARE } else { LINGER }
    }

    /// Lets a worker go that was hired beyond the usual number; false when there is none.
    fn can_spare(&self) -> bool {
        let fewer = |workers: usize| (workers > WORKERS).then(|| workers - 1);
        self.workers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok()
    }
}

impl Serving {
    /// Takes no connection any more: they wait for the next process.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        let is_over = || self.current().as_ref().is_none_or(|current| !current.open.load(Ordering::Relaxed));
        child::stop_accepting(&self.listener, is_over);
    }

    /// How many requests are being answered, and how many were taken in all.
    pub(super) fn requests(&self) -> (usize, usize) {
        (self.answering.load(Ordering::Relaxed) + way::aside(), self.taken.load(Ordering::Relaxed))
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Generation>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Knocks at the own door again and again, until nobody opens any more.
    ///
    /// tiny_http hands a new connection to a thread that waits for one, but counts threads that were called a moment ago as waiting
    /// still; so of several callers at once one may be left to nobody until some other connection ends. A knock ends
    /// at once, and whoever opened then looks who else is there.
    fn knock_until_dead(self: &Arc<Self>) -> std::io::Result<()> {
        let (mut looks, mut quiet, mut seen, mut threads) = (0, 0, 0, 0);
        while looks < STUCK && !self.leaving.load(Ordering::Relaxed) {
            let taken = self.taken.load(Ordering::Relaxed);
            // Callers come in a burst when one may be left out; a thread more for each of them shows it, also when they say nothing.
            let now = child::threads();
            let comes = std::mem::replace(&mut threads, now) < now;
            let is_still = std::mem::replace(&mut seen, taken) == taken && looks == 0 && !comes;
            quiet = if is_still { quiet + 1 } else { 0 };
            let is_idle = quiet > QUIET;
            self.idle.store(is_idle, Ordering::Relaxed);
            thread::park_timeout(if is_idle { KNOCK.1 } else { KNOCK.0 });
            // A look comes a while after the knock before: whoever accepts has had the time.
            let mut watched = [PollFd::new(&self.listener, PollFlags::IN)];
            if self.taken.load(Ordering::Relaxed) == taken {
                self.relieve();
            }
            let waits = poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0);
            looks = if waits { looks + 1 } else { 0 };
            if !waits {
                // Without a descriptor for it there is no knock now; the next one comes soon.
                let _ = TcpStream::connect_timeout(&self.door()?, PAUSE);
            }
        }
        Ok(())
    }

    /// Where this server can be reached from here.
    fn door(&self) -> std::io::Result<SocketAddr> {
        let mut address = self.listener.local_addr()?;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
        Ok(address)
    }

    /// Opens one more server, as soon as there are descriptors for it, unless the process is about to end.
    fn renew(self: &Arc<Self>) {
        while !self.leaving.load(Ordering::Relaxed) {
            // tiny_http's thread panics in silence when it gets a connection and then no descriptor for its copy.
            let spare: std::io::Result<Vec<_>> = (0..4).map(|_| self.listener.try_clone()).collect();
            let server = spare.ok().and_then(|mut spare| Server::from_listener(spare.pop()?, None).ok());
            if let Some(server) = server {
                let generation = Arc::new(Generation::new(server));
                let hired = (0..WORKERS).all(|_| self.hire(&generation));
                let last = self.current().replace(generation);
                if let Some(last) = last {
                    // It may not know that it accepts no more.
                    last.open.store(false, Ordering::Relaxed);
                }
                if hired {
                    return;
                }
            }
            thread::sleep(PAUSE);
        }
    }

    /// Starts one worker; false when there is no thread for it.
    fn hire(self: &Arc<Self>, generation: &Arc<Generation>) -> bool {
        let (serving, its) = (Arc::clone(self), Arc::clone(generation));
        generation.workers.fetch_add(1, Ordering::Relaxed);
        let hired = thread::Builder::new().name("worker".to_owned()).spawn(move || serving.work(&its)).is_ok();
        if !hired {
            generation.workers.fetch_sub(1, Ordering::Relaxed);
        }
        hired
    }

    /// Hires as many workers again when all are kept waiting: by clients that send slowly or do not read, or by the store. Each
    /// connection keeps one at most, and of connections there is a bound.
    fn relieve(self: &Arc<Self>) {
        let Some(generation) = self.current().clone() else { return };
        let workers = generation.workers.load(Ordering::Relaxed);
        if generation.busy.load(Ordering::Relaxed) >= workers {
            let _ = (0..workers.min(HIRED)).all(|_| self.hire(&generation));
        }
    }

    /// Answers requests until the server has neither a listener nor a connection.
    fn work(self: &Arc<Self>, generation: &Generation) {
        loop {
            match generation.next() {
                Ok(Some(turn)) => {
                    self.answering.fetch_add(1, Ordering::Relaxed);
                    generation.busy.fetch_add(1, Ordering::Relaxed);
                    self.taken.fetch_add(1, Ordering::Relaxed);
                    if self.idle.swap(false, Ordering::Relaxed) {
                        // Callers come in bursts.
                        self.porter.get().into_iter().for_each(Thread::unpark);
                    }
                    // What panics costs its own request: it is answered with 500 when it is dropped.
                    let _ = catch_unwind(AssertUnwindSafe(|| way::go(&self.site, &self.hub, turn)));
                    generation.busy.fetch_sub(1, Ordering::Relaxed);
                    self.answering.fetch_sub(1, Ordering::Relaxed);
                }
                Ok(None) if generation.over.load(Ordering::Relaxed) || generation.can_spare() => return,
                Ok(None) => {}
                // It accepts no more: it woke up without a caller, or could not take one.
                Err(error) => {
                    generation.open.store(false, Ordering::Relaxed);
                    if is_used_up(&error) {
                        self.bell.ring(Why::Deaf);
                    }
                    self.renew();
                }
            }
        }
    }
}
