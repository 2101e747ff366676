//! The way of one request to its answer. It knows no rule
//! and no route by name.

use std::io::Read;
use std::sync::Arc;

use tiny_http::Request;

use super::answer::Answer;
use super::call::Call;
use super::fields;
use super::head::{Head, Verb};
use super::routes::{ROUTES, Route};
use super::sse::{self, Hub};
use super::{Site, assets, guard};
use crate::error::{Error, Kind};
use crate::model::Via;

/// The way of one request.
pub(super) fn handle(site: &Arc<Site>, hub: &Arc<Hub>, mut request: Request) {
    match prepare(site, &mut request) {
        Ok(Step::Events) => sse::open(site, hub, request),
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
