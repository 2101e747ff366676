//! Who may ask at all: looked at before the path is. It knows heads and settings, no route and no store.

use super::Site;
use super::answer::Answer;
use super::head::{Head, Verb};
use crate::error::{Error, Kind};

/// `Ok` when the request may go on; else the refusal.
pub(super) fn judge(site: &Site, head: &Head<'_>) -> Result<(), Answer> {
    host(site, head)?;
    origin(head)?;
    content(head)
}

fn refusal(status: u16, message: &str, hint: &str) -> Answer {
    let error = Error::new(if status == 400 { Kind::Usage } else { Kind::Denied }, message).hint(hint);
    Answer::failure(status, &error, &std::collections::BTreeMap::new())
}

fn host(site: &Site, head: &Head<'_>) -> Result<(), Answer> {
    let Some(host) = head.header("Host") else {
        return Err(refusal(400, "the request names no host, or more than one", "send one Host header"));
    };
    let host = host.to_ascii_lowercase();
    let is_ours = ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host == format!("{name}:{}", site.port));
    if is_ours || site.names.contains(&host) {
        return Ok(());
    }
    Err(refusal(403, "the request names a host that this server is not", "set POSTINO_WEB_NAMES to the names it has"))
}

fn origin(head: &Head<'_>) -> Result<(), Answer> {
    let foreign = || refusal(403, "the request comes from another site", "ask from postino's own page");
    if head.verb() == Some(Verb::Get) && head.path() != "/api/events" {
        return Ok(());
    }
    if let Some(site) = head.header("Sec-Fetch-Site")
        && !matches!(site, "same-origin" | "none")
    {
        return Err(foreign());
    }
    match (head.header("Origin"), head.header("Host")) {
        (Some(origin), Some(host)) if origin != format!("http://{host}") => Err(foreign()),
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

fn content(head: &Head<'_>) -> Result<(), Answer> {
    if head.verb() != Some(Verb::Post) {
        return Ok(());
    }
    let kind = head.header("Content-Type").and_then(|kind| kind.split(';').next()).map(str::trim);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(refusal(415, "the request's body is not said to be JSON", "send Content-Type: application/json"))
}
