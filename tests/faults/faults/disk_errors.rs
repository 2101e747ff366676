//! What befalls single calls to the system: a write, a sync, the making of a file fails, once or from then on; or a
//! process can have no thread.

use super::Case;
use crate::field::{Post, end};
use crate::history::Said;
use crate::judge::{Rule, Terms, Verdict};
use crate::script::{Script, Step};
use crate::tools;

/// The calls that fail, and how; what stands behind the colon is which of them.
const FAILURES: [&str; 16] = [
    "pwrite64:error=EIO:when=1",
    "pwrite64:error=EIO:when=2",
    "pwrite64:error=EIO:when=3",
    "pwrite64:error=EIO:when=1+",
    "pwrite64:error=ENOSPC:when=1",
    "pwrite64:error=ENOSPC:when=2+",
    "pwrite64:error=EDQUOT:when=1+",
    "fsync:error=EIO:when=1",
    "fsync:error=EIO:when=2",
    "fsync:error=EIO:when=1+",
    "pread64:error=EIO:when=3",
    "pread64:error=EIO:when=1+",
    "ftruncate:error=EIO:when=1+",
    "openat:error=EMFILE:when=4+",
    "openat:error=EIO:when=5+",
    "fcntl:error=ENOLCK:when=8+",
];

pub(super) fn failing_calls(case: &Case) -> Option<Verdict> {
    let strace = tools::strace()?;
    let (mut post, _server) = case.post();
    let mut script = Script::new();
    script.send(&post, "first", None);
    let mut failed = 0;
    for failure in FAILURES.iter().step_by(if case.full { 1 } else { 4 }) {
        for step in [Step::Send, Step::Lease, Step::Ack, Step::Take] {
            script.prepare(&post, step);
            let inject = format!("inject={failure}");
            post.before = [strace.as_str(), "-f", "-qq", "-o", "/dev/null", "-e", &inject].map(Into::into).to_vec();
            let said = script.step(&post, step);
            post.before = Vec::new();
            failed += usize::from(matches!(said, Some(Said::Refused { .. } | Said::Unknown { .. })));
            script.again(&post);
        }
    }
    let mut verdict = script.judge(&post, &Terms::default());
    if failed == 0 {
        verdict.breach(Rule::Seen, "no call failed: this run proves nothing");
    }
    Some(verdict)
}

/// Commands that want a thread of their own, and hooks above all.
const THREADED: [&[&str]; 4] =
    [&["read", "--wait", "1"], &["watch", "--json"], &["hook", "user-prompt-submit"], &["check"]];

/// Without a thread a command says so or does without; it does not panic, and a hook ends in success.
pub(super) fn no_threads(case: &Case) -> Option<Verdict> {
    let strace = tools::strace()?;
    let (mut post, _server) = case.post();
    let mut verdict = Verdict::default();
    post.before = [&strace, "-f", "-qq", "-o", "/dev/null", "-e", "inject=clone,clone3:error=EAGAIN:when=1+"]
        .map(Into::into)
        .to_vec();
    for args in THREADED {
        verdict.attempts += 1;
        let ended = ended(&post, args);
        if args[0] == "hook" && ended.code != Some(0) {
            verdict.breach(Rule::Seen, format!("a hook ended with {:?}: {}", ended.code, ended.stderr));
        }
        match ended.code {
            Some(0) => verdict.ok += 1,
            Some(_) => verdict.fail += 1,
            None => verdict.breach(Rule::Seen, format!("{args:?} was ended by a signal: {}", ended.stderr)),
        }
    }
    Some(verdict)
}

fn ended(post: &Post, args: &[&str]) -> crate::field::Ended {
    let mut command = post.command("bob", args);
    if args[0] == "watch" {
        // It would go on for ever: closing its answer ends it.
        command = {
            let mut shell = std::process::Command::new("timeout");
            shell.arg("3").arg(command.get_program()).args(command.get_args()).env_clear();
            shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(post.home());
            shell
        };
    }
    end(command, None)
}
