//! What befalls the server: it dies, forgets, is full, stands still, or another one takes its place.

use std::time::Duration;

use super::Case;
use crate::clients::{Stage, run};
use crate::field::Post;
use crate::judge::{Terms, Verdict};
use crate::server::Server;
use crate::server::topologies::Watched;

/// Runs the clients while something is done to their server.
fn with_server(case: &Case, args: &[&str], fault: impl FnOnce(&mut Server, &Stage<'_>) -> Terms) -> Option<Verdict> {
    let (post, server) = case.post_with(args);
    let mut server = server?;
    Some(run(&post, case.plan(), &mut case.chance(), |stage| fault(&mut server, stage)))
}

pub(super) fn restart(case: &Case) -> Option<Verdict> {
    with_server(case, &[], |server, stage| {
        for percent in [20, 50, 80] {
            stage.wait(percent);
            server.restart();
        }
        Terms::default()
    })
}

/// Ends a server by its own command, and starts it again.
fn shut_down(server: &mut Server) {
    // The answer is the end of the connection.
    let _ = server.connection().try_ask(&["SHUTDOWN", "NOSAVE"]);
    server.restart();
}

pub(super) fn shutdown(case: &Case) -> Option<Verdict> {
    with_server(case, &[], |server, stage| {
        stage.wait(40);
        shut_down(server);
        Terms::default()
    })
}

pub(super) fn amnesia(case: &Case) -> Option<Verdict> {
    with_server(case, &["--appendonly", "no"], |server, stage| {
        stage.wait(40);
        let _ = server.connection().try_ask(&["SHUTDOWN", "NOSAVE"]);
        // What was accepted so far was promised to memory only. While no server is there nothing more is accepted, and who was
        // answered by the last one writes that down.
        std::thread::sleep(Duration::from_secs(1));
        let undone = vec![(0, stage.now())];
        server.restart();
        Terms { undone, ..Terms::default() }
    })
}

pub(super) fn script_flush(case: &Case) -> Option<Verdict> {
    with_server(case, &[], |server, stage| {
        for percent in 0..100 {
            stage.wait(percent);
            server.cli(&["SCRIPT", "FLUSH"]);
        }
        Terms::default()
    })
}

pub(super) fn maxmemory(case: &Case) -> Option<Verdict> {
    with_server(case, &["--maxmemory-policy", "noeviction"], |server, stage| {
        for percent in [30, 60] {
            stage.wait(percent);
            server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
            std::thread::sleep(Duration::from_millis(1_500));
            server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
        }
        Terms::default()
    })
}

pub(super) fn standstill(case: &Case) -> Option<Verdict> {
    with_server(case, &[], |server, stage| {
        stage.wait(30);
        server.stop();
        std::thread::sleep(Duration::from_secs(if case.full { 8 } else { 2 }));
        server.cont();
        Terms::default()
    })
}

pub(super) fn failover(case: &Case) -> Option<Verdict> {
    let flavor = case.on.flavor()?;
    let mut watched = Watched::start(flavor);
    let post = Post::at(&format!("redis+sentinel://127.0.0.1:{}/main", watched.sentinel.port()));
    Some(run(&post, case.plan(), &mut case.chance(), |stage| {
        stage.wait(40);
        // A replica follows with a delay: the last writes before the end may not have reached it.
        let last = stage.now();
        watched.fail_over();
        Terms { undone: vec![(last.saturating_sub(1_000_000), stage.now())], ..Terms::default() }
    }))
}
