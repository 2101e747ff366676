//! What befalls postino's own processes: killed or stopped at any moment, and killed at each of the points where they
//! call the system.

use std::collections::BTreeMap;

use super::Case;
use crate::clients::{Plan, run};
use crate::field::Post;
use crate::judge::{Terms, Verdict};
use crate::script::{Script, Step};
use crate::tools;

pub(super) fn none(case: &Case) -> Option<Verdict> {
    let (post, _server) = case.post();
    Some(run(&post, case.plan(), &mut case.chance(), |_| Terms::default()))
}

pub(super) fn kill(case: &Case) -> Option<Verdict> {
    let (mut post, _server) = case.post();
    // Some messages shall die of it.
    post.max_deliveries = 3;
    Some(run(&post, Plan { kill: 25, ..case.plan() }, &mut case.chance(), |_| Terms::default()))
}

pub(super) fn stop(case: &Case) -> Option<Verdict> {
    let (post, _server) = case.post();
    Some(run(&post, Plan { stop: 10, readers: 4, ..case.plan() }, &mut case.chance(), |_| Terms::default()))
}

pub(super) fn late_ack(case: &Case) -> Option<Verdict> {
    let (post, _server) = case.post();
    Some(run(&post, Plan { late: 50, readers: 4, ..case.plan() }, &mut case.chance(), |_| Terms::default()))
}

/// The points: calls that change something that outlives the process, or tell somebody.
const POINTS: [&str; 9] =
    ["pwrite64", "fsync", "fdatasync", "ftruncate", "write", "sendto", "recvfrom", "fcntl", "close"];

/// How many points a smoke tries of each command.
const SOME: usize = 6;

pub(super) fn kill_at_points(case: &Case) -> Option<Verdict> {
    let strace = tools::strace()?;
    let (mut post, _server) = case.post();
    let mut chance = case.chance();
    let mut script = Script::new();
    // The store is made, so that each command has the points that it always has.
    script.send(&post, "first", None);
    for step in [Step::Send, Step::Take, Step::Lease, Step::Ack] {
        let mut points = points_of(&mut post, &strace, &mut script, step);
        while !case.full && points.len() > SOME {
            points.swap_remove(chance.below(points.len() as u64) as usize);
        }
        for (call, nth) in points {
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            script.prepare(&post, step);
            post.before = [strace.as_str(), "-f", "-qq", "-o", "/dev/null", "-e", &inject].map(Into::into).to_vec();
            script.step(&post, step);
            post.before = Vec::new();
            script.again(&post);
        }
    }
    Some(script.judge(&post, &Terms::default()))
}

/// The points that a step passes, found out by letting it pass.
fn points_of(post: &mut Post, strace: &str, script: &mut Script, step: Step) -> Vec<(String, usize)> {
    let log = post.home().join("strace.log");
    script.prepare(post, step);
    post.before = [strace, "-f", "-qq", "-o", log.to_str().unwrap()].map(Into::into).to_vec();
    script.step(post, step);
    post.before = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        let name = line.split_ascii_whitespace().nth(1).and_then(|call| call.split('(').next());
        if let Some(point) = POINTS.iter().find(|point| Some(**point) == name) {
            *counts.entry(point).or_default() += 1;
        }
    }
    let each = |(name, count): (&str, usize)| (1..=count).map(move |nth| (name.to_owned(), nth)).collect::<Vec<_>>();
    counts.into_iter().flat_map(each).collect()
}
