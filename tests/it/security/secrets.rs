//! A password in an address, a token and a message's text come out nowhere that they do not belong.

use std::net::TcpListener;

use crate::support::{NOWHERE, Postino, Ran};

const PASSWORD: &str = "geheim-7c3e";
const TEXT: &str = "vertraulich-9f10";

/// Every command that talks to the store, with a text where one goes.
const COMMANDS: [&[&str]; 21] = [
    &["send", "bob", TEXT],
    &["ask", "bob", TEXT, "--timeout", "1"],
    &["read"],
    &["ack", "0190b2c4-0000-7000-8000-000000000001.0000000000000001"],
    &["check"],
    &["broadcast", TEXT],
    &["broadcasts"],
    &["agents"],
    &["whoami"],
    &["rename", "cem"],
    &["history"],
    &["show", "0190b2c4-0000-7000-8000-000000000001"],
    &["dead", "list"],
    &["dead", "retry"],
    &["clear", "--yes"],
    &["cleanup"],
    &["stats"],
    &["store"],
    &["store", "move", "redis://other:geheim-7c3e@127.0.0.1:1"],
    &["doctor"],
    &["hook", "user-prompt-submit", "claude"],
];

fn said(ran: &Ran) -> String {
    format!("{}{}", String::from_utf8_lossy(&ran.bytes), ran.err)
}

/// Runs every command on a store that cannot be used, in every way to say it.
fn nothing_is_told(store: &str) {
    let postino = Postino::on(store);
    for line in COMMANDS {
        for more in [&[][..], &["--json"]] {
            let mut command = postino.command(&[line, more].concat());
            command.env("POSTINO_DEBUG", "1").env("POSTINO_AGENT_NAME", "ann");
            let ran = Ran::of(&mut command);
            let said = said(&ran);
            assert!(!said.contains(PASSWORD), "{store} {line:?}: {said}");
            assert!(!said.contains(TEXT), "{store} {line:?}: {said}");
        }
    }
}

#[test]
fn no_failure_tells_a_password_or_a_text() {
    nothing_is_told(&format!("redis://me:{PASSWORD}@127.0.0.1:1"));
    nothing_is_told(&format!("unix:///nowhere/x.sock?user=me&pass={PASSWORD}"));
    nothing_is_told(&format!("redis+cluster://:{PASSWORD}@127.0.0.1:1,127.0.0.1:2"));
    nothing_is_told(&format!("redis://me:{PASSWORD}@host with blanks:x"));
}

#[test]
fn a_server_that_talks_nonsense_gets_no_secret_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut heard = [0; 4096];
            let n = std::io::Read::read(&mut stream, &mut heard).unwrap_or(0);
            // It gives back what it heard, the password and the text in it, as an error.
            let echo = String::from_utf8_lossy(&heard[..n]).replace(['\r', '\n'], " ");
            let _ = std::io::Write::write_all(&mut stream, format!("-ERR {echo}\r\n").as_bytes());
        }
    });
    let postino = Postino::on(&format!("redis://me:{PASSWORD}@127.0.0.1:{port}"));
    for line in [&["send", "bob", TEXT][..], &["read"], &["stats"], &["store"]] {
        let ran = Ran::of(postino.command(line).env("POSTINO_AGENT_NAME", "ann"));
        assert!(ran.code != 0, "{ran:?}");
        let said = said(&ran);
        assert!(!said.contains(PASSWORD) && !said.contains(TEXT), "{line:?}: {said}");
    }
}

#[test]
fn a_bad_token_is_not_shown() {
    let postino = Postino::on(NOWHERE);
    let token = format!("{PASSWORD};{PASSWORD}");
    for line in [&["check"][..], &["doctor"], &["check", "--json"], &["serve"]] {
        let ran = Ran::of(postino.command(line).env("POSTINO_API_TOKEN", &token));
        let said = said(&ran);
        assert!(said.contains("POSTINO_API_TOKEN") && !said.contains(PASSWORD), "{said}");
    }
}
