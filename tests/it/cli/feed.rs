//! `postino broadcast`, `broadcasts` and `check`.

use serde_json::json;

use crate::support::{Postino, on_each_store, on_terminal};

on_each_store!(
    everybody_hears_it_once,
    a_peek_moves_nothing,
    a_key_says_it_once,
    limits_have_bounds,
    its_json_is_the_response,
    a_check_is_one_line_or_nothing,
    a_check_tells_by_its_exit_code,
    a_checks_json_always_answers,
);

fn everybody_hears_it_once(postino: &Postino) {
    postino.meet("web");
    postino.run("ci", &["broadcast", "main is frozen\nuntil noon"]).is(0, "sent <id> to everybody\n", "");
    let heard = "from ci  just now  <id>\n  main is frozen\n  until noon\n";
    postino.run("web", &["broadcasts"]).is(0, heard, "");
    postino.run("web", &["broadcasts"]).is(0, "", "");
    postino.run("web", &["broadcasts", "--all"]).is(0, heard, "");
    postino.run("newcomer", &["broadcasts"]).is(0, heard, "");
    // One's own are not news.
    postino.run("ci", &["broadcasts"]).is(0, "", "");
    let (code, screen) = on_terminal(&mut postino.command(&["--agent", "ci", "broadcasts"]), "");
    assert_eq!((code, screen.as_str()), (0, "postino: no broadcasts\n"));
}

fn a_peek_moves_nothing(postino: &Postino) {
    for body in ["one", "two", "three"] {
        postino.run("ci", &["broadcast", body]);
    }
    let one = "from ci  just now  <id>\n  one\n";
    postino.run("web", &["broadcasts", "--peek", "--limit", "1"]).is(0, one, "");
    let more = "postino: 2 broadcasts left; run it again for more\n";
    postino.run("web", &["broadcasts", "--limit", "1"]).is(0, one, more);
    postino.run("web", &["broadcasts", "--limit", "1", "-q"]).is(0, "from ci  just now  <id>\n  two\n", "");
}

fn a_key_says_it_once(postino: &Postino) {
    let say = |body| postino.run("ci", &["broadcast", body, "--key", "release-7"]);
    say("out").is(0, "sent <id> to everybody\n", "");
    say("out").is(0, "had already sent <id> to everybody\n", "");
    assert_eq!(say("not out").code, 5);
    assert_eq!(postino.json("web", &["broadcasts"])["total"], 1);
}

fn limits_have_bounds(postino: &Postino) {
    for limit in ["0", "-1", "101", "2.5"] {
        assert_eq!(postino.run("web", &["broadcasts", "--limit", limit]).code, 2, "{limit}");
    }
}

fn its_json_is_the_response(postino: &Postino) {
    let said = postino.json("ci", &["broadcast", "out"]);
    assert_eq!(said["created"], true);
    let mut feed = postino.json("web", &["broadcasts"]);
    let time = feed["items"][0].as_object_mut().unwrap().remove("timestamp").unwrap();
    assert_eq!(crate::support::plain(time.as_str().unwrap()), "<time>");
    let item = json!({ "id": said["id"], "from": "ci", "body": "out", "kind": "announcement", "via": "cli" });
    assert_eq!(feed, json!({ "items": [item], "unseen": 0, "total": 1, "missed": 0 }));
}

fn a_check_is_one_line_or_nothing(postino: &Postino) {
    postino.run("web", &["check"]).is(0, "", "");
    postino.send("api", "web", "hi");
    let mail = "[postino] 1 unread message(s) (newest from api). `postino read` shows them.\n";
    postino.run("web", &["check"]).is(0, mail, "");
    postino.run("web", &["check"]).is(0, mail, "");
    postino.run("ci", &["broadcast", "out"]);
    postino.run("api", &["send", "web", "now", "--urgent"]);
    let both = "[postino] 2 unread message(s) (1 urgent, newest from api), 1 new broadcast(s) (newest from ci). \
                `postino read` and `postino broadcasts` show them.\n";
    postino.run("web", &["check"]).is(0, both, "");
    postino.run("web", &["read"]);
    let feed = "[postino] 1 new broadcast(s) (newest from ci). `postino broadcasts` shows them.\n";
    postino.run("web", &["check"]).is(0, feed, "");
    postino.run("web", &["broadcasts"]);
    postino.run("web", &["check"]).is(0, "", "");
}

fn a_check_tells_by_its_exit_code(postino: &Postino) {
    postino.run("web", &["check", "--exit-code"]).is(4, "", "");
    postino.send("api", "web", "hi");
    assert_eq!(postino.run("web", &["check", "--exit-code"]).code, 0);
    assert_eq!(postino.run("web", &["read", "--lease", "60"]).code, 0);
    // Held mail is nothing new.
    postino.run("web", &["check", "--exit-code"]).is(4, "", "");
}

fn a_checks_json_always_answers(postino: &Postino) {
    let nothing = json!({ "agent": "web", "unreadMessages": 0, "unseenBroadcasts": 0, "urgent": 0, "arrivals": 0 });
    assert_eq!(postino.json("web", &["check"]), nothing);
    assert_eq!(postino.run("web", &["check", "--exit-code", "--json"]).code, 4);
    let id = postino.send("api", "web", "hi");
    let news = postino.json("web", &["check"]);
    assert_eq!((&news["unreadMessages"], &news["newestMessage"]), (&json!(1), &json!({ "id": id, "from": "api" })));
}
