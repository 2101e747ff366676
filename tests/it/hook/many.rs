//! A thousand hooks, twenty at a time: every session stays registered under a name of its own.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::session::{Session, registered};
use crate::support::Postino;

const SESSIONS: usize = 20;
const RUNS: usize = 1_000;
const AT_ONCE: usize = 20;

#[test]
fn no_registration_is_lost_and_no_name_is_given_twice() {
    let postino = Postino::new();
    let sessions: Vec<Session<'_>> = (0..SESSIONS).map(|n| Session::open(&postino, &format!("s-{n}"))).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= RUNS {
                        break;
                    }
                    let events = ["session-start", "user-prompt-submit", "post-tool-use", "stop"];
                    // The runs of one session fall together as well as those of different ones.
                    sessions[(n / 3) % SESSIONS].hook(events[n % events.len()], &json!({}));
                }
            });
        }
    });
    let names: BTreeSet<String> = sessions.iter().map(Session::name).collect();
    let wanted: BTreeSet<String> =
        (1..=SESSIONS).map(|n| if n == 1 { "webshop".to_owned() } else { format!("webshop-{n}") }).collect();
    assert_eq!(names, wanted);
    let mut files: Vec<String> = Vec::new();
    for session in &sessions {
        let own: Vec<String> = registered(&postino)
            .into_iter()
            .filter(|file| file.starts_with(&format!("{}-", session.process.id())))
            .collect();
        assert_eq!(own.len(), 2, "a registration and its lock: {own:?}");
        files.extend(own);
    }
    assert_eq!(registered(&postino).len(), files.len(), "{:?}", registered(&postino));
    let bound = std::fs::read_dir(postino.home().join("postino/bound")).unwrap().count();
    assert_eq!(bound, SESSIONS);
    for session in &sessions {
        session.hook("session-end", &json!({"reason": "other"}));
    }
    assert_eq!(registered(&postino), [""; 0]);
}
