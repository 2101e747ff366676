//! What befalls the front ends that live longer than a call: the web server's process that answers, the MCP servers, and
//! the way to the web server.

use std::time::Duration;

use super::Case;
use crate::clients::{Plan, run};
use crate::front::Way;
use crate::front::http::Site;
use crate::judge::{Terms, Verdict};
use crate::proxy::{Manner, Proxy};

/// Clients of all front ends on one store, while any process may be killed.
pub(super) fn killed(case: &Case) -> Option<Verdict> {
    let (post, _server) = case.post();
    let site = Site::of(&post);
    let ways = [Way::Cli, Way::Http { port: site.port(), host: site.port() }, Way::Mcp];
    let plan = Plan { kill: 10, readers: if case.full { 6 } else { 3 }, ways, ..case.plan() };
    Some(run(&post, plan, &mut case.chance(), |stage| {
        for n in 1..if case.full { 10 } else { 4 } {
            stage.wait(n * if case.full { 10 } else { 25 });
            site.kill_child();
        }
        Terms::default()
    }))
}

/// Runs clients of the web server while the way to it is so.
fn through(case: &Case, manners: &[Manner]) -> Option<Verdict> {
    let (post, _server) = case.post();
    let site = Site::of(&post);
    let proxy = Proxy::to(site.port());
    let plan = Plan { ways: [Way::Http { port: proxy.port(), host: site.port() }; 3], ..case.plan() };
    Some(run(&post, plan, &mut case.chance(), |stage| {
        for (n, manner) in (1..).zip(manners) {
            stage.wait(n * 80 / manners.len() as u64);
            proxy.set(*manner);
            std::thread::sleep(Duration::from_millis(if case.full { 3_000 } else { 500 }));
            proxy.set(Manner::Honest);
        }
        Terms::default()
    }))
}

pub(super) fn way_to_web(case: &Case) -> Option<Verdict> {
    through(case, &[Manner::CutAfterRequest, Manner::Reset, Manner::HalfClose, Manner::Dribble, Manner::Slow])
}
