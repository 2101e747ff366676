//! `postino send`.

use crate::support::{Postino, Ran, on_each_store, on_terminal};

on_each_store!(
    it_says_where_the_mail_went,
    it_suggests_a_name_that_is_known,
    its_json_is_the_response,
    a_body_from_stdin_or_a_file_is_kept_byte_for_byte,
    a_key_sends_once,
    a_full_mailbox_refuses,
    an_answer_joins_the_thread,
    a_wait_ends_when_it_was_taken,
    a_wait_that_ends_without_is_a_failure,
);

fn it_says_where_the_mail_went(postino: &Postino) {
    postino.run("api", &["send", "web", "one"]).is(
        0,
        "sent <id> to web (unknown, 1 waiting)\n",
        "postino: nobody has used the name web yet, so the mail waits for it\n",
    );
    postino.run("api", &["send", "web", "two", "-q"]).is(0, "sent <id> to web (unknown, 2 waiting)\n", "");
    postino.meet("web");
    postino.run("api", &["send", "web", "three", "--urgent"]).is(0, "sent <id> to web (idle, 3 waiting)\n", "");
}

fn it_suggests_a_name_that_is_known(postino: &Postino) {
    postino.meet("reviewer");
    let ran = postino.run("api", &["send", "Reviwer", "hi"]);
    let wanted = "postino: nobody has used the name Reviwer yet, so the mail waits for it; did you mean reviewer?\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, wanted));
    let ran = postino.run("api", &["send", "builder", "hi"]);
    assert!(!ran.err.contains("did you mean"), "{}", ran.err);
}

fn its_json_is_the_response(postino: &Postino) {
    postino.meet("web");
    let ran = postino.run("api", &["send", "web", "hi", "--json"]);
    ran.is(0, "{\"id\":\"<id>\",\"created\":true,\"recipient\":\"idle\",\"waiting\":1}\n", "");
    let ran = postino.run("api", &["send", "nobody", "hi", "--json"]);
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (0, "{\"notice\":\"nobody has used the name nobody yet, so the mail waits for it\"}\n")
    );
    assert_eq!(ran.json()["recipient"], "unknown");
}

fn a_body_from_stdin_or_a_file_is_kept_byte_for_byte(postino: &Postino) {
    let body = "\u{feff}one\0two\x1b[31m\r\nthree 🚀\t\n\n".as_bytes();
    let file = postino.home().join("body");
    std::fs::write(&file, body).unwrap();
    for (args, stdin) in [
        (vec!["send", "web"], body),
        (vec!["send", "web", "-"], body),
        (vec!["send", "web", "--file", "-"], body),
        (vec!["send", "web", "--file", file.to_str().unwrap()], b"not this".as_slice()),
    ] {
        assert_eq!(postino.feed("api", &args, stdin).code, 0, "{args:?}");
        assert_eq!(postino.run("web", &["read", "--raw"]).bytes, body, "{args:?}");
    }
}

fn a_key_sends_once(postino: &Postino) {
    postino.meet("web");
    let send = |body| postino.run("api", &["send", "web", body, "--key", "build-7"]);
    let first = send("green");
    first.is(0, "sent <id> to web (idle, 1 waiting)\n", "");
    let again = send("green");
    again.is(0, "had already sent <id> to web (idle, 1 waiting)\n", "");
    let id = |ran: &Ran| {
        String::from_utf8_lossy(&ran.bytes).split(" to ").next().unwrap()[ran.out.find('<').unwrap()..].to_owned()
    };
    assert_eq!(id(&first), id(&again));
    let other = send("red");
    assert_eq!((other.code, other.out.as_str()), (5, ""), "{}", other.err);
    assert!(other.err.starts_with("postino: ") && other.err.contains("key"), "{}", other.err);
}

fn a_full_mailbox_refuses(postino: &Postino) {
    let send = |args: &[&str]| Ran::of(postino.command(args).args(["--agent", "api"]).env("POSTINO_MAX_INBOX", "1"));
    assert_eq!(send(&["send", "web", "one"]).code, 0);
    let refused = send(&["send", "web", "two", "--json"]);
    assert_eq!((refused.code, refused.out.as_str()), (5, ""));
    assert!(refused.err.starts_with("{\"ok\":false,\"error\":{\"kind\":\"full\",\"message\":\""), "{}", refused.err);
}

fn an_answer_joins_the_thread(postino: &Postino) {
    let question = postino.send("api", "web", "may I?");
    let sent = postino.run("web", &["send", "api", "yes", "--reply-to", &question]);
    assert_eq!(sent.code, 0, "{}", sent.err);
    let answer = &postino.json("api", &["read"])["messages"][0];
    assert_eq!((answer["replyTo"].as_str(), answer["thread"].as_str()), (Some(&*question), Some(&*question)));
}

fn a_wait_ends_when_it_was_taken(postino: &Postino) {
    postino.meet("web");
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| postino.run("api", &["send", "web", "hi", "--wait-taken", "30"]));
        let read = postino.run("web", &["read", "--wait", "30"]);
        assert_eq!(read.code, 0, "{}", read.err);
        sender.join().unwrap().is(0, "sent <id> to web (idle, 1 waiting)\ntaken by web just now\n", "");
    });
}

fn a_wait_that_ends_without_is_a_failure(postino: &Postino) {
    postino.meet("web");
    let ran = postino.run("api", &["send", "web", "hi", "--wait-taken", "0"]);
    assert_eq!((ran.code, ran.out.as_str()), (4, "sent <id> to web (idle, 1 waiting)\n"));
    assert!(ran.err.starts_with("postino: message <id> was sent but not taken within 0 s\n  try: "), "{}", ran.err);
}

#[test]
fn without_a_body_a_terminal_is_told_what_to_do() {
    let postino = Postino::new();
    let (code, screen) = on_terminal(&mut postino.command(&["--agent", "api", "send", "web", "--color", "never"]), "");
    let wanted =
        "postino: there is nothing to say\n  try: give the body as an argument, by a pipe, or with --file PATH\n";
    assert_eq!((code, screen.as_str()), (2, wanted));
}

#[test]
fn an_endless_pipe_ends_at_once() {
    let postino = Postino::new();
    let mut command = postino.command(&["--agent", "api", "send", "web"]);
    let ran = Ran::of(command.stdin(std::fs::File::open("/dev/zero").unwrap()));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("32,768"), "{}", ran.err);
}
