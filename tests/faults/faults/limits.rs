//! What befalls a process by the limits that it was started with: how large a file may grow, how many files it may open.

use super::Case;
use crate::field::end;
use crate::history::Said;
use crate::judge::{Rule, Terms, Verdict};
use crate::script::{Script, Step};

/// A shell that sets a limit and becomes the program.
fn under(limit: &str) -> Vec<std::ffi::OsString> {
    // A process that ignores the signal is told by an error instead; the other one is ended.
    ["sh", "-c", &format!("{limit}; exec \"$@\""), "sh"].map(Into::into).to_vec()
}

/// Files may grow to a size: what does not fit is refused and not stored, and the rest is as it was.
pub(super) fn file_size(case: &Case) -> Option<Verdict> {
    let (mut post, _server) = case.post();
    let mut script = Script::new();
    let (mut refused, mut cut) = (0, 0);
    script.send(&post, "first", None);
    let sends = if case.full { 60 } else { 12 };
    for (trap, count) in [("trap '' XFSZ; ", &mut refused), ("", &mut cut)] {
        // In blocks of 512 bytes; beyond what the store has by then.
        for blocks in [8, 300] {
            post.before = under(&format!("{trap}ulimit -f {blocks}"));
            for n in 0..sends {
                let body = format!("{n} {}", "long ".repeat(1_000));
                let said = script.send(&post, &body, Some(format!("{trap}{blocks} {n}")));
                *count += usize::from(matches!(said, Said::Refused { .. } | Said::Unknown { .. }));
            }
            post.before = Vec::new();
            script.again(&post);
            script.step(&post, Step::Take);
        }
    }
    let mut verdict = script.judge(&post, &Terms::default());
    if refused == 0 || cut == 0 {
        verdict.breach(Rule::Seen, format!("{refused} sends were refused, {cut} cut off: this run proves nothing"));
    }
    Some(verdict)
}

/// Few files may be open: a command works or says what is wrong, and nothing is lost by it.
pub(super) fn open_files(case: &Case) -> Option<Verdict> {
    let (mut post, _server) = case.post();
    let mut script = Script::new();
    script.send(&post, "first", None);
    for files in 3..16 {
        for step in [Step::Send, Step::Lease, Step::Ack, Step::Take] {
            script.prepare(&post, step);
            post.before = under(&format!("ulimit -n {files}"));
            script.step(&post, step);
            post.before = Vec::new();
            script.again(&post);
        }
        post.before = under(&format!("ulimit -n {files}"));
        let hook = end(post.command("bob", &["hook", "user-prompt-submit"]), None);
        // With fewer the system cannot even load a program.
        assert!(files < 5 || hook.code == Some(0), "a hook with {files} files: {:?} {}", hook.code, hook.stderr);
        post.before = Vec::new();
    }
    Some(script.judge(&post, &Terms::default()))
}
