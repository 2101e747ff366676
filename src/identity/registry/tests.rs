//! Tests of the registry: finding, locking, binding, sweeping, with this process's real parents as clients.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::model::Millis;

/// A registration as a test needs it.
pub(in crate::identity) fn registration(pid: u32, started: u64, session_id: &str, name: &str) -> Registration {
    Registration {
        client: "claude".into(),
        pid,
        started,
        session_id: Some(session_id.into()),
        name: Some(name.parse().unwrap()),
        wish: Some(name.parse().unwrap()),
        explicit: false,
        generation: Some(Generation(3)),
        store: None,
        prefix: None,
        project: None,
        state: State::Idle,
        marks: Marks::default(),
        continued: 0,
        hooked: false,
        announced: None,
    }
}

fn clues(env: &Env) -> Clues<'_> {
    Clues { outright: None, said: None, env }
}

fn parent() -> Process {
    process::ancestors().next().unwrap()
}

fn save(registry: &Registry, registration: &Registration) {
    registry.desk(registration.pid, registration.started).unwrap().write(registration).unwrap();
}

/// What lies in a folder, by name.
fn listed(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_ancestor_is_found_and_its_session_id_is_bound() {
    let (state, env) = (tempfile::tempdir().unwrap(), Env::default());
    let registry = Registry::new(state.path());
    assert_eq!(registry.find(&clues(&env)), None);
    let parent = parent();
    let session = registration(parent.pid, parent.started, "../../etc/passwd", "reviewer");
    save(&registry, &session);
    assert_eq!(registry.find(&clues(&env)), Some(session.clone()));
    assert_eq!(registry.find(&Clues { outright: Some(parent.pid), ..clues(&env) }), Some(session));
    assert_eq!(registry.find(&Clues { outright: Some(0), ..clues(&env) }), None);
    assert_eq!(registry.bound("../../etc/passwd").unwrap().as_str(), "reviewer");
    assert_eq!(registry.bound("other"), None);
}

#[test]
fn a_reused_pid_and_a_damaged_file_are_nobody() {
    let (state, env) = (tempfile::tempdir().unwrap(), Env::default());
    let registry = Registry::new(state.path());
    let parent = parent();
    save(&registry, &registration(parent.pid, parent.started + 1, "s", "reviewer"));
    assert_eq!(registry.find(&clues(&env)), None);
    save(&registry, &registration(parent.pid, parent.started, "s", "reviewer"));
    fs::write(registry.path(parent.pid, parent.started), b"{").unwrap();
    assert_eq!(registry.find(&clues(&env)), None);
}

#[test]
fn a_process_id_from_the_environment_counts_only_for_an_ancestor_or_an_orphan_of_the_same_conversation() {
    let state = tempfile::tempdir().unwrap();
    let registry = Registry::new(state.path());
    let of = |pid: u32, session: &str| {
        Env::of(&[("CLAUDE_PID", pid.to_string().as_str()), ("CLAUDE_CODE_SESSION_ID", session)])
    };
    // The parent is no known client; the variable makes it one.
    let parent = parent();
    let found = registry.client(&clues(&of(parent.pid, "s"))).unwrap();
    assert_eq!((found.process.pid, found.client.unwrap().name), (parent.pid, "claude"));
    // A living process that is no ancestor is some other session's, unless it is registered with this conversation.
    let mut stranger = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let pid = stranger.id();
    let is_stranger = |env: &Env| registry.client(&clues(env)).is_some_and(|found| found.process.pid == pid);
    assert!(!is_stranger(&of(pid, "s")));
    let process = process::look(pid).unwrap();
    save(&registry, &registration(pid, process.started, "s", "reviewer"));
    assert!(is_stranger(&of(pid, "s")));
    assert!(!is_stranger(&of(pid, "another")));
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_client_that_the_caller_names_is_the_nearest_ancestor_that_is_no_shell() {
    let (state, env) = (tempfile::tempdir().unwrap(), Env::default());
    let said = client::named("gemini");
    let found = Registry::new(state.path()).client(&Clues { said, ..clues(&env) }).unwrap();
    assert_eq!(found.client, said);
    assert_eq!(Some(found.process.pid), process::ancestors().find(|process| !process.is_shell()).map(|p| p.pid));
}

#[test]
fn files_are_private() {
    let state = tempfile::tempdir().unwrap();
    let registry = Registry::new(state.path());
    save(&registry, &registration(7, 7, "s", "reviewer"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&registry.path(7, 7)), 0o600);
    assert_eq!(mode(&registry.bound_path("s")), 0o600);
    assert_eq!(mode(&registry.sessions()), 0o700);
}

#[test]
fn changes_of_many_are_all_kept_also_when_the_registration_goes_and_comes() {
    let state = tempfile::tempdir().unwrap();
    let registry = Registry::new(state.path());
    let session = registration(7, 7, "s", "reviewer");
    let removed: u64 = std::thread::scope(|scope| {
        let worker = |_| {
            scope.spawn(|| {
                let mut lost = 0;
                for _ in 0..100 {
                    let mut desk = registry.desk(7, 7).unwrap();
                    let mut mine = desk.registration.clone().unwrap_or_else(|| session.clone());
                    mine.marks.hints += 1;
                    desk.write(&mine).unwrap();
                    if mine.marks.hints == 10 {
                        lost += 10;
                        desk.remove();
                    }
                }
                lost
            })
        };
        let workers: Vec<_> = (0..8).map(worker).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let left = registry.read(7, 7).map_or(0, |session| session.marks.hints);
    assert_eq!(removed + left, 8 * 100);
}

#[test]
fn sweeping_leaves_the_living_and_what_is_bound() {
    let state = tempfile::tempdir().unwrap();
    let registry = Registry::new(state.path());
    let parent = parent();
    save(&registry, &registration(parent.pid, parent.started, "here", "reviewer"));
    save(&registry, &registration(parent.pid, parent.started + 1, "gone", "writer"));
    drop(registry.monitor_lock(parent.pid, parent.started + 1).unwrap().unwrap());
    fs::write(registry.sessions().join(format!("{}-{}.9.new", parent.pid, parent.started + 1)), "{").unwrap();
    fs::write(registry.state.join("bound").join("half.9.new"), "x").unwrap();
    let elsewhere = registry.state.join("sessions").join("0123456789abcdef");
    fs::create_dir(&elsewhere).unwrap();
    let (now, day) = (crate::config::now(), std::time::Duration::from_secs(86_400));
    registry.sweep(now);
    let stem = format!("{}-{}", parent.pid, parent.started);
    assert_eq!(listed(&registry.sessions()), [format!("{stem}.json"), format!("{stem}.lock")]);
    assert_eq!(registry.bound("gone").unwrap().as_str(), "writer");
    assert_eq!(listed(&registry.state.join("bound")).len(), 3);
    registry.sweep(now.plus(day));
    assert_eq!(listed(&registry.state.join("bound")).len(), 2);
    assert!(elsewhere.exists());
    registry.sweep(Millis(now.0).plus(day * 40));
    assert!(!elsewhere.exists() && registry.bound("here").is_some());
    registry.sweep(now.plus(day * 200));
    assert_eq!((registry.bound("here"), listed(&registry.sessions()).len()), (None, 2));
}

#[test]
fn one_monitor_at_a_time() {
    let state = tempfile::tempdir().unwrap();
    let registry = Registry::new(state.path());
    let first = registry.monitor_lock(7, 7).unwrap();
    assert!(first.is_some() && registry.monitor_lock(7, 7).unwrap().is_none());
    assert!(registry.monitor_lock(8, 7).unwrap().is_some());
    drop(first);
    assert!(registry.monitor_lock(7, 7).unwrap().is_some());
    assert_eq!(listed(&registry.sessions()), [""; 0]);
}

#[test]
fn three_failures_in_a_row_are_told() {
    let state = tempfile::tempdir().unwrap();
    let registry = Registry::new(state.path());
    drop(registry.desk(7, 7).unwrap());
    assert_eq!(
        [registry.failed(), registry.failed(), registry.failed(), registry.failed()],
        [false, false, false, true]
    );
    registry.worked();
    assert!(!registry.failed());
}
