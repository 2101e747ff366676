//! What befalls the clock: processes whose clock is an hour ahead or behind, and a store that another version wrote.

use std::process::Command;
use std::time::Duration;

use super::Case;
use crate::field::{Ended, LEASE, Post, end};
use crate::judge::{Rule, Terms, Verdict};
use crate::script::{Script, Step};
use crate::tools;

/// One client whose clock is turned before each thing it does. Leases may run out early or late by as much as the clock
/// was turned; nothing is lost, doubled or acknowledged by a receipt that does not hold.
pub(super) fn turned(case: &Case) -> Option<Verdict> {
    let library = tools::faketime()?;
    let (mut post, _server) = case.post();
    let mut script = Script::new();
    let mut chance = case.chance();
    let mut turn = |post: &mut Post| {
        let offset = ["-3600", "-60", "+0", "+60", "+3600"][chance.below(5) as usize];
        post.env.insert("LD_PRELOAD".to_owned(), library.clone());
        post.env.insert("FAKETIME".to_owned(), offset.to_owned());
        post.env.insert("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned());
    };
    for _ in 0..if case.full { 100 } else { 12 } {
        for step in [Step::Send, Step::Send, Step::Lease, Step::Ack, Step::Take] {
            turn(&mut post);
            script.step(&post, step);
        }
    }
    // An hour ahead of whatever was, so that every lease is over.
    post.env.insert("FAKETIME".to_owned(), "+8000".to_owned());
    let verdict = script.judge(&post, &Terms { clock_turned: true, ..Terms::default() });
    Some(verdict)
}

/// A server's own clock decides: clients that are an hour off agree on a lease.
pub(super) fn turned_clients(case: &Case) -> Option<Verdict> {
    let library = tools::faketime()?;
    let (mut post, _server) = case.post();
    let mut script = Script::new();
    post.env.insert("LD_PRELOAD".to_owned(), library);
    for offset in ["+3600", "-3600", "+0"].repeat(if case.full { 20 } else { 2 }) {
        post.env.insert("FAKETIME".to_owned(), offset.to_owned());
        script.prepare(&post, Step::Ack);
        post.env.insert("FAKETIME".to_owned(), format!("+{}", 7_200));
        // Another reader an hour or two ahead is handed nothing that is held.
        script.step(&post, Step::Lease);
        script.step(&post, Step::Ack);
    }
    std::thread::sleep(Duration::from_millis(LEASE * 1000 + 100));
    Some(script.judge(&post, &Terms::default()))
}

/// A store that a newer postino wrote is refused by every command, and works again when it is of this version.
pub(super) fn newer(case: &Case) -> Option<Verdict> {
    let (post, server) = case.post();
    let mut script = Script::new();
    script.send(&post, "first", None);
    let set = |version: &str| match &server {
        Some(server) => drop(server.cli(&["HSET", "{po:}meta", "schema", version])),
        None => {
            let file = post.home().join("data/postino.db");
            let pragma = format!("PRAGMA user_version = {version}");
            rusqlite::Connection::open(file).unwrap().execute_batch(&pragma).unwrap();
        }
    };
    let now = match &server {
        Some(server) => server.cli(&["HGET", "{po:}meta", "schema"]),
        None => {
            let sql = rusqlite::Connection::open(post.home().join("data/postino.db")).unwrap();
            sql.query_row("SELECT user_version FROM pragma_user_version", [], |row| row.get::<_, i64>(0))
                .unwrap()
                .to_string()
        }
    };
    let before = post.rest(&[]);
    set("99");
    let mut verdict = Verdict::default();
    for args in [&["send", "bob", "hello"][..], &["read"], &["check"], &["stats"], &["agents"], &["history", "--all"]] {
        verdict.attempts += 1;
        let Ended { code, stderr, .. } = end(post.plain("ann", args), None);
        match code {
            Some(1 | 5) if stderr.contains("the newe") => verdict.fail += 1,
            code => verdict.breach(Rule::Seen, format!("{args:?} on a newer store: {code:?} {stderr}")),
        }
    }
    set(&now);
    let after = post.rest(&[]);
    if (before.sent, before.waiting) != (after.sent, after.waiting) {
        verdict.breach(Rule::Count, format!("refused commands changed {before:?} to {after:?}"));
    }
    script.step(&post, Step::Take);
    verdict.join(script.judge(&post, &Terms::default()));
    Some(verdict)
}

/// Many processes at once, each sending many: all are accepted, or refused with a reason, and the sum is exact.
pub(super) fn crowd(case: &Case) -> Option<Verdict> {
    let (post, _server) = case.post();
    let (processes, each) = if case.full { (200, 100) } else { (20, 10) };
    let most = processes * each * 3 / 4 / 10;
    // Ten mailboxes that hold three quarters of it.
    let script = "n=0; while [ $n -lt $2 ]; do n=$((n + 1)); \"$0\" send inbox-$(($1 % 10)) \"$1 $n\" --agent s-$1 -q \
                  >/dev/null 2>&1; code=$?; echo $code; done";
    let program = post.plain("x", &["check"]).get_program().to_owned();
    let children: Vec<_> = (0..processes)
        .map(|n| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).arg(&program).args([n.to_string(), each.to_string()]).env_clear();
            shell.envs(post.plain("x", &["check"]).get_envs().filter_map(|(name, value)| Some((name, value?))));
            shell.env("POSTINO_MAX_INBOX", most.to_string()).env("PATH", "/usr/bin:/bin").current_dir(post.home());
            shell.stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut verdict = Verdict::default();
    for child in children {
        let output = child.wait_with_output().unwrap();
        for code in String::from_utf8_lossy(&output.stdout).lines() {
            verdict.attempts += 1;
            match code {
                "0" => verdict.ok += 1,
                "5" => verdict.fail += 1,
                other => verdict.breach(Rule::Seen, format!("a send ended with {other}")),
            }
        }
    }
    let stats = post.rest(&[]);
    if (stats.sent, stats.waiting) != (verdict.ok, verdict.ok) || verdict.ok != most * 10 {
        verdict.breach(Rule::Count, format!("{} accepted, {stats:?}", verdict.ok));
    }
    Some(verdict)
}
