//! A user of the server who may touch the workspace's keys alone: postino needs no more, and gets no more.

use crate::server::{Flavor, Server, Wire, available};
use crate::support::{Postino, Ran};

/// Runs a test for each make of server that is installed.
fn on_each(test: impl Fn(&Server, Flavor)) {
    for flavor in available() {
        test(&Server::start(flavor, &[]), flavor);
    }
}

/// A user who may run everything, on the keys and channels of these prefixes alone.
fn user(server: &Server, name: &str, prefixes: &[&str]) -> String {
    let mut rule: Vec<String> =
        ["ACL", "SETUSER", name, "on", ">secret", "resetkeys", "resetchannels", "+@all"].map(str::to_owned).to_vec();
    for prefix in prefixes {
        rule.extend([format!("~{{{prefix}}}*"), format!("&{{{prefix}}}*")]);
    }
    assert_eq!(server.cli(&rule.iter().map(String::as_str).collect::<Vec<_>>()), "OK");
    format!("redis://{name}:secret@127.0.0.1:{}", server.port())
}

#[test]
fn the_whole_command_line_runs_with_the_rights_of_one_prefix() {
    on_each(|server, flavor| {
        let postino = Postino::on(&user(server, "limited", &["po:"]));
        let ok = |agent: &str, line: &[&str]| -> Ran {
            let ran = postino.run(agent, line);
            assert_eq!(ran.code, 0, "{flavor:?} {line:?}: {ran:?}");
            ran
        };
        server.cli(&["ACL", "LOG", "RESET"]);
        let id = postino.send("ann", "bob", "hello");
        ok("ann", &["send", "bob", "again", "--key", "k", "--urgent", "--reply-to", &id]);
        ok("ann", &["broadcast", "everybody"]);
        ok("bob", &["check"]);
        ok("bob", &["broadcasts"]);
        ok("bob", &["read", "--peek"]);
        let receipt = postino.json("bob", &["read", "--lease", "60"])["messages"][0]["receipt"].clone();
        let receipt = receipt.as_str().unwrap().to_owned();
        ok("bob", &["extend", &receipt, "--seconds", "90"]);
        ok("bob", &["release", &receipt]);
        ok("bob", &["check"]);
        ok("bob", &["read", "--wait", "5"]);
        ok("bob", &["history"]);
        ok("bob", &["show", &id]);
        for line in [&["agents"][..], &["whoami"], &["stats"], &["store"], &["dead", "list"], &["dead", "retry"]] {
            ok("bob", line);
        }
        ok("bob", &["rename", "rob"]);
        ok("rob", &["clear", "--yes"]);
        ok("rob", &["clear", "--broadcasts", "--yes"]);
        ok("rob", &["cleanup"]);
        assert_eq!(postino.run("rob", &["read", "--wait", "1"]).code, 4, "a wait that ends with nothing");
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| postino.run("ci", &["ask", "rob", "well?", "--timeout", "30"]));
            let question = postino.json("rob", &["read", "--wait", "30"])["messages"][0]["id"].clone();
            ok("rob", &["send", "ci", "yes", "--reply-to", question.as_str().unwrap()]);
            assert_eq!(asked.join().unwrap().out, "yes\n");
        });
        assert_eq!(server.cli(&["ACL", "LOG"]), "", "{flavor:?}: nothing was refused");
        for key in server.cli(&["KEYS", "*"]).lines() {
            assert!(key.starts_with("{po:}"), "{key}");
        }
    });
}

#[test]
fn that_user_reaches_nothing_else() {
    on_each(|server, flavor| {
        let url = user(server, "limited", &["po:"]);
        server.cli(&["SET", "other", "theirs"]);
        let mut wire = Wire::to(server.port()).unwrap();
        assert_eq!(wire.ask(&["AUTH", "limited", "secret"]), "OK");
        for line in [&["GET", "other"][..], &["SET", "po:x", "y"], &["EVAL", "return redis.call('GET', 'other')", "0"]]
        {
            let answer = wire.ask(line);
            assert!(answer.starts_with('-'), "{flavor:?} {line:?}: {answer}");
        }
        // Another workspace's prefix is not this user's either.
        let ran = Ran::of(Postino::on(&url).command(&["--agent", "ann", "check"]).env("POSTINO_KEY_PREFIX", "px:"));
        assert_eq!(ran.code, 6, "{ran:?}");
        assert!(ran.err.contains("this user may not run what postino needs") && !ran.err.contains("secret"), "{ran:?}");
        assert_eq!(server.cli(&["GET", "other"]), "theirs");
    });
}

#[test]
fn a_move_needs_the_rights_of_both_workspaces_and_no_more() {
    on_each(|server, flavor| {
        let from = Postino::on(&user(server, "from", &["po:"]));
        from.send("ann", "bob", "hello");
        let url = user(server, "to", &["po:"]);
        let other = Server::start(flavor, &[]);
        let target = user(&other, "to", &["po:"]);
        server.cli(&["ACL", "LOG", "RESET"]);
        assert_eq!(from.run("ann", &["store", "move", &target]).code, 0, "{flavor:?}");
        assert_eq!((server.cli(&["ACL", "LOG"]), other.cli(&["ACL", "LOG"])), (String::new(), String::new()));
        assert_eq!(Postino::on(&target).run("bob", &["read"]).out, "from ann  just now  <id>\n  hello\n");
        assert_eq!(Postino::on(&url).run("bob", &["read"]).code, 5, "the old one has moved");
    });
}
