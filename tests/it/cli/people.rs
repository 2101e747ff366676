//! `postino agents`, `whoami`, `rename`, `cleanup` and `stats`.

use serde_json::json;

use crate::support::{Postino, Ran, on_each_store};

on_each_store!(
    agents_are_a_table,
    agents_are_listed_in_pages,
    whoami_tells_the_name_and_why,
    a_new_name_keeps_the_mail,
    a_name_that_is_taken_already_is_refused,
    cleanup_removes_names_that_nobody_uses,
    stats_count,
);

fn agents_are_a_table(postino: &Postino) {
    postino.meet("api");
    postino.send("api", "reviewer", "hi");
    let ran = postino.run("api", &["agents"]);
    let rows: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "STATE", "WAITING", "SEEN", "CLIENT", "HOST", "PROJECT"]);
    assert_eq!(
        (&rows[1][..5], &rows[2][..]),
        (&["api", "idle", "0", "just", "now"][..], &["reviewer", "offline", "1", "never"][..])
    );
    let columns: Vec<usize> = ran
        .out
        .lines()
        .map(|line| line.find("idle").or(line.find("offline")).or(line.find("STATE")).unwrap())
        .collect();
    assert_eq!(columns, [10; 3], "{}", ran.out);
    assert!(ran.out.lines().all(|line| line.trim_end() == line));
}

fn agents_are_listed_in_pages(postino: &Postino) {
    for name in ["b", "a", "C"] {
        postino.meet(name);
    }
    let page = postino.run("a", &["agents", "--limit", "2", "--json"]);
    assert_eq!(page.err, "{\"notice\":\"3 agents in all; more with --after a\"}\n");
    let names = |answer: &serde_json::Value| -> Vec<String> {
        answer["items"].as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((names(&page.json()), &page.json()["total"]), (vec!["C".to_owned(), "a".to_owned()], &json!(3)));
    assert_eq!(names(&postino.json("a", &["agents", "--after", "a"])), ["b"]);
    for limit in ["0", "-1", "1001", "2.5"] {
        assert_eq!(postino.run("a", &["agents", "--limit", limit]).code, 2, "{limit}");
    }
}

fn whoami_tells_the_name_and_why(postino: &Postino) {
    postino.meet("api");
    postino.run("api", &["send", "web", "hi", "--urgent"]);
    let wanted = "name        web (by --agent)\nmessages    1 unread (1 urgent)\nbroadcasts  0 unseen\nagents      2 of 2 online: api (idle)\n";
    postino.run("web", &["whoami"]).is(0, wanted, "");
    let named = Ran::of(postino.command(&["whoami", "--json"]).env("POSTINO_AGENT_NAME", "web"));
    let whoami = named.json();
    assert_eq!(
        (&whoami["agent"], &whoami["unreadMessages"], &whoami["agentsTotal"]),
        (&json!("web"), &json!(1), &json!(2))
    );
    let bad = Ran::of(postino.command(&["whoami"]).env("POSTINO_AGENT_NAME", "../x"));
    assert_eq!((bad.code, bad.err.contains("POSTINO_AGENT_NAME")), (2, true), "{}", bad.err);
}

fn a_new_name_keeps_the_mail(postino: &Postino) {
    postino.send("api", "old", "one");
    postino.send("api", "new", "zero");
    postino.run("old", &["rename", "new"]).is(0, "renamed old to new; 1 message waited there already\n", "");
    postino.send("api", "old", "two");
    assert_eq!(postino.run("new", &["read", "--raw"]).out, "zeroonetwo");
}

fn a_name_that_is_taken_already_is_refused(postino: &Postino) {
    postino.meet("web");
    postino.run("web", &["rename", "web"]).is(5, "", "postino: the name is web already\n");
    let answer = postino.json("web", &["rename", "web2"]);
    assert_eq!(answer, json!({ "from": "web", "name": "web2", "merged": 0 }));
    assert_eq!(postino.run("web2", &["rename", "../x"]).code, 2);
}

fn cleanup_removes_names_that_nobody_uses(postino: &Postino) {
    postino.meet("web");
    postino.send("web", "gone", "hi");
    postino.run("web", &["cleanup"]).is(0, "removed 0 names\n", "");
    assert_eq!(postino.run("gone", &["clear", "--yes"]).code, 0);
    let cleaned = postino.json("web", &["cleanup"]);
    assert!(cleaned["removed"].is_array(), "{cleaned}");
}

fn stats_count(postino: &Postino) {
    postino.meet("web");
    postino.send("api", "web", "hi");
    let wanted = "\
agents      2, 2 online
messages    1 waiting, 0 held, 0 dead
broadcasts  0 kept, 0 dropped
so far      1 sent, 0 taken, 0 expired, 0 deleted
            0 died, 0 dead dropped
";
    postino.run("web", &["stats"]).is(0, wanted, "");
    let stats = postino.json("web", &["stats"]);
    assert_eq!((&stats["waiting"], &stats["sent"], &stats["deadTrimmed"]), (&json!(1), &json!(1), &json!(0)));
}
