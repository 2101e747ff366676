//! A child at work: the workers that answer requests, and the end of it all. Whatever goes wrong with accepting ends in the same
//! way: nothing more is accepted, another child is asked for, and what has begun is finished.

use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout, set_tcp_nodelay};
use tiny_http::Server;

use super::Site;
use super::knock::Knocker;
use super::serving::handle;
use super::sse::Hub;
use super::supervise::child::{self, Bell, Post, Why};
use crate::error::{Error, Kind, Result};

/// Threads that answer.
const WORKERS: usize = 8;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;
/// A connection that is silent for this long is closed.
const SILENT: Duration = Duration::from_secs(30);
/// A client that takes nothing for this long is given up.
const STALLED: Duration = Duration::from_secs(10);
/// How often the threads are counted.
const COUNT: Duration = Duration::from_secs(5);
/// What has begun may take this long once the end has come.
const FINISH: Duration = Duration::from_secs(4);
/// It is over when nothing was asked for this long.
const QUIET: Duration = Duration::from_millis(150);

/// Requests and accepting, as the workers see them.
#[derive(Default)]
struct Desk {
    busy: AtomicUsize,
    asked: AtomicUsize,
    deaf: AtomicBool,
}

/// Serves at this post until the parent wants an end, is gone, or has to send another child. `log` is told why it ended.
pub fn work(post: Post, site: Site, log: impl Fn(&str)) -> Result<()> {
    let threads = child::make_room();
    prepare(&post.listener).map_err(|error| broken().because(error))?;
    let (bell, heard) = Bell::new();
    watch_panics(&bell);
    let listener = post.listener.try_clone().map_err(|error| broken().because(error))?;
    let server = Server::from_listener(listener, None).map_err(|error| broken().because(anyhow::anyhow!(error)))?;
    let (server, desk, site) = (Arc::new(server), Arc::new(Desk::default()), Arc::new(site));
    // Half of the room is for those who listen, each with two threads.
    let hub = Arc::new(Hub::with_room(usize::try_from(threads / 4).unwrap_or(usize::MAX)));
    let dead = bell.clone();
    let knocker =
        Knocker::start(&post.listener, move || dead.ring(Why::Deaf)).map_err(|error| broken().because(error))?;
    for _ in 0..WORKERS {
        let (server, desk, site, hub, bell) = (server.clone(), desk.clone(), site.clone(), hub.clone(), bell.clone());
        let knocker = knocker.clone();
        let worker = move || answer(&server, &desk, &site, &hub, &bell, &knocker);
        Builder::new().name("worker".to_owned()).spawn(worker).map_err(|error| broken().because(error))?;
    }
    post.report(&bell)?;
    let why = wait(&heard, threads);
    log(match why {
        Why::Told => "told to end",
        Why::Deaf => "accepts no more",
        Why::Crowded => "too many connections",
    });
    knocker.stop();
    child::stop_accepting(&post.listener, || desk.deaf.load(Ordering::Relaxed));
    if why != Why::Told {
        post.relieved();
    }
    hub.close();
    // Who asks for the port from now on is not to find it taken by a process that ends.
    drop(post);
    finish(&desk);
    Ok(())
}

/// Sets what every connection inherits from the listening socket.
fn prepare(listener: &TcpListener) -> rustix::io::Result<()> {
    set_tcp_nodelay(listener, true)?;
    // Accepting would end with it too, were it not for the knocks.
    set_socket_timeout(listener, Timeout::Recv, Some(SILENT))?;
    set_socket_timeout(listener, Timeout::Send, Some(STALLED))?;
    rustix::net::listen(listener, BACKLOG)
}

fn broken() -> Error {
    Error::new(Kind::Other, "the web server's socket cannot be used")
}

/// Answers requests for as long as the process lives.
fn answer(server: &Server, desk: &Desk, site: &Arc<Site>, hub: &Arc<Hub>, bell: &Bell, knocker: &Knocker) {
    loop {
        match server.recv() {
            Ok(request) => {
                desk.busy.fetch_add(1, Ordering::Relaxed);
                desk.asked.fetch_add(1, Ordering::Relaxed);
                knocker.busy();
                // A request that fails so is answered when it is dropped; the next one is not to suffer for it.
                let _ = catch_unwind(AssertUnwindSafe(|| handle(site, hub, request)));
                desk.busy.fetch_sub(1, Ordering::Relaxed);
            }
            Err(_) => {
                desk.deaf.store(true, Ordering::Relaxed);
                bell.ring(Why::Deaf);
            }
        }
    }
}

/// A panic in the thread that accepts ends that thread for good, silently: out of descriptors it cannot go on. One in a
/// connection's own thread, after a client that hung up at once, harms nobody else. All threads of ours have names.
fn watch_panics(bell: &Bell) {
    let bell = bell.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let of_connection = panic.location().is_some_and(|at| at.file().ends_with("client.rs"));
        if std::thread::current().name().is_none() && !of_connection {
            bell.ring(Why::Deaf);
        }
    }));
}

/// Waits for a reason to end.
fn wait(heard: &Receiver<Why>, threads: u64) -> Why {
    loop {
        match heard.recv_timeout(COUNT) {
            Ok(why) => return why,
            Err(RecvTimeoutError::Timeout) if child::threads().is_some_and(|now| now > threads) => return Why::Crowded,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Why::Told,
        }
    }
}

/// Lets requests that have begun, and those that follow on their connections, be answered for a while.
fn finish(desk: &Desk) {
    let end = Instant::now() + FINISH;
    let (mut seen, mut since) = (desk.asked.load(Ordering::Relaxed), Instant::now());
    while Instant::now() < end && (desk.busy.load(Ordering::Relaxed) > 0 || since.elapsed() < QUIET) {
        std::thread::sleep(Duration::from_millis(5));
        let now = desk.asked.load(Ordering::Relaxed);
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
}
