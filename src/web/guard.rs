//! Who may ask at all: judged before the path is looked at, for every path. It knows heads and settings, no route and no store.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Site;
use super::answer::Answer;
use super::head::{Head, Verb};
use super::peer::{self, Owner};
use crate::error::{Error, Kind};

/// The longest target, in bytes.
const MAX_TARGET: usize = 8 << 10;
/// The longest head, in bytes, and the most headers in it.
const MAX_HEAD: (usize, usize) = (16 << 10, 100);
/// Where live events are; a browser lets other sites open such a stream unasked.
const EVENTS: [&str; 2] = ["api", "events"];

/// `Ok` when the request may go on; else the refusal.
pub(super) fn judge(site: &Site, head: &Head<'_>) -> Result<(), Answer> {
    shape(head)?;
    host(site, head)?;
    caller(site, head)?;
    origin(site, head)
}

/// A refusal in the form of every failure.
pub(super) fn refusal(status: u16, message: &str, hint: &str) -> Answer {
    let kind = if matches!(status, 401 | 403) { Kind::Denied } else { Kind::Usage };
    Answer::failure(status, &Error::new(kind, message).hint(hint), &BTreeMap::new())
}

/// A head that can be read in two ways, or is too long, is refused: who is in between may have read it the other way.
fn shape(head: &Head<'_>) -> Result<(), Answer> {
    let (bytes, count) = head.size();
    if head.target().len() > MAX_TARGET || bytes > MAX_HEAD.0 || count > MAX_HEAD.1 {
        return Err(refusal(431, "the request's head is too long", "send at most 100 headers and 16 KiB"));
    }
    let odd = |what: &str| Err(refusal(400, what, "send a plain HTTP/1.1 request"));
    if head.headers("Host").count() != 1 {
        return odd("the request names no host, or more than one");
    }
    if !head.path().starts_with('/') || head.authority().is_some_and(|named| Some(named) != head.header("Host")) {
        return odd("the request's target is no path of the host that it names");
    }
    // Whoever put one more there may have meant another one.
    for name in ["Idempotency-Key", "Last-Event-ID"] {
        if head.headers(name).nth(1).is_some() {
            return Err(refusal(400, &format!("the request's {name} stands there twice"), "send it once"));
        }
    }
    let mut lengths = head.headers("Content-Length");
    let (length, more) = (lengths.next(), lengths.next());
    if more.is_some() || length.is_some_and(|length| !is_number(length)) {
        return odd("the request's Content-Length is no number, or stands there twice");
    }
    let mut encodings = head.headers("Transfer-Encoding");
    match (encodings.next(), encodings.next()) {
        (None, None) => Ok(()),
        (Some(encoding), None) if encoding.eq_ignore_ascii_case("chunked") && length.is_none() => Ok(()),
        (_, _) => odd("the request's Transfer-Encoding is not just `chunked`"),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A page whose name leads here by a trick says that name.
fn host(site: &Site, head: &Head<'_>) -> Result<(), Answer> {
    let host = head.header("Host").unwrap_or_default().to_ascii_lowercase();
    let (name, port) = split(&host);
    let is_port = port.map_or(site.address.port() == 80, |port| port == site.address.port().to_string());
    let is_ours = is_port && matches!(name, "127.0.0.1" | "localhost" | "[::1]");
    // A name that was set without a port may be called with any, for what stands in front has its own.
    if is_ours || site.names.iter().any(|known| *known == host || known == name) {
        return Ok(());
    }
    Err(refusal(
        403,
        "the request names a host that this server is not",
        "say 127.0.0.1 or localhost with its port, or set POSTINO_WEB_NAMES to the names it has",
    ))
}

/// A host's name and its port.
fn split(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        Some(_) | None => (host, None),
    }
}

/// Where there is a token, whoever knows it may ask. Where there is none, this user may, from this machine.
fn caller(site: &Site, head: &Head<'_>) -> Result<(), Answer> {
    let Some(token) = &site.token else { return owner(site, head) };
    let bearer = head.header("Authorization").and_then(|value| value.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer")).map(|(_, token)| token.trim());
    let port = site.address.port();
    let is_known = bearer.is_some_and(|text| token.is(text))
        || head.header("X-Postino-Token").is_some_and(|text| token.is(text))
        || head.cookie(&cookie_name(port)).is_some_and(|text| token.is_cookie(text, port));
    if is_known || is_link(head) || is_preflight(site, head) {
        return Ok(());
    }
    let hint = "send `Authorization: Bearer TOKEN`, or open the link that `postino serve` gives";
    Err(refusal(401, "the request does not carry this server's token", hint)
        .header("WWW-Authenticate", "Bearer".to_owned()))
}

/// The cookie of the server on a port: cookies do not tell ports apart, servers must.
pub(super) fn cookie_name(port: u16) -> String {
    format!("postino-{port}")
}

fn is_link(head: &Head<'_>) -> bool {
    head.verb() == Some(Verb::Get) && head.path().starts_with("/open/")
}

/// Another user's process on this machine is no guest, where the system can tell.
fn owner(site: &Site, head: &Head<'_>) -> Result<(), Answer> {
    let Some(peer) = head.peer() else { return Ok(()) };
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let port = site.address.port();
    let ours = match (peer.ip(), site.address.ip().to_canonical()) {
        (ip, _) if !ip.is_loopback() => return Ok(()),
        (_, ours) if !ours.is_unspecified() => SocketAddr::new(ours, port),
        (IpAddr::V4(_), _) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port),
        (IpAddr::V6(_), _) => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port),
    };
    match peer::owner(peer, ours) {
        Owner::Us | Owner::Unknown => Ok(()),
        Owner::Other => Err(refusal(
            403,
            "the request comes from another user of this machine",
            "run postino as that user, or set POSTINO_API_TOKEN and give it to them",
        )),
    }
}

/// Whether a browser asks for the origin that was set whether it may ask.
pub(super) fn is_preflight(site: &Site, head: &Head<'_>) -> bool {
    head.is_options() && is_friend(site, head)
}

/// Whether the request comes from a page of the origin that was set.
pub(super) fn is_friend(site: &Site, head: &Head<'_>) -> bool {
    site.cors_origin.is_some() && head.header("Origin") == site.cors_origin.as_deref()
}

/// Other sites' pages neither change nor read anything. They may lead here, for a page shows itself to nobody else.
fn origin(site: &Site, head: &Head<'_>) -> Result<(), Answer> {
    if is_friend(site, head) {
        return Ok(());
    }
    let foreign = || Err(refusal(403, "the request comes from another site's page", "ask from postino's own page"));
    let is_safe = head.verb() == Some(Verb::Get);
    // Judged by what the path means, not by how it is spelled: `/%61pi` leads to the same place.
    let path = head.segments().unwrap_or_default();
    let is_api = path.first().is_some_and(|first| first == "api");
    let is_read = is_safe && path != EVENTS;
    let mut sites = head.headers("Sec-Fetch-Site");
    let same = sites.all(|site| matches!(site, "same-origin" | "none"));
    if !same && (!is_safe || is_api) {
        return foreign();
    }
    let mut origins = head.headers("Origin");
    if !is_read && !origins.all(|origin| is_own(origin, head.header("Host").unwrap_or_default())) {
        return foreign();
    }
    Ok(())
}

/// Whether an origin is the page that this host serves, perhaps with TLS in front.
fn is_own(origin: &str, host: &str) -> bool {
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
}

/// A form of another site can send much, but not this type without asking. What only looks or deletes has no body.
pub(super) fn content(head: &Head<'_>) -> Result<(), Answer> {
    match head.verb() {
        Some(Verb::Post) => {
            let kind = head.header("Content-Type").and_then(|kind| kind.split(';').next()).map(str::trim);
            if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
                return Ok(());
            }
            Err(refusal(415, "the request's body is not said to be JSON", "send `Content-Type: application/json`"))
        }
        Some(Verb::Get | Verb::Delete) if head.has_body() => {
            Err(refusal(400, "only POST takes a body", "put what you ask for into the path and the query"))
        }
        Some(Verb::Get | Verb::Delete) | None => Ok(()),
    }
}
