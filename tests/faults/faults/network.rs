//! What befalls the way to a server: a proxy in between misbehaves for a while.

use std::time::Duration;

use super::Case;
use crate::clients::run;
use crate::field::Post;
use crate::judge::{Terms, Verdict};
use crate::proxy::{Manner, Proxy};

/// Runs the clients while the way to their server is so.
fn through(case: &Case, manner: Manner) -> Option<Verdict> {
    let server = case.on.server(&[])?;
    let proxy = Proxy::to(server.port());
    let post = Post::at(&format!("redis://127.0.0.1:{}", proxy.port()));
    let span = Duration::from_millis(if case.full { 4_000 } else { 1_000 });
    Some(run(&post, case.plan(), &mut case.chance(), |stage| {
        for percent in if case.full { &[10, 40, 70][..] } else { &[30] } {
            stage.wait(*percent);
            proxy.set(manner);
            std::thread::sleep(span);
            proxy.set(Manner::Honest);
        }
        Terms::default()
    }))
}

pub(super) fn black_hole(case: &Case) -> Option<Verdict> {
    through(case, Manner::BlackHole)
}

pub(super) fn reset(case: &Case) -> Option<Verdict> {
    through(case, Manner::Reset)
}

pub(super) fn half_close(case: &Case) -> Option<Verdict> {
    through(case, Manner::HalfClose)
}

pub(super) fn dribble(case: &Case) -> Option<Verdict> {
    through(case, Manner::Dribble)
}

pub(super) fn slow(case: &Case) -> Option<Verdict> {
    through(case, Manner::Slow)
}

pub(super) fn cut(case: &Case) -> Option<Verdict> {
    through(case, Manner::CutAfterRequest)
}
