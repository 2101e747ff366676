//! What a hook costs when there is nothing new: zero bytes, one trip, few system calls.

use std::process::{Command, Stdio};

use super::session::{Session, feed};
use crate::server::{Server, available};
use crate::support::{Postino, on_each_store};

/// More system calls than this are too many: of them the test binary's loader makes some 30, the store 60.
const MOST_CALLS: usize = 250;

fn the_usual_hook_makes_few_system_calls(postino: &Postino) {
    let session = Session::start(postino, "s-1");
    assert_eq!(session.prompt(), "");
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        eprintln!("\n*** strace IS NOT INSTALLED: no system call was counted ***\n");
        return;
    }
    let hook = session.command(&["hook", "user-prompt-submit"]);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-o"]).arg(postino.home().join("calls")).arg(hook.get_program()).args(hook.get_args());
    strace.env_clear().envs(hook.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.current_dir(hook.get_current_dir().unwrap()).env("PATH", "/usr/bin:/bin");
    let payload = session.payload("user-prompt-submit", &serde_json::json!({"prompt": "go on"}));
    feed(strace, payload.as_bytes()).is(0, "", "");
    let table = std::fs::read_to_string(postino.home().join("calls")).unwrap();
    let total = table.lines().rfind(|line| line.ends_with("total")).unwrap();
    println!("{table}");
    let calls: usize = total.split_ascii_whitespace().nth(3).unwrap().parse().unwrap();
    assert!((10..=MOST_CALLS).contains(&calls), "{calls} system calls");
}

on_each_store!(the_usual_hook_makes_few_system_calls);

#[test]
fn the_usual_hook_makes_one_trip() {
    for flavor in available() {
        let server = Server::start(flavor, &[]);
        let postino = Postino::on(&server.url());
        let session = Session::start(&postino, "s-1");
        for hook in [Session::prompt, Session::tool, Session::stop] {
            let before = trips(&server);
            assert_eq!(hook(&session), "");
            assert_eq!(trips(&server) - before, 1, "{flavor:?}");
        }
    }
}

/// How many commands clients have sent to a server, the asking left out. What a script calls is no trip.
fn trips(server: &Server) -> u64 {
    let stats = server.cli(&["INFO", "commandstats"]);
    let calls = |line: &str| line.split("calls=").nth(1)?.split(',').next()?.parse::<u64>().ok();
    let count = |command: &str| -> u64 {
        stats.lines().filter(|line| line.starts_with(&format!("cmdstat_{command}:"))).filter_map(calls).sum()
    };
    ["eval", "evalsha", "hello", "auth", "select", "client|setinfo", "ping", "script|load"]
        .iter()
        .map(|c| count(c))
        .sum()
}
