//! Requests from the listener to their answers: the servers, their workers, and the way of one request. It knows no rule
//! and no route by name.

use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tiny_http::{Request, Server};

use super::answer::Answer;
use super::call::Call;
use super::fields;
use super::head::{Head, Verb};
use super::routes::{ROUTES, Route};
use super::{Site, assets, guard, sse};
use crate::error::{Error, Kind, Result};
use crate::model::Via;

/// Threads that answer.
const WORKERS: usize = 8;

/// Serves until the listener fails for good.
pub(super) fn run(listener: &TcpListener, site: &Arc<Site>) -> Result<()> {
    rustix::net::sockopt::set_tcp_nodelay(listener, true).map_err(|error| broken().because(error))?;
    loop {
        let listener = listener.try_clone().map_err(|error| broken().because(error))?;
        let server = Server::from_listener(listener, None).map_err(|error| broken().because(anyhow::anyhow!(error)))?;
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    while let Ok(request) = server.recv() {
                        handle(site, request);
                    }
                });
            }
        });
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn broken() -> Error {
    Error::new(Kind::Other, "the web server's socket cannot be used")
}

/// The way of one request.
fn handle(site: &Arc<Site>, mut request: Request) {
    match prepare(site, &mut request) {
        Ok(Step::Events) => sse::open(site, request),
        Ok(Step::Page(answer)) => drop(answer.send(request)),
        Ok(Step::Call(route, call)) => {
            let via = call.via;
            match (route.run)(call) {
                Ok(done) => {
                    if done.answer.send(request).is_ok()
                        && let Some(owed) = done.owed
                    {
                        // Mail that could not be acknowledged comes again.
                        let _ = site.settle(owed, via);
                    }
                }
                Err(answer) => drop(answer.send(request)),
            }
        }
        Err(answer) => answer.send_early(request),
    }
}

/// What is to be done with a request.
enum Step<'a> {
    Events,
    Page(Answer),
    Call(&'static Route, Call<'a>),
}

fn prepare<'a>(site: &'a Site, request: &mut Request) -> std::result::Result<Step<'a>, Answer> {
    let head = Head::of(request);
    guard::judge(site, &head)?;
    let segments = head.segments().ok_or_else(|| Answer::of(&Error::new(Kind::Usage, "the path cannot be read")))?;
    let texts: Vec<&str> = segments.iter().map(String::as_str).collect();
    if texts == ["api", "events"] && head.verb() == Some(Verb::Get) {
        return Ok(Step::Events);
    }
    if assets::is_view(&texts) && head.verb() == Some(Verb::Get) {
        return Ok(Step::Page(assets::page()));
    }
    let here = || ROUTES.iter().filter_map(|route| Some((route, route.parts(&segments)?)));
    let Some((route, parts)) = here().find(|(route, _)| Some(route.verb) == head.verb()) else {
        if here().next().is_none() {
            return Err(Answer::of(&Error::new(Kind::NotFound, "there is nothing at this path")));
        }
        let error = Error::new(Kind::Usage, "this path does not take this method");
        return Err(Answer::failure(405, &error, &std::collections::BTreeMap::new()));
    };
    let via = if head.header("Sec-Fetch-Site") == Some("same-origin") { Via::Gui } else { Via::Http };
    let pairs = head.query().ok_or_else(|| Answer::of(&Error::new(Kind::Usage, "the query cannot be read")))?;
    let key = head.header("Idempotency-Key").map(str::to_owned);
    let mut fields = if route.verb == Verb::Post {
        let mut body = Vec::new();
        let limit = u64::try_from(site.max_body).unwrap_or(u64::MAX);
        let _ = request.as_reader().take(limit + 1).read_to_end(&mut body);
        if body.len() > site.max_body {
            let error = Error::new(Kind::Usage, "the request is too large");
            return Err(Answer::failure(413, &error, &std::collections::BTreeMap::new()));
        }
        fields::of_body(&body)?
    } else {
        fields::of_query(pairs, route.fields)?
    };
    if let Some(key) = key {
        fields.insert("key".to_owned(), key.into());
    }
    Ok(Step::Call(route, Call { site, via, parts, fields, known: route.fields }))
}
