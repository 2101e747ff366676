//! Any head and any body of a request, from the guards to the operation. How bytes become a head is the library's affair, and
//! is tried on sockets by the tests.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tiny_http::{Header, Request, TestRequest};

use super::answer::Answer;
use super::call::Call;
use super::guard::is_friend;
use super::head::{Head, Verb};
use super::routes::ROUTES;
use super::way::{Step, prepare};
use super::{Desk, Site, Token, fields};
use crate::error::{Error, Kind, Result};
use crate::fuzz::input::Input;
use crate::model::{Millis, Via};
use crate::ops::Machine;
use crate::store::{Holder, Policy, Store};

const TOKEN: &str = "0123456789abcdef-token";
const FRIEND: &str = "https://tools.example";
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "TRACE", "get"];
/// Headers that the guards look at, so that a fuzzer need not spell them.
const NAMES: [&str; 10] = [
    "Host",
    "Origin",
    "Sec-Fetch-Site",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Authorization",
    "X-Postino-Token",
    "Cookie",
    "Idempotency-Key",
];

/// A body, and blanks behind it, so that as much can be read as is announced.
const BODY: &str =
    concat!(r#"{"to":"bob","body":"hi"}"#, "                                                                ");

/// A desk without a store.
struct Bare;

impl Desk for Bare {
    fn store(&self) -> Result<Arc<dyn Store>> {
        Err(Error::new(Kind::Unreachable, "there is no store here"))
    }

    fn recover(&self, _: &Arc<dyn Store>, error: Error) -> Result<()> {
        Err(error)
    }

    fn machine(&self) -> &(dyn Machine + Send + Sync) {
        self
    }
}

impl Machine for Bare {
    fn now(&self) -> Millis {
        Millis(1_800_000_000_000)
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn random(&self) -> u128 {
        7
    }

    fn is_gone(&self, _: &Holder) -> bool {
        false
    }
}

/// A server with or without a token, and with or without a friend of another origin.
fn site(token: bool, friend: bool) -> Site {
    let policy = Policy { ttl: Duration::from_secs(60), max_inbox: 10, max_broadcasts: 10, max_deliveries: 3 };
    Site {
        desk: Box::new(Bare),
        address: SocketAddr::from(([127, 0, 0, 1], 3_333)),
        names: vec!["mail.example".to_owned()],
        token: token.then(|| Token::new(TOKEN).ok()).flatten(),
        cors_origin: friend.then(|| FRIEND.to_owned()),
        max_body: 1 << 20,
        host: "host".to_owned(),
        policy,
        lease: Duration::from_secs(300),
    }
}

/// A request is refused, or everything that the guards promise is true of it; whatever answers it is an answer.
pub fn http(bytes: &[u8]) {
    static SITES: OnceLock<[Site; 4]> = OnceLock::new();
    let sites =
        SITES.get_or_init(|| [(false, false), (false, true), (true, false), (true, true)].map(|(t, f)| site(t, f)));
    let mut input = Input::new(bytes);
    let flags = usize::from(input.byte());
    let site = &sites[flags % 4];
    if flags & 4 != 0 {
        return body(site, &mut input);
    }
    let Some(mut request) = request(&mut input) else { return };
    match prepare(site, &mut request) {
        Err(refusal) => assert_answer(&refusal, 400),
        Ok(Step::Ready(answer)) => {
            assert_guarded(site, &Head::of(&request), false);
            assert_answer(&answer, 200);
        }
        Ok(Step::Events) => assert_guarded(site, &Head::of(&request), true),
        Ok(Step::Call(route, call)) => {
            assert_guarded(site, &Head::of(&request), true);
            assert!(Head::of(&request).verb() == Some(route.verb));
            let Err(failure) = (route.run)(call) else { panic!("an operation succeeded without a store") };
            assert_answer(&failure, 400);
        }
    }
}

/// A head of the input's; its peer is far away, for otherwise the system would be asked who that is. `None` for what the
/// library answers itself, or would set aside memory for.
fn request(input: &mut Input<'_>) -> Option<Request> {
    let method = input.one_of(&METHODS);
    let path = input.text();
    let mut request = TestRequest::new().with_method(method.parse().ok()?).with_path(&path);
    request = request.with_remote_addr(SocketAddr::from(([192, 0, 2, 1], 9)));
    let mut has_body = method == "POST";
    while !input.is_empty() {
        let name = usize::from(input.byte());
        let value = input.text();
        let header = match NAMES.get(name) {
            Some(name) => Header::from_bytes(*name, value),
            None => value.split_once(':').map_or(Err(()), |(name, value)| Header::from_bytes(name, value)),
        };
        let header = header.ok()?;
        if header.field.equiv("Content-Length") {
            has_body = true;
            if header.value.as_str().parse::<usize>().is_ok_and(|length| length > BODY.len()) {
                return None;
            }
        }
        if header.field.equiv("Expect") {
            return None;
        }
        request = request.with_header(header);
    }
    // What only looks has no body, or it would be refused for that.
    Some(request.with_body(if has_body { BODY } else { "" }).into())
}

/// What was let in: one host, which is this server; no page of another site where something changes or can be read; a token
/// where there is one.
fn assert_guarded(site: &Site, head: &Head<'_>, is_api: bool) {
    let hosts: Vec<&str> = head.headers("Host").collect();
    assert!(hosts.len() == 1);
    let host = hosts[0].to_ascii_lowercase();
    let ours = ["127.0.0.1:3333", "localhost:3333", "[::1]:3333"].contains(&host.as_str());
    assert!(ours || host == "mail.example" || host.starts_with("mail.example:"), "{host:?}");
    assert!(head.headers("Content-Length").count() <= 1);
    let is_friend = is_friend(site, head);
    if (is_api || head.verb() != Some(Verb::Get)) && !is_friend {
        assert!(
            head.headers("Sec-Fetch-Site").all(|from| matches!(from, "same-origin" | "none")),
            "{:?}",
            head.target()
        );
    }
    let is_read = head.verb() == Some(Verb::Get) && head.segments().is_some_and(|path| path != ["api", "events"]);
    if !is_read && !is_friend {
        let own = |origin: &str| origin.to_ascii_lowercase().split_once("://").is_some_and(|(_, named)| named == host);
        assert!(head.headers("Origin").all(own), "{:?}", head.target());
    }
    if head.verb() == Some(Verb::Post) {
        assert!(head.header("Content-Type").is_some_and(|kind| kind.to_ascii_lowercase().contains("application/json")));
    }
    if site.token.is_some() && is_api {
        let said = ["Authorization", "X-Postino-Token", "Cookie"].map(|name| head.headers(name).collect::<String>());
        assert!(said.iter().any(|value| value.contains(TOKEN)), "{:?}", head.target());
    }
}

/// A body and a query of any route: fields that fit make the operation's request, others are named.
fn body(site: &Site, input: &mut Input<'_>) {
    let route = &ROUTES[usize::from(input.byte()) % ROUTES.len()];
    let parts = vec![input.text(), input.text()];
    let found = match route.verb {
        Verb::Post => fields::of_body(input.rest(), route.fields),
        Verb::Get | Verb::Delete => {
            let mut pairs = Vec::new();
            while !input.is_empty() {
                pairs.push((input.text(), input.text()));
            }
            fields::of_query(pairs, route.fields)
        }
    };
    let fields = match found {
        Ok(fields) => fields,
        Err(refusal) => return assert_answer(&refusal, 400),
    };
    let call = Call { site, via: Via::Http, parts, fields, known: route.fields };
    let Err(failure) = (route.run)(call) else { panic!("an operation succeeded without a store") };
    assert_answer(&failure, 400);
}

/// A status that is meant, headers that end where they should, a body that is what it says.
fn assert_answer(answer: &Answer, least: u16) {
    let (status, headers, body) = answer.parts();
    assert!(
        [200, 204, 303, 400, 401, 403, 404, 405, 413, 415, 431, 503].contains(&status) && status >= least,
        "{status}"
    );
    for (name, value) in headers {
        assert!(
            !name.contains(|c: char| c.is_control()) && !value.contains(|c: char| c.is_control()),
            "{name}: {value}"
        );
    }
    let text = String::from_utf8_lossy(body);
    if status >= 400 {
        let read: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        assert!(read.is_some_and(|read| read["ok"] == false && read["error"]["message"].is_string()), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status that a GET with these headers is refused with; 200 when the guards let it in.
    fn status(path: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = TestRequest::new().with_path(path).with_remote_addr(SocketAddr::from(([192, 0, 2, 1], 9)));
        for (name, value) in headers.iter().chain(&[("Host", "127.0.0.1:3333")]) {
            request = request.with_header(Header::from_bytes(*name, *value).unwrap());
        }
        let site = site(false, false);
        prepare(&site, &mut request.into()).map_or_else(|refusal| refusal.parts().0, |_| 200)
    }

    #[test]
    fn no_spelling_of_a_path_gets_past_the_guards() {
        for path in
            ["/api/agents", "/%61pi/agents", "//api/agents", "/%61%70%69/agents", "/api/events", "/ap%69/events"]
        {
            assert_eq!(status(path, &[]), 200, "{path}");
            for from in ["cross-site", "same-site"] {
                assert_eq!(status(path, &[("Sec-Fetch-Site", from)]), 403, "{path} {from}");
            }
        }
        for path in ["/api/events", "/%61pi/events", "//api/events", "/api/%65vents"] {
            for origin in ["http://evil.test", "null"] {
                assert_eq!(status(path, &[("Origin", origin)]), 403, "{path} {origin}");
            }
        }
        // A link on another site may lead to the page.
        assert_eq!(status("/inbox/ann", &[("Sec-Fetch-Site", "cross-site")]), 200);
    }
}
