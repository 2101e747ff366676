//! What each route does, on every store.

use serde_json::{Value, json};

use super::site::Site;
use crate::support::{Postino, on_each_store};

/// An id that no message has.
const NOBODY: &str = "0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11";

on_each_store!(
    mail_goes_its_way,
    leases_are_held_and_settled,
    broadcasts_are_told_and_read,
    the_past_and_the_counts_are_shown,
    looking_changes_nothing,
    a_full_mailbox_refuses_and_says_when_to_try_again,
    a_rename_takes_the_mail_along,
);

fn mail_goes_its_way(postino: &Postino) {
    let site = Site::of(postino);
    let sent = site
        .post("/api/messages", &json!({"to": "web", "body": "hi\n\u{0}é", "from": "ci-bot", "urgent": true}))
        .good();
    assert_eq!((&sent["created"], &sent["recipient"], &sent["waiting"]), (&json!(true), &json!("unknown"), &json!(1)));
    let news = site.get("/api/check/web").good();
    assert_eq!((&news["unreadMessages"], &news["urgent"], &news["agent"]), (&json!(1), &json!(1), &json!("web")));
    assert_eq!(news["newestMessage"], json!({"id": sent["id"], "from": "ci-bot"}));
    // The command line and the server share the store.
    let mail = postino.json("web", &["read"]);
    assert_eq!((&mail["messages"][0]["body"], &mail["messages"][0]["via"]), (&json!("hi\n\u{0}é"), &json!("http")));
    let answer = json!({"to": "ci-bot", "body": "yes", "replyTo": sent["id"]});
    let answer = site.post("/api/messages", &answer).good();
    let read = site.post("/api/messages/ci-bot/read", &json!({})).good();
    let message = &read["messages"][0];
    assert_eq!((&message["from"], &message["thread"], &message["id"]), (&json!("web-ui"), &sent["id"], &answer["id"]));
    assert_eq!((read["remaining"].as_u64(), message.get("receipt")), (Some(0), None));
    // Taken, because the answer arrived.
    crate::server::until("the mail is acknowledged", || {
        let shown = site.get(&format!("/api/history/{}", answer["id"].as_str().unwrap())).good();
        shown["standing"] == "taken" && shown["takenBy"] == "ci-bot"
    });
}

fn leases_are_held_and_settled(postino: &Postino) {
    let site = Site::of(postino);
    for body in ["one", "two", "three"] {
        site.post("/api/messages", &json!({"to": "web", "body": body})).good();
    }
    let peeked = site.post("/api/messages/web/read", &json!({"peek": true, "limit": 2})).good();
    assert_eq!((peeked["messages"].as_array().unwrap().len(), &peeked["remaining"]), (2, &json!(1)));
    let held = site.post("/api/messages/web/read", &json!({"lease": 60})).good();
    let receipts: Vec<&Value> =
        held["messages"].as_array().unwrap().iter().map(|message| &message["receipt"]).collect();
    assert_eq!(receipts.len(), 3);
    let settle = |what: &str, receipt: &Value| {
        site.post(&format!("/api/messages/web/{what}"), &json!({"receipts": [receipt]})).good()
    };
    assert_eq!(settle("ack", receipts[0])["done"], json!([receipts[0]]));
    assert_eq!(settle("release", receipts[1])["done"], json!([receipts[1]]));
    let longer = json!({"receipts": [receipts[2], receipts[1]], "seconds": 100});
    let longer = site.post("/api/messages/web/extend", &longer).good();
    assert_eq!((&longer["done"], &longer["stale"]), (&json!([receipts[2]]), &json!([receipts[1]])));
    let listed = site.get("/api/messages/web?limit=1").good();
    assert_eq!(
        (&listed["total"], &listed["items"][0]["body"], &listed["items"][0]["standing"]),
        (&json!(2), &json!("two"), &json!("waiting"))
    );
    let id = listed["items"][0]["id"].as_str().unwrap();
    assert_eq!(site.get(&format!("/api/messages/web?after={id}")).good()["items"][0]["standing"], "leased");
    site.delete(&format!("/api/messages/web/{id}")).good();
    site.delete(&format!("/api/messages/web/{id}")).bad(404, "notFound");
    assert_eq!(site.delete("/api/messages/web").good()["count"], 1);
    assert_eq!(site.get("/api/messages/web").good()["total"], 0);
}

fn broadcasts_are_told_and_read(postino: &Postino) {
    let site = Site::of(postino);
    let told = site.post("/api/broadcasts", &json!({"from": "ci-bot", "body": "freeze"})).good();
    let seen = |query: &str| site.get(&format!("/api/broadcasts{query}")).good();
    for _ in 0..2 {
        assert_eq!(seen("?agent=web")["items"][0]["id"], told["id"]);
        assert_eq!(seen("?agent=ci-bot")["items"], json!([]));
        assert_eq!(seen("")["items"].as_array().unwrap().len(), 1);
    }
    assert_eq!(postino.json("web", &["check"])["unseenBroadcasts"], 1);
    let read = site.post("/api/broadcasts/read", &json!({"from": "web"})).good();
    assert_eq!((&read["items"][0]["body"], &read["unseen"]), (&json!("freeze"), &json!(0)));
    assert_eq!(seen("?agent=web")["items"], json!([]));
    assert_eq!(seen("?agent=web&all=true")["items"].as_array().unwrap().len(), 1);
    assert_eq!(site.delete("/api/broadcasts").good()["count"], 1);
    assert_eq!(seen("")["items"], json!([]));
}

fn the_past_and_the_counts_are_shown(postino: &Postino) {
    let site = Site::of(postino);
    let health = site.get("/api/health").good();
    assert_eq!(health["reachable"], true);
    let first = site.post("/api/messages", &json!({"to": "web", "body": "one", "from": "api"})).good();
    site.post("/api/messages", &json!({"to": "api", "body": "two", "from": "web", "replyTo": first["id"]})).good();
    site.post("/api/messages", &json!({"to": "api", "body": "three", "from": "ci-bot"})).good();
    let bodies = |query: &str| {
        let items = site.get(&format!("/api/history{query}")).good()["items"].clone();
        items.as_array().unwrap().iter().map(|item| item["body"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(bodies(""), ["three", "two", "one"]);
    assert_eq!(bodies("?agent=web"), ["two", "one"]);
    assert_eq!(bodies("?agent=api&with=ci-bot"), ["three"]);
    assert_eq!(bodies(&format!("?thread={}", first["id"].as_str().unwrap())), ["two", "one"]);
    assert_eq!(bodies("?limit=1"), ["three"]);
    site.get(&format!("/api/history/{NOBODY}")).bad(404, "notFound");
    let agents = site.get("/api/agents").good();
    let names: Vec<_> =
        agents["items"].as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap()).collect();
    assert_eq!((names, &agents["online"]), (vec!["api", "ci-bot", "web"], &json!(3)));
    assert_eq!(site.get("/api/agents?after=api&limit=1").good()["items"][0]["name"], "ci-bot");
    assert_eq!(site.get("/api/stats").good()["sent"], 3);
    for _ in 0..5 {
        let held = site.post("/api/messages/web/read", &json!({"lease": 60})).good();
        let receipt = &held["messages"][0]["receipt"];
        site.post("/api/messages/web/release", &json!({"receipts": [receipt]})).good();
    }
    let dead = site.get("/api/dead?agent=web").good();
    assert_eq!((&dead["items"][0]["id"], dead["items"].as_array().unwrap().len()), (&first["id"], 1));
}

fn looking_changes_nothing(postino: &Postino) {
    let site = Site::of(postino);
    let sent = site.post("/api/messages", &json!({"to": "web", "body": "one", "from": "api"})).good();
    site.post("/api/broadcasts", &json!({"from": "api", "body": "freeze"})).good();
    let id = sent["id"].as_str().unwrap();
    let state = || {
        let mut agents = site.get("/api/agents").good();
        for agent in agents["items"].as_array_mut().unwrap() {
            agent["lastSeen"].as_str().inspect(|seen| assert!(seen.ends_with('Z')));
        }
        let check = site.get("/api/check/web").good();
        (agents, check, site.get("/api/messages/web").good(), site.get("/api/stats").good())
    };
    let before = state();
    for path in [
        "/",
        "/inbox/web",
        "/api/health",
        "/api/stats",
        "/api/agents",
        "/api/history",
        "/api/dead?agent=web",
        "/api/check/web",
        "/api/check/stranger",
        "/api/messages/web",
        "/api/messages/stranger",
        "/api/broadcasts",
        "/api/broadcasts?agent=web",
        "/api/broadcasts?agent=stranger&all=false",
        "/api/openapi.json",
        &format!("/api/history/{id}"),
        "/api/messages",
        "/api/rename",
        "/api/messages/web/read",
        &format!("/api/messages/web/{id}"),
    ] {
        site.get(path);
        site.ask("HEAD", path, &[("Connection", "close")], "");
    }
    assert_eq!(state(), before);
}

fn a_full_mailbox_refuses_and_says_when_to_try_again(postino: &Postino) {
    let site = Site::with(postino, &[("POSTINO_MAX_INBOX", "2")]);
    let mail = json!({"to": "web", "body": "one"});
    site.post("/api/messages", &mail).good();
    site.post("/api/messages", &mail).good();
    let refused = site.post("/api/messages", &mail);
    refused.bad(429, "full");
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() > 0);
    assert_eq!(site.get("/api/messages/web").good()["total"], 2);
}

fn a_rename_takes_the_mail_along(postino: &Postino) {
    let site = Site::of(postino);
    site.post("/api/messages", &json!({"to": "old", "body": "one"})).good();
    site.post("/api/messages", &json!({"to": "new", "body": "two"})).good();
    let renamed = site.post("/api/rename", &json!({"from": "old", "name": "new"})).good();
    assert_eq!((&renamed["from"], &renamed["name"], &renamed["merged"]), (&json!("old"), &json!("new"), &json!(1)));
    assert_eq!(site.get("/api/messages/new").good()["total"], 2);
    site.post("/api/rename", &json!({"from": "new", "name": "new"})).bad(409, "conflict");
}

#[test]
fn the_contract_is_served() {
    let postino = Postino::new();
    let contract = Site::of(&postino).get("/api/openapi.json").json();
    assert_eq!(contract["openapi"], "3.1.0");
    assert_eq!(contract["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(contract["paths"]["/api/messages/{agent}/read"]["post"]["requestBody"].is_object());
}

#[test]
fn every_path_of_the_contract_stands_in_the_readme() {
    let readme = include_str!("../../../README.md");
    let postino = Postino::new();
    let contract = Site::of(&postino).get("/api/openapi.json").json();
    for path in contract["paths"].as_object().unwrap().keys() {
        let path = path.replace('{', ":").replace('}', "");
        assert!(readme.contains(&format!("`{path}`")), "{path} is not in the README");
    }
}

#[test]
fn a_broadcast_by_curl_reaches_an_agents_next_hook() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    let session = crate::hook::session::Session::start(&postino, "s-1");
    let mut curl = std::process::Command::new("curl");
    curl.args(["-s", "-X", "POST", &format!("http://localhost:{}/api/broadcasts", site.port)]);
    curl.args(["-H", "Content-Type: application/json"]);
    curl.args(["-d", r#"{"from":"ci-bot","body":"Deploy freeze until Monday."}"#]);
    let answer = curl.output().unwrap();
    assert!(String::from_utf8_lossy(&answer.stdout).starts_with(r#"{"ok":true,"id":""#), "{answer:?}");
    assert!(session.prompt().contains("1 new broadcast(s) (newest from ci-bot)"));
}
