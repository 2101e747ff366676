//! From the listener to the requests: the servers and their workers. tiny_http's thread that accepts ends for good when a connection
//! cannot be accepted, so there is always one server that accepts, and there may be some that only finish what they began.
//! It knows nothing of what is asked.

use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{Timeout, set_socket_timeout, set_tcp_nodelay};
use tiny_http::Server;

use super::{Site, way};
use crate::error::{Error, Kind, Result};

/// Threads of one server that answer.
const WORKERS: usize = 8;
/// How long a connection may be silent, and how long it may take no answer in. The listener hands both on to each
/// connection, and wakes up so often itself.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a server that accepts no more waits for requests: by then all its connections have been silent for too long.
const LINGER: Duration = Duration::from_secs(35);
/// How long to wait before something that failed is tried again.
const PAUSE: Duration = Duration::from_millis(200);
/// For how many pauses a caller may wait to be accepted before the server is held to be dead.
const STUCK: u32 = 4;

/// What the threads share.
struct Serving {
    listener: TcpListener,
    site: Arc<Site>,
    /// The server that accepts.
    current: Mutex<Option<Arc<Generation>>>,
}

/// One server with the connections that it accepted.
struct Generation {
    server: Server,
    /// Whether it still accepts.
    open: AtomicBool,
}

/// Serves until the listener fails for good.
pub(super) fn run(listener: &TcpListener, site: &Arc<Site>) -> Result<()> {
    let broken = |error: std::io::Error| {
        Error::new(Kind::Other, format!("the web server's socket cannot be used: {}", error.kind())).because(error)
    };
    set_tcp_nodelay(listener, true).map_err(|error| broken(error.into()))?;
    for side in [Timeout::Recv, Timeout::Send] {
        set_socket_timeout(listener, side, Some(SILENCE)).map_err(|error| broken(error.into()))?;
    }
    let serving = Arc::new(Serving {
        listener: listener.try_clone().map_err(broken)?,
        site: Arc::clone(site),
        current: Mutex::default(),
    });
    loop {
        serving.renew();
        wait_until_stuck(listener).map_err(broken)?;
    }
}

/// Returns when somebody has been waiting to be accepted for so long that nobody accepts any more.
fn wait_until_stuck(listener: &TcpListener) -> std::io::Result<()> {
    let mut looks = 0;
    while looks < STUCK {
        let wait = if looks == 0 { None } else { Some(Timespec { tv_sec: 0, tv_nsec: 0 }) };
        let mut watched = [PollFd::new(listener, PollFlags::IN)];
        match poll(&mut watched, wait.as_ref()) {
            Ok(0) => looks = 0,
            Ok(_) => {
                looks += 1;
                thread::sleep(PAUSE);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

impl Serving {
    /// Opens one more server, as soon as there are descriptors for it.
    fn renew(self: &Arc<Self>) {
        loop {
            // tiny_http's thread panics in silence when it gets a connection and then no descriptor for its copy.
            let spare: std::io::Result<Vec<_>> = (0..4).map(|_| self.listener.try_clone()).collect();
            let server = spare.ok().and_then(|mut spare| Server::from_listener(spare.pop()?, None).ok());
            if let Some(server) = server {
                let generation = Arc::new(Generation { server, open: AtomicBool::new(true) });
                let hired = (0..WORKERS).all(|_| self.hire(&generation));
                let last = self.current.lock().unwrap_or_else(PoisonError::into_inner).replace(generation);
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
        let (serving, generation) = (Arc::clone(self), Arc::clone(generation));
        thread::Builder::new().name("worker".to_owned()).spawn(move || serving.work(&generation)).is_ok()
    }

    /// Answers requests until the server has neither a listener nor a connection.
    fn work(self: &Arc<Self>, generation: &Generation) {
        loop {
            match generation.server.recv_timeout(LINGER) {
                Ok(Some(request)) => {
                    // What panics costs its own request: it is answered with 500 when it is dropped.
                    let _ = catch_unwind(AssertUnwindSafe(|| way::go(&self.site, request)));
                }
                Ok(None) if generation.open.load(Ordering::Relaxed) => {}
                Ok(None) => return,
                // It accepts no more: it woke up without a caller, or could not take one.
                Err(_) => {
                    generation.open.store(false, Ordering::Relaxed);
                    self.renew();
                }
            }
        }
    }
}
