//! `postino ack`, `extend` and `release`.

use serde_json::json;

use crate::support::{Postino, on_each_store};

on_each_store!(
    an_ack_takes_leased_mail,
    an_extended_lease_lives_longer,
    released_mail_comes_again_in_its_place,
    stale_receipts_are_named,
    nonsense_is_no_receipt,
);

/// Sends a message for each body and leases them all; gives the receipts.
fn leased(postino: &Postino, bodies: &[&str], secs: &str) -> Vec<String> {
    for body in bodies {
        postino.send("api", "web", body);
    }
    let answer = postino.json("web", &["read", "--lease", secs]);
    let messages = answer["messages"].as_array().unwrap();
    messages.iter().map(|message| message["receipt"].as_str().unwrap().to_owned()).collect()
}

fn an_ack_takes_leased_mail(postino: &Postino) {
    let receipts = leased(postino, &["one", "two"], "60");
    let both: Vec<&str> = ["ack"].into_iter().chain(receipts.iter().map(String::as_str)).collect();
    postino.run("web", &both).is(0, "acked 2\n", "");
    // Saying it again does no harm.
    postino.run("web", &both).is(0, "acked 2\n", "");
    let stats = postino.json("web", &["stats"]);
    assert_eq!((&stats["taken"], &stats["leased"]), (&json!(2), &json!(0)));
}

fn an_extended_lease_lives_longer(postino: &Postino) {
    let receipts = leased(postino, &["one"], "1");
    postino.run("web", &["extend", &receipts[0], "--seconds", "600"]).is(0, "extended 1\n", "");
    postino.run("web", &["read", "--wait", "2"]).is(4, "", "postino: no mail came within 2 s\n");
    for secs in ["0", "-5", "86401"] {
        assert_eq!(postino.run("web", &["extend", &receipts[0], "--seconds", secs]).code, 2, "{secs}");
    }
}

fn released_mail_comes_again_in_its_place(postino: &Postino) {
    let receipts = leased(postino, &["one", "two"], "60");
    postino.send("api", "web", "three");
    let release = ["release", &receipts[1], &receipts[0], "--json"];
    let wanted = "{\"done\":[\"<receipt>\",\"<receipt>\"],\"stale\":[]}\n";
    postino.run("web", &release).is(0, wanted, "");
    assert_eq!(postino.run("web", &["read", "--raw"]).out, "onetwothree");
}

fn stale_receipts_are_named(postino: &Postino) {
    let receipts = leased(postino, &["one", "two"], "60");
    assert_eq!(postino.run("web", &["release", &receipts[0]]).code, 0);
    let ran = postino.run("web", &["ack", &receipts[0], &receipts[1]]);
    let hint = "  try: a stale receipt's mail was settled before or comes again: postino read --lease SECS\n";
    ran.is(5, "acked 1\n", &format!("postino: stale, so not acked: <receipt>\n{hint}"));
    let never = format!("{}.0123456789abcdef", &receipts[0][..36]);
    let ran = postino.run("web", &["ack", &never, "--json"]);
    assert_eq!((ran.code, ran.json()), (5, json!({ "done": [], "stale": [never] })));
    assert!(ran.err.starts_with("{\"ok\":false,\"error\":{\"kind\":\"stale\","), "{}", ran.err);
    // Somebody else's receipt is none of one's own.
    assert_eq!(postino.run("api", &["ack", &receipts[1]]).code, 5);
}

fn nonsense_is_no_receipt(postino: &Postino) {
    for command in ["ack", "extend", "release"] {
        let hint = "  try: receipts are printed by `postino read --lease SECS`\n";
        postino.run("web", &[command, "x'y"]).is(2, "", &format!("postino: \"x'y\" is not a receipt\n{hint}"));
        assert_eq!(postino.run("web", &[command]).code, 2);
    }
}
