//! Where a token is asked for, and the ways to show it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use serde_json::json;

use super::site::Site;
use crate::support::{Postino, Ran};

const TOKEN: &str = "correct-horse-battery";

#[test]
fn a_server_for_other_machines_needs_a_token() {
    let postino = Postino::new();
    let serve = |variables: &[(&str, &str)]| {
        let mut command = postino.command(&["serve"]);
        Ran::of(command.env("POSTINO_WEB_PORT", "0").envs(variables.iter().copied()))
    };
    for host in
        ["0.0.0.0", "0", "0x0", "000.000.000.000", "0.0", "::", "[::]", "0:0:0:0:0:0:0:0", "::0", "::ffff:0.0.0.0"]
    {
        let ran = serve(&[("POSTINO_WEB_HOST", host)]);
        // A spelling that this system does not know is no host at all.
        assert!(ran.code == 6 || (ran.code == 2 && !["0.0.0.0", "::", "[::]"].contains(&host)), "{host}: {ran:?}");
        assert!(ran.err.contains("try: "), "{host}: {}", ran.err);
        let ran = serve(&[("POSTINO_WEB_HOST", host), ("POSTINO_API_TOKEN", "fifteen-letters")]);
        assert_eq!(ran.code, 6, "{host}: {ran:?}");
        assert!(!ran.err.contains("fifteen"), "{}", ran.err);
    }
    std::fs::write(postino.home().join("empty"), "\n").unwrap();
    for file in ["missing", "empty"] {
        let path = postino.home().join(file).display().to_string();
        assert_eq!(serve(&[("POSTINO_API_TOKEN_FILE", &path)]).code, 6, "{file}");
    }
}

#[test]
fn a_server_that_nobody_could_call_says_which_name_it_misses() {
    let postino = Postino::new();
    let elsewhere = ("POSTINO_WEB_HOST", "127.0.0.2");
    let ran = Ran::of(postino.command(&["serve"]).envs([("POSTINO_WEB_PORT", "0"), elsewhere]));
    assert!(ran.code == 2 && ran.err.contains("POSTINO_WEB_NAMES"), "{ran:?}");
    let site = Site::with(&postino, &[elsewhere, ("POSTINO_WEB_NAMES", "127.0.0.2")]);
    let mut wire = TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), site.port)).unwrap();
    write!(wire, "GET /api/health HTTP/1.1\r\nHost: 127.0.0.2:{}\r\nConnection: close\r\n\r\n", site.port).unwrap();
    let mut reply = String::new();
    wire.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
}

#[test]
fn the_token_is_asked_for_on_every_path_and_shown_in_three_ways() {
    let postino = Postino::new();
    let path = postino.home().join("token");
    std::fs::write(&path, format!("{TOKEN}\n")).unwrap();
    let file = path.display().to_string();
    let site = Site::with(&postino, &[("POSTINO_API_TOKEN_FILE", &file), ("POSTINO_WEB_HOST", "0.0.0.0")]);
    let get = |path: &str, headers: &[(&str, &str)]| site.ask("GET", path, headers, "");
    for path in ["/", "/api/stats", "/api/events", "/api/openapi.json", "/nothing", "/open/x", "/open/"] {
        let reply = get(path, &[]);
        reply.bad(401, "denied");
    }
    assert_eq!(get("/api/stats", &[]).header("www-authenticate"), Some("Bearer"));
    let bearer = format!("Bearer {TOKEN}");
    for (header, status) in [
        (("Authorization", bearer.as_str()), 200),
        (("Authorization", "bearer correct-horse-battery"), 200),
        (("X-Postino-Token", TOKEN), 200),
        (("Authorization", TOKEN), 401),
        (("Authorization", "Basic correct-horse-battery"), 401),
        (("Authorization", "Bearer correct-horse-batterz"), 401),
        (("Authorization", "Bearer correct-horse-batter"), 401),
        (("Authorization", "Bearer "), 401),
        (("X-Postino-Token", ""), 401),
        (("X-Postino-Token", "correct-horse-batteryy"), 401),
        (("Cookie", "postino-PORT=correct-horse-battery"), 401),
    ] {
        let header = (header.0, header.1.replace("PORT", &site.port.to_string()));
        assert_eq!(get("/api/stats", &[(header.0, &header.1)]).status, status, "{header:?}");
    }
    let mail = json!({"to": "web", "body": "hi"}).to_string();
    let head = [("Content-Type", "application/json"), ("X-Postino-Token", TOKEN)];
    assert_eq!(site.ask("POST", "/api/messages", &head[..1], &mail).status, 401);
    site.ask("POST", "/api/messages", &head, &mail).good();
    assert_eq!(get("/api/messages/web", &head[1..]).good()["total"], 1);
    assert!(!get("/", &head[1..]).text().contains(TOKEN) && !site.said.contains(TOKEN));
}

#[test]
fn a_link_gives_the_cookie_once() {
    let postino = Postino::new();
    let site = Site::with(&postino, &[("POSTINO_API_TOKEN", TOKEN)]);
    let link = site.said.split_once("/open/").unwrap().1.split_whitespace().next().unwrap();
    let path = format!("/open/{link}");
    // A wrong one uses nothing up.
    let open = |path: &str| site.ask("GET", path, &[], "");
    open(&format!("{path}0")).bad(401, "denied");
    let opened = open(&path);
    assert_eq!((opened.status, opened.header("location")), (303, Some("/")));
    let cookie = opened.header("set-cookie").unwrap();
    assert!(cookie.starts_with(&format!("postino-{}=", site.port)) && !cookie.contains(TOKEN), "{cookie}");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    open(&path).bad(401, "denied");
    let cookie = cookie.split(';').next().unwrap();
    let page = site.ask("GET", "/", &[("Cookie", &format!("theme=dark; {cookie}"))], "");
    assert_eq!(page.status, 200);
    for wrong in
        [cookie.replace("postino-", "postino-1"), cookie[..cookie.len() - 1].to_owned(), format!("{cookie}; {cookie}")]
    {
        assert_eq!(site.ask("GET", "/", &[("Cookie", &wrong)], "").status, 401, "{wrong}");
    }
}
