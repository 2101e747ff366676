//! A child at work, from its start to its end. Whatever goes wrong with accepting ends in the same way: nothing more is accepted,
//! another child is asked for, and what has begun is finished. It knows nothing of requests.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Site;
use super::serving::{self, Serving};
use super::sse::Hub;
use super::supervise::child::{self, Bell, Post, Why};
use crate::error::{Error, Kind, Result};

/// How often the threads are counted.
const COUNT: Duration = Duration::from_secs(5);
/// What has begun may take this long once the end has come.
const FINISH: Duration = Duration::from_secs(4);
/// It is over when nothing was asked for this long.
const QUIET: Duration = Duration::from_millis(150);

/// Serves at this post until the parent wants an end, is gone, or has to send another child. `log` is told why it ended.
pub fn work(post: Post, site: Site, log: impl Fn(&str)) -> Result<()> {
    let threads = child::make_room();
    let (bell, heard) = Bell::new();
    watch_panics(&bell);
    // A quarter of the room is for those who listen, each with two threads.
    let hub = Arc::new(Hub::with_room(usize::try_from(threads / 4).unwrap_or(usize::MAX)));
    let listener = post
        .listener
        .try_clone()
        .map_err(|error| Error::new(Kind::Other, "the web server's socket cannot be used").because(error))?;
    let serving = serving::start(listener, Arc::new(site), Arc::clone(&hub), bell.clone())?;
    post.report(&bell)?;
    let why = wait(&heard, threads);
    log(match why {
        Why::Told => "told to end",
        Why::Deaf => "accepts no more",
        Why::Crowded => "too many connections",
    });
    serving.leave();
    if why != Why::Told {
        post.relieved();
    }
    hub.close();
    // Who asks for the port from now on is not to find it taken by a process that ends.
    drop(post);
    finish(&serving);
    Ok(())
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
fn finish(serving: &Serving) {
    let end = Instant::now() + FINISH;
    let (mut seen, mut since) = (serving.requests().1, Instant::now());
    while Instant::now() < end && (serving.requests().0 > 0 || since.elapsed() < QUIET) {
        std::thread::sleep(Duration::from_millis(5));
        let now = serving.requests().1;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
}
