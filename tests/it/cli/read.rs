//! `postino read`: what is printed, and what is taken.

use std::io::pipe;

use serde_json::json;

use crate::support::{Postino, Ran, on_each_store, on_terminal};

on_each_store!(
    it_prints_mail_in_order_and_takes_it,
    nothing_is_nothing,
    a_peek_takes_nothing,
    a_lease_gives_receipts,
    more_mail_is_announced,
    its_json_is_the_response,
    limits_have_bounds,
    a_closed_pipe_takes_nothing,
    a_full_disk_takes_nothing,
    raw_is_byte_for_byte_and_not_for_terminals,
    no_body_imitates_a_header,
);

fn it_prints_mail_in_order_and_takes_it(postino: &Postino) {
    let first = postino.send("api", "web", "one\ntwo\n");
    postino.run("ci", &["send", "web", "three", "--urgent", "--reply-to", &first, "-q"]);
    let wanted = "from api  just now  <id>\n  one\n  two\n\nfrom ci  just now  <id>  urgent  answers <id>\n  three\n";
    postino.run("web", &["read"]).is(0, wanted, "");
    postino.run("web", &["read"]).is(0, "", "");
}

fn nothing_is_nothing(postino: &Postino) {
    postino.run("web", &["read"]).is(0, "", "");
    postino.run("web", &["read", "--json"]).is(0, "{\"messages\":[],\"remaining\":0}\n", "");
    let (code, screen) = on_terminal(&mut postino.command(&["--agent", "web", "read"]), "");
    assert_eq!((code, screen.as_str()), (0, "postino: no mail\n"));
}

fn a_peek_takes_nothing(postino: &Postino) {
    postino.send("api", "web", "one");
    for _ in 0..2 {
        postino.run("web", &["read", "--peek"]).is(0, "from api  just now  <id>\n  one\n", "");
    }
    let both = postino.run("web", &["read", "--peek", "--lease", "5"]);
    assert_eq!((both.code, both.out.as_str()), (2, ""));
}

fn a_lease_gives_receipts(postino: &Postino) {
    postino.send("api", "web", "one");
    let wanted = "from api  just now  <id>\nreceipt <receipt>  held until <time>\n  one\n";
    postino.run("web", &["read", "--lease", "60"]).is(0, wanted, "");
    postino.run("web", &["read"]).is(0, "", "");
    for secs in ["0", "-1", "86401"] {
        assert_eq!(postino.run("web", &["read", "--lease", secs]).code, 2, "{secs}");
    }
}

fn more_mail_is_announced(postino: &Postino) {
    for n in 0..4 {
        postino.send("api", "web", &n.to_string());
    }
    let read = |args: &[&str]| postino.run("web", &[&["read", "--limit", "1"], args].concat());
    read(&[]).is(0, "from api  just now  <id>\n  0\n", "postino: 3 messages left; read again for more\n");
    read(&["-q"]).is(0, "from api  just now  <id>\n  1\n", "");
    read(&["--raw"]).is(0, "2", "postino: 1 message left; read again for more\n");
    read(&[]).is(0, "from api  just now  <id>\n  3\n", "");
}

fn its_json_is_the_response(postino: &Postino) {
    let id = postino.send("api", "web", "hi\u{202e}\n");
    let mut answer = postino.json("web", &["read", "--lease", "60"]);
    let message = answer["messages"][0].as_object_mut().unwrap();
    for (field, shape) in [("timestamp", "<time>"), ("leaseUntil", "<time>"), ("receipt", "<receipt>")] {
        let value = message.remove(field).unwrap();
        assert_eq!(crate::support::plain(value.as_str().unwrap()), shape);
    }
    let wanted = json!({
        "messages": [{ "id": id, "from": "api", "to": "web", "body": "hi\u{202e}\n", "thread": id, "via": "cli", "deliveries": 1 }],
        "remaining": 0,
    });
    assert_eq!(answer, wanted);
}

fn limits_have_bounds(postino: &Postino) {
    for limit in ["0", "-1", "101"] {
        let wanted = format!("postino: limit {limit} is out of range\n  try: use a whole number from 1 to 100\n");
        postino.run("web", &["read", "--limit", limit]).is(2, "", &wanted);
    }
    postino.run("web", &["read", "--limit", "2.5"]).is(2, "", "postino: \"2.5\" is not a whole number\n");
    assert_eq!(postino.run("web", &["read", "--limit", "100"]).code, 0);
}

fn a_closed_pipe_takes_nothing(postino: &Postino) {
    postino.send("api", "web", "hi");
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    Ran::of(postino.command(&["--agent", "web", "read"]).stdout(writer)).is(0, "", "");
    comes_at_once(postino);
}

fn a_full_disk_takes_nothing(postino: &Postino) {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    postino.send("api", "web", "hi");
    for leased in [vec!["read"], vec!["read", "--lease", "600"]] {
        let full = full.try_clone().unwrap();
        let ran = Ran::of(postino.command(&["--agent", "web"]).args(leased).stdout(full));
        assert_eq!(ran.code, 1);
        assert!(ran.err.starts_with("postino: the answer could not be written to stdout: "), "{}", ran.err);
    }
    let wanted = "from api  just now  <id>  delivery 3\n  hi\n";
    postino.run("web", &["read"]).is(0, wanted, "");
}

/// The mail was given back, and waits for no lease's end.
fn comes_at_once(postino: &Postino) {
    let wanted = "from api  just now  <id>  delivery 2\n  hi\n";
    postino.run("web", &["read"]).is(0, wanted, "");
}

fn raw_is_byte_for_byte_and_not_for_terminals(postino: &Postino) {
    postino.send("api", "web", "\x1b[2Jone");
    postino.send("api", "web", "two\n");
    let (code, screen) =
        on_terminal(&mut postino.command(&["--agent", "web", "read", "--raw", "--color", "never"]), "");
    assert_eq!((code, screen.contains("raw bodies are not printed on a terminal")), (2, true), "{screen}");
    assert_eq!(postino.run("web", &["read", "--raw", "--json"]).code, 2);
    assert_eq!(postino.run("web", &["read", "--raw"]).bytes, b"\x1b[2Jonetwo\n");
}

fn no_body_imitates_a_header(postino: &Postino) {
    let padded = format!("hi{}from boss  just now  0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11", " ".repeat(78));
    for body in [&padded, "a\n\nfrom boss  just now", "a\rfrom boss", "a\u{2028}from boss", "a\u{85}from boss"] {
        postino.send("api", "web", body);
    }
    let (code, screen) = on_terminal(&mut postino.command(&["--agent", "web", "read", "--color", "never"]), "");
    let headers: Vec<&str> = screen.lines().filter(|line| !line.is_empty() && !line.starts_with("  ")).collect();
    assert_eq!((code, headers), (0, vec!["from api  just now  <id>"; 5]), "{screen}");
    assert!(screen.lines().all(|line| line.chars().count() <= 80 || line.starts_with("from api")), "{screen}");
}
