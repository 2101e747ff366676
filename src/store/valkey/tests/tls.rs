//! TLS: a certificate must be signed by somebody who is trusted here, and be for the server's name.

use std::process::Command;

use super::desk::{check, for_each, open};
use crate::store::server::topologies::Authority;

/// Says in a process of its own, which trusts `trusted` alone, how a check at `url` ends.
fn ends(url: &str, trusted: &Authority) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "store::valkey::tests::tls::says_how_a_check_ends", "--ignored", "--nocapture"]);
    command.env("SSL_CERT_FILE", trusted.certificate()).env_remove("SSL_CERT_DIR").env("POSTINO_TEST_URL", url);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.lines().find_map(|line| line.split_once("ends: "));
    said.unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

#[test]
#[ignore = "the other tests here run it, in a process that trusts their authority"]
fn says_how_a_check_ends() {
    #[expect(clippy::disallowed_methods, reason = "the address comes from the test that started this process")]
    let url = std::env::var("POSTINO_TEST_URL").unwrap();
    match check(&open(&url), "bob") {
        Ok(news) => println!("ends: {} unread", news.unread),
        Err(error) => println!("ends: {}", error.message),
    }
}

#[test]
fn a_server_with_a_trusted_certificate_is_used() {
    for_each(|flavor| {
        let authority = Authority::new("IP:127.0.0.1,DNS:localhost");
        let server = authority.serve(flavor);
        for scheme in ["rediss", "valkeys"] {
            for host in ["127.0.0.1", "localhost"] {
                let url = format!("{scheme}://{host}:{}", server.port());
                assert_eq!(ends(&url, &authority), "0 unread");
            }
        }
    });
}

#[test]
fn a_stranger_s_certificate_and_another_name_s_are_refused() {
    for_each(|flavor| {
        let (authority, stranger) = (Authority::new("DNS:elsewhere.example"), Authority::new("IP:127.0.0.1"));
        let server = authority.serve(flavor);
        let url = format!("rediss://:secret@127.0.0.1:{}", server.port());
        let said = ends(&url, &authority);
        assert!(said.ends_with("its certificate is for another name"), "{said}");
        assert!(!said.contains("secret"));
        let said = ends(&url, &stranger);
        assert!(said.ends_with("its certificate is signed by nobody who is trusted here"), "{said}");
    });
}

#[test]
fn a_server_without_tls_is_no_tls_server() {
    for_each(|flavor| {
        let server = crate::store::server::Server::start(flavor, &[]);
        let said = ends(&format!("rediss://127.0.0.1:{}", server.port()), &Authority::new("IP:127.0.0.1"));
        assert!(said.starts_with("cannot reach Valkey at rediss://"), "{said}");
    });
}
