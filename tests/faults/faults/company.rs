//! What befalls a store by the company it keeps: another version of postino, and a crowd.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::Case;
use crate::field::{Ended, end};
use crate::judge::{Rule, Terms, Verdict};
use crate::script::{Script, Step};

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
    // One crowd at a time is enough for any machine.
    static CROWD: Mutex<()> = Mutex::new(());
    let _alone = CROWD.lock().unwrap_or_else(PoisonError::into_inner);
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
