//! `postino history` and `show`.

use serde_json::json;

use crate::support::{Postino, on_each_store};

on_each_store!(
    history_shows_ones_own_newest_first,
    history_can_be_narrowed,
    history_goes_back_in_pages,
    one_message_is_shown_with_its_story,
    what_is_not_there_is_not_found,
);

/// Bodies of a history, newest first.
fn bodies(postino: &Postino, args: &[&str]) -> Vec<String> {
    let answer = postino.json("api", &[&["history"], args].concat());
    let items = answer["items"].as_array().unwrap();
    items.iter().map(|item| item["body"].as_str().unwrap().to_owned()).collect()
}

fn history_shows_ones_own_newest_first(postino: &Postino) {
    postino.run("api", &["history"]).is(0, "", "");
    postino.send("api", "web", "one");
    postino.run("web", &["read"]);
    postino.send("web", "api", "two\nlines");
    postino.send("web", "ci", "not mine");
    let wanted = "from web to api  just now  <id>  waiting\n  two\n  lines\n\n\
                  from api to web  just now  <id>  taken by web just now\n  one\n";
    postino.run("api", &["history"]).is(0, wanted, "");
}

fn history_can_be_narrowed(postino: &Postino) {
    let first = postino.send("api", "web", "to web");
    postino.send("api", "ci", "to ci");
    postino.send("web", "ci", "among others");
    postino.run("web", &["send", "api", "answer", "--reply-to", &first, "-q"]);
    assert_eq!(bodies(postino, &["--with", "web"]), ["answer", "to web"]);
    assert_eq!(bodies(postino, &["--thread", &first]), ["answer", "to web"]);
    assert_eq!(bodies(postino, &["--all"]), ["answer", "among others", "to ci", "to web"]);
    assert_eq!(postino.run("api", &["history", "--all", "--with", "web"]).code, 2);
}

fn history_goes_back_in_pages(postino: &Postino) {
    let ids: Vec<String> = ["one", "two", "three"].iter().map(|body| postino.send("api", "web", body)).collect();
    assert_eq!(bodies(postino, &["--limit", "2"]), ["three", "two"]);
    assert_eq!(bodies(postino, &["--before", &ids[1]]), ["one"]);
    for limit in ["0", "-1", "201", "2.5"] {
        assert_eq!(postino.run("api", &["history", "--limit", limit]).code, 2, "{limit}");
    }
}

fn one_message_is_shown_with_its_story(postino: &Postino) {
    let id = postino.send("api", "web", "hi\x1b[2J\n");
    let head = "id        <id>\nfrom      api\nto        web\nsent      <time> by command line\n";
    let wanted = format!("{head}standing  waiting\nthread    <id>\n\n  hi\\x1b[2J\n");
    postino.run("ci", &["show", &id]).is(0, &wanted, "");
    postino.run("web", &["read", "-q"]);
    let shown = postino.run("ci", &["show", &id]);
    assert!(
        shown.out.contains("standing    taken by web <time>\n") && shown.out.contains("deliveries  1\n"),
        "{}",
        shown.out
    );
    let record = postino.json("ci", &["show", &id]);
    assert_eq!((&record["id"], &record["standing"], &record["takenBy"]), (&json!(id), &json!("taken"), &json!("web")));
    assert_eq!(postino.run("ci", &["show", &id, "--raw"]).bytes, b"hi\x1b[2J\n");
}

fn what_is_not_there_is_not_found(postino: &Postino) {
    let id = "0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11";
    let hint = "  try: messages are kept for their TTL; `postino history` lists what is there\n";
    postino.run("api", &["show", id]).is(3, "", &format!("postino: there is no message <id>\n{hint}"));
    for nonsense in ["1", "../../x", "0190B2C4-8A31-7C3E-9F10-2B6F0F5D9A11"] {
        assert_eq!(postino.run("api", &["show", nonsense]).code, 2, "{nonsense}");
    }
}
