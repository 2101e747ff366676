//! Who may ask: a table of heads as they are on the wire.

use serde_json::json;
use sha2::Digest;

use super::site::Site;
use crate::support::Postino;

/// A request's lines, `PORT` for the port, and the status that it gets.
type Row = (&'static str, u16);

/// Heads that only look.
const LOOKS: &[Row] = &[
    // The host that is meant.
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: localhost:PORT\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: LocalHost:PORT\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: [::1]:PORT\n\n", 200),
    ("GET /api/stats HTTP/1.0\nHost: 127.0.0.1:PORT\n\n", 200),
    ("HEAD / HTTP/1.1\nHost: 127.0.0.1:PORT\nConnection: close\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: office.test\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: office.test:8443\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: strict.test:99\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: strict.test\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: strict.test:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: localhost\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: localhost:1\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: localhost:0PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: evil.test:PORT\n\n", 403),
    ("GET / HTTP/1.1\nHost: evil.test:PORT\n\n", 403),
    ("GET /inbox/x HTTP/1.1\nHost: evil.test:PORT\n\n", 403),
    ("GET /nothing HTTP/1.1\nHost: evil.test:PORT\n\n", 403),
    ("GET /api/events HTTP/1.1\nHost: evil.test:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: localhost.evil.test:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1.evil.test:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: evil.test@127.0.0.1:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.2:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: 0.0.0.0:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: 2130706433:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: localhost.:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: ::1:PORT\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: \n\n", 403),
    ("GET /api/stats HTTP/1.1\n\n", 400),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nHost: 127.0.0.1:PORT\n\n", 400),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nHost: evil.test\n\n", 400),
    // Targets in other forms.
    ("GET http://127.0.0.1:PORT/api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 200),
    ("GET http://evil.test/api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 400),
    ("GET http://127.0.0.1:PORT/api/stats HTTP/1.1\nHost: evil.test\n\n", 400),
    ("GET https://127.0.0.1:PORT/api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 400),
    ("GET api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 400),
    ("OPTIONS * HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 400),
    ("CONNECT 127.0.0.1:PORT HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 400),
    ("GET /api/messages/%zz HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 400),
    ("GET /api/messages/%2e%2e%2fx HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 400),
    ("GET /api/../api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 404),
    // Lengths and encodings that two readers may read in two ways.
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 0\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 0\nContent-Length: 0\n\n", 400),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: -1\n\n", 400),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: abc\n\n", 400),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 0x0\n\n", 400),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 2\n\n{}", 400),
    ("POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: +2\n\n{}", 400),
    ("POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 2\nTransfer-Encoding: chunked\n\n0\n\n", 400),
    ("POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nTransfer-Encoding: gzip, chunked\n\n0\n\n", 400),
    ("POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nTransfer-Encoding: cow\n\n0\n\n", 400),
    (
        "POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n",
        400,
    ),
    // Another site's page may lead here, and no more.
    ("GET / HTTP/1.1\nHost: 127.0.0.1:PORT\nSec-Fetch-Site: cross-site\n\n", 200),
    ("GET /inbox/x HTTP/1.1\nHost: 127.0.0.1:PORT\nSec-Fetch-Site: same-site\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nSec-Fetch-Site: same-origin\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nSec-Fetch-Site: none\n\n", 200),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nSec-Fetch-Site: cross-site\n\n", 403),
    ("GET /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nSec-Fetch-Site: same-site\n\n", 403),
    ("GET /api/events HTTP/1.1\nHost: 127.0.0.1:PORT\nSec-Fetch-Site: cross-site\n\n", 403),
    ("GET /api/events HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://evil.test\n\n", 403),
    ("GET /api/events HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: null\n\n", 403),
    // Methods that nobody knows.
    ("PUT /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 405),
    ("PATCH / HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 405),
    ("TRACE /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 405),
    ("OPTIONS /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://evil.test\n\n", 403),
    ("OPTIONS /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 405),
    ("POST /api/stats HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Type: application/json\nContent-Length: 2\n\n{}", 405),
    ("BREW /api/nothing HTTP/1.1\nHost: 127.0.0.1:PORT\n\n", 404),
];

/// What a sender's head says besides host and length, and the status that it gets.
const SENDS: &[Row] = &[
    ("Content-Type: application/json", 200),
    ("Content-Type: APPLICATION/JSON; charset=utf-8", 200),
    ("Content-Type: application/json\nOrigin: http://127.0.0.1:PORT", 200),
    ("Content-Type: application/json\nOrigin: https://127.0.0.1:PORT", 200),
    ("Content-Type: application/json\nOrigin: http://127.0.0.1:PORT\nSec-Fetch-Site: same-origin", 200),
    ("Content-Type: application/json\nSec-Fetch-Site: none", 200),
    ("Content-Type: application/json\nOrigin: http://localhost:PORT", 403),
    ("Content-Type: application/json\nOrigin: http://127.0.0.1", 403),
    ("Content-Type: application/json\nOrigin: http://127.0.0.1:1", 403),
    ("Content-Type: application/json\nOrigin: http://evil.test", 403),
    ("Content-Type: application/json\nOrigin: http://127.0.0.1:PORT.evil.test", 403),
    ("Content-Type: application/json\nOrigin: null", 403),
    ("Content-Type: application/json\nOrigin: ", 403),
    ("Content-Type: application/json\nOrigin: file://", 403),
    ("Content-Type: application/json\nOrigin: http://127.0.0.1:PORT\nOrigin: http://evil.test", 403),
    ("Content-Type: application/json\nSec-Fetch-Site: cross-site", 403),
    ("Content-Type: application/json\nSec-Fetch-Site: same-site", 403),
    ("Content-Type: application/json\nSec-Fetch-Site: same-origin\nSec-Fetch-Site: cross-site", 403),
    ("Content-Type: application/json\nOrigin: http://127.0.0.1:PORT\nSec-Fetch-Site: cross-site", 403),
    ("Content-Type: text/plain", 415),
    ("Content-Type: application/x-www-form-urlencoded", 415),
    ("Content-Type: multipart/form-data; boundary=x", 415),
    ("Content-Type: application/jsonx", 415),
    ("Content-Type: application/json, text/plain", 415),
    ("Content-Type: application/json\nContent-Type: text/plain", 415),
    ("Accept: */*", 415),
];

/// What every answer carries.
fn is_guarded(reply: &super::site::Reply) -> bool {
    let policy = reply.header("content-security-policy").unwrap_or_default();
    let is = |name: &str, value: &str| reply.header(name) == Some(value);
    policy.starts_with("default-src 'none'")
        && policy.contains("frame-ancestors 'none'")
        && is("x-content-type-options", "nosniff")
        && is("referrer-policy", "no-referrer")
        && is("cache-control", "no-store")
        && is("cross-origin-resource-policy", "same-origin")
        && reply.header("access-control-allow-origin").is_none()
}

#[test]
fn each_head_gets_what_it_deserves() {
    let postino = Postino::new();
    let site = Site::with(&postino, &[("POSTINO_WEB_NAMES", "office.test, strict.test:99")]);
    // Live events have no end: of them only refusals are in the table.
    for (head, status) in LOOKS {
        let reply = site.raw(head);
        assert_eq!(reply.status, *status, "{head}{}", reply.text());
        assert!(is_guarded(&reply), "{head}{reply:?}");
    }
    let mut stored = 0;
    for (lines, status) in SENDS {
        let body = r#"{"to":"web","body":"hi"}"#;
        let length = body.len();
        let head =
            format!("POST /api/messages HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: {length}\n{lines}\n\n{body}");
        let reply = site.raw(&head);
        assert_eq!(reply.status, *status, "{lines}\n{}", reply.text());
        assert!(is_guarded(&reply), "{lines}\n{reply:?}");
        stored += u64::from(*status == 200);
        assert_eq!(site.get("/api/messages/web").good()["total"], stored, "{lines}");
    }
    for (path, lines) in
        [("/api/messages/web", "Origin: http://evil.test"), ("/api/broadcasts", "Sec-Fetch-Site: cross-site")]
    {
        let reply = site.raw(&format!("DELETE {path} HTTP/1.1\nHost: 127.0.0.1:PORT\n{lines}\n\n"));
        assert_eq!(reply.status, 403);
    }
    assert_eq!(site.get("/api/messages/web").good()["total"], stored);
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    let host = format!("Host: 127.0.0.1:{}", site.port);
    let long = "x".repeat(20_000);
    let many: String = (0..150).map(|n| format!("X-{n}: y\n")).collect();
    for head in [
        format!("GET /{long} HTTP/1.1\n{host}\n\n"),
        format!("GET / HTTP/1.1\n{host}\nX-Long: {long}\n\n"),
        format!("GET / HTTP/1.1\n{host}\n{many}\n"),
    ] {
        let reply = site.raw(&head);
        reply.bad(431, "usage");
        assert!(is_guarded(&reply));
    }
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    let reply = site.raw("PUT /api/messages/web HTTP/1.1\nHost: 127.0.0.1:PORT\n\n");
    assert_eq!(reply.header("allow"), Some("GET, HEAD, DELETE"));
    assert_eq!(
        reply.json(),
        json!({"ok": false, "error": {
            "kind": "usage",
            "message": "this path does not take this method",
            "hint": "use GET, HEAD, DELETE",
        }})
    );
}

#[test]
fn the_origin_that_was_set_may_ask_and_no_other() {
    let postino = Postino::new();
    let site = Site::with(&postino, &[("POSTINO_CORS_ORIGIN", "https://tools.example")]);
    let friend =
        [("Origin", "https://tools.example"), ("Sec-Fetch-Site", "cross-site"), ("Content-Type", "application/json")];
    let asked = site.ask("OPTIONS", "/api/messages", &friend[..2], "");
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, Some("https://tools.example")));
    assert!(asked.header("access-control-allow-headers").unwrap().contains("Content-Type"));
    let sent = site.ask("POST", "/api/messages", &friend, r#"{"to":"web","body":"hi"}"#);
    sent.good();
    assert_eq!(sent.header("access-control-allow-origin"), Some("https://tools.example"));
    let failed = site.ask("POST", "/api/messages", &friend, "{}");
    assert_eq!((failed.status, failed.header("access-control-allow-origin")), (400, Some("https://tools.example")));
    for (path, status) in [("/api/events", 200), ("/api/events?page=%3Cb%3E", 400)] {
        let told = site.ask("HEAD", path, &friend[..2], "");
        assert_eq!((told.status, told.header("access-control-allow-origin")), (status, Some("https://tools.example")));
    }
    for origin in ["http://tools.example", "https://tools.example.evil.test", "https://other.example"] {
        for method in ["OPTIONS", "POST"] {
            let reply = site.ask(method, "/api/messages", &[("Origin", origin), friend[1], friend[2]], "{}");
            assert_eq!((reply.status, reply.header("access-control-allow-origin")), (403, None), "{method} {origin}");
        }
    }
}

#[test]
fn the_page_runs_what_was_built_in_and_nothing_else() {
    let postino = Postino::new();
    let site = Site::of(&postino);
    for path in
        ["/", "/inbox/web", "/m/0190b2c4-8a31-7c3e-9f10-2b6f0f5d9a11", "/thread/x", "/broadcasts", "/search?q=x"]
    {
        let page = site.get(path);
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"), "{policy}");
        for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
            let text = page.text();
            let inside = text.split(&format!("<{tag}>")).nth(1).unwrap().split(&format!("</{tag}>")).next().unwrap();
            assert!(policy.contains(&format!("{directive} 'sha256-{}'", sha256(inside))), "{path} {tag}: {policy}");
        }
    }
    assert_eq!(site.get("/inbox").status, 404);
    assert_eq!(site.get("/inbox/a/b").status, 404);
}

/// The hash that a policy names.
fn sha256(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = sha2::Sha256::digest(text.as_bytes());
    let bits: Vec<u8> = digest.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1)).collect();
    let digit = |bits: &[u8]| {
        let padded = bits.iter().chain([0; 6].iter()).take(6);
        char::from(DIGITS[padded.fold(0, |word, bit| word << 1 | usize::from(*bit))])
    };
    bits.chunks(6).map(digit).chain(['=']).collect()
}
