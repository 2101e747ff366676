//! The way of one request: guards, route, body, operation, answer. It knows no rule.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tiny_http::Request;

use super::answer::Answer;
use super::call::Call;
use super::fields::{self, Fields};
use super::guard::{self, refusal};
use super::head::{Head, Verb};
use super::lane::{Lane, Turn};
use super::routes::{ROUTES, Route};
use super::sse::{self, Hub};
use super::{Site, assets, openapi};
use crate::error::{Error, Kind};
use crate::model::Via;

/// Bodies up to this are there when tiny_http hands the request over, in bytes; longer ones may still be on their way.
const THERE: usize = 1_024;
/// How many requests may wait for their bodies beside the workers.
const MAX_ASIDE: usize = 128;

/// How many do.
static ASIDE: AtomicUsize = AtomicUsize::new(0);

/// Answers a request, and those of its connection that come meanwhile. One whose body may be slow is waited for in a thread of its
/// own.
pub(super) fn go(site: &Arc<Site>, hub: &Arc<Hub>, mut turn: Turn) {
    while let Some((request, lane)) = turn {
        if !is_there(&request) && ASIDE.load(Ordering::Relaxed) < MAX_ASIDE {
            return go_aside(site, hub, Some((request, lane)));
        }
        turn = answer(site, hub, lane, request).and_then(Lane::next);
    }
}

/// Goes on with a connection in a thread of its own.
fn go_aside(site: &Arc<Site>, hub: &Arc<Hub>, mut turn: Turn) {
    ASIDE.fetch_add(1, Ordering::Relaxed);
    let (site, hub) = (Arc::clone(site), Arc::clone(hub));
    let work = move || {
        let _leave = Leave;
        while let Some((request, lane)) = turn {
            turn = answer(&site, &hub, lane, request).and_then(Lane::next);
        }
    };
    // Without a thread the request is dropped, which answers it with 500.
    if std::thread::Builder::new().name("aside".to_owned()).spawn(work).is_err() {
        ASIDE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many requests are answered beside the workers.
pub(super) fn aside() -> usize {
    ASIDE.load(Ordering::Relaxed)
}

/// Makes room again, however the work ended.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        ASIDE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether nothing of a request is still on its way.
fn is_there(request: &Request) -> bool {
    let head = Head::of(request);
    let is_short = request.body_length().is_none_or(|length| length <= THERE);
    is_short && head.headers("Transfer-Encoding").next().is_none() && head.headers("Expect").next().is_none()
}

/// What is to be done with a request.
pub(super) enum Step<'a> {
    /// Live events.
    Events,
    /// Something that is ready.
    Ready(Answer),
    /// An operation.
    Call(&'static Route, Call<'a>),
}

/// Answers one request; gives its connection back, unless live events keep it. Should it panic, the request goes before the lane.
fn answer(site: &Arc<Site>, hub: &Arc<Hub>, lane: Lane, mut request: Request) -> Option<Lane> {
    let cors = cors(site, &request);
    let step = match prepare(site, &mut request) {
        Ok(step) => step,
        Err(refusal) => {
            with(refusal, cors).send_early(request);
            return Some(lane);
        }
    };
    // Whether an answer arrives is the asker's affair, unless something is owed when it does.
    let _ = match step {
        Step::Events => return sse::open(site, hub, (request, lane), cors),
        Step::Ready(answer) => with(answer, cors).send(request),
        Step::Call(route, call) => {
            let via = call.via;
            match (route.run)(call) {
                Ok(done) => {
                    let sent = with(done.answer, cors).send(request);
                    if let (Ok(()), Some(owed)) = (&sent, done.owed) {
                        // Mail that could not be acknowledged comes again.
                        let _ = site.settle(owed, via);
                    }
                    sent
                }
                Err(failure) => with(failure, cors).send(request),
            }
        }
    };
    Some(lane)
}

/// What an answer to the origin that was set carries.
fn cors(site: &Site, request: &Request) -> Option<String> {
    site.cors_origin.clone().filter(|_| guard::is_friend(site, &Head::of(request)))
}

/// The answer to that origin.
pub(super) fn with(answer: Answer, cors: Option<String>) -> Answer {
    match cors {
        Some(origin) => answer.header("Access-Control-Allow-Origin", origin).header("Vary", "Origin".to_owned()),
        None => answer,
    }
}

/// Judges a request, finds its route and reads its body.
pub(super) fn prepare<'a>(site: &'a Site, request: &mut Request) -> Result<Step<'a>, Answer> {
    let head = Head::of(request);
    guard::judge(site, &head)?;
    if guard::is_preflight(site, &head) {
        return Ok(Step::Ready(preflight()));
    }
    let segments = head.segments().ok_or_else(|| unreadable("path"))?;
    if let Some(step) = document(site, &head, &segments)? {
        return Ok(step);
    }
    let (route, parts) = find(&head, &segments)?;
    guard::content(&head)?;
    let via = if head.header("Sec-Fetch-Site") == Some("same-origin") { Via::Gui } else { Via::Http };
    let key = head.header("Idempotency-Key").map(str::to_owned);
    let fields = match route.verb {
        Verb::Post => with_key(fields::of_body(&body(site, request)?, route.fields)?, key, route)?,
        Verb::Get | Verb::Delete => fields::of_query(head.query().ok_or_else(|| unreadable("query"))?, route.fields)?,
    };
    Ok(Step::Call(route, Call { site, via, parts, fields, known: route.fields }))
}

fn unreadable(what: &str) -> Answer {
    refusal(400, &format!("the request's {what} cannot be read"), "percent-encode it as UTF-8")
}

fn preflight() -> Answer {
    let headers = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Postino-Token";
    Answer::empty(204)
        .header("Access-Control-Allow-Methods", "GET, POST, DELETE".to_owned())
        .header("Access-Control-Allow-Headers", headers.to_owned())
        .header("Access-Control-Max-Age", "600".to_owned())
}

/// What is no operation: the page, the link that opens it, the contract, the live events.
fn document<'a>(site: &Site, head: &Head<'_>, segments: &[String]) -> Result<Option<Step<'a>>, Answer> {
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let step = match *path {
        ["open", code] => Step::Ready(open(site, code)?),
        ["api", "events"] => Step::Events,
        ["api", "openapi.json"] => Step::Ready(openapi::document()),
        _ if assets::is_view(&path) => Step::Ready(assets::page()),
        _ => return Ok(None),
    };
    if head.verb() != Some(Verb::Get) {
        return Err(not_allowed("GET, HEAD".to_owned()));
    }
    guard::content(head)?;
    Ok(Some(step))
}

/// Gives whoever has a fresh link the cookie, and leads to the page.
fn open(site: &Site, code: &str) -> Result<Answer, Answer> {
    let token = site.token.as_ref().filter(|token| token.redeem(code, site.desk.machine().now()));
    let Some(token) = token else {
        return Err(refusal(401, "this link was used before, or is too old", "get a new one"));
    };
    let port = site.address.port();
    let cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000",
        guard::cookie_name(port),
        token.cookie(port)
    );
    Ok(Answer::empty(303).header("Location", "/".to_owned()).header("Set-Cookie", cookie))
}

/// The route of a request. Where a fixed path and a variable one fit, the fixed one counts.
fn find(head: &Head<'_>, segments: &[String]) -> Result<(&'static Route, Vec<String>), Answer> {
    let here = || ROUTES.iter().filter_map(|route| Some((route, route.parts(segments)?)));
    let Some(path) = here().min_by_key(|(_, parts)| parts.len()).map(|(route, _)| route.path) else {
        let error = Error::new(Kind::NotFound, "there is nothing at this path");
        return Err(Answer::of(&error.hint("GET /api/openapi.json lists what there is")));
    };
    let here = || here().filter(|(route, _)| route.path == path);
    match here().find(|(route, _)| Some(route.verb) == head.verb()) {
        Some(found) => Ok(found),
        None => Err(not_allowed(here().map(|(route, _)| route.verb.name()).collect::<Vec<_>>().join(", "))),
    }
}

fn not_allowed(allow: String) -> Answer {
    let hint = format!("use {allow}");
    refusal(405, "this path does not take this method", &hint).header("Allow", allow)
}

/// The whole body of a request, read to its end.
fn body(site: &Site, request: &mut Request) -> Result<Vec<u8>, Answer> {
    let limit = site.max_body;
    let too_large = || {
        let hint = format!("send at most {limit} bytes, or set POSTINO_MAX_BODY_BYTES");
        refusal(413, "the request's body is too large", &hint)
    };
    let length = request.body_length();
    if length.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(length.unwrap_or(0));
    let most = length.unwrap_or(limit.saturating_add(1)) as u64;
    match request.as_reader().take(most).read_to_end(&mut body) {
        Ok(_) if body.len() > limit => Err(too_large()),
        Ok(read) if length.is_some_and(|length| read < length) => Err(cut(&io::ErrorKind::UnexpectedEof.into())),
        Ok(_) => Ok(body),
        Err(error) => Err(cut(&error)),
    }
}

fn cut(error: &io::Error) -> Answer {
    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
        return refusal(408, "the request's body did not come in time", "send it again");
    }
    refusal(400, "the request's body ended early, or is not encoded as it says", "send it again")
}

/// The fields with the key from the header, which may not say something else than the body.
fn with_key(mut fields: Fields, key: Option<String>, route: &Route) -> Result<Fields, Answer> {
    let Some(key) = key.filter(|_| route.fields.iter().any(|field| field.name == "key")) else { return Ok(fields) };
    match fields.insert("key".to_owned(), key.as_str().into()) {
        Some(said) if !said.is_null() && said != key => {
            Err(refusal(400, "the Idempotency-Key header and the field `key` differ", "send one of them"))
        }
        Some(_) | None => Ok(fields),
    }
}
