//! The routes: which method on which path is which operation, and which fields it takes. No rule lives here.

use serde_json::json;

use super::answer::Answer;
use super::call::{Call, Done, Outcome, PERSON, done};
use super::fields::{self, Field};
use super::head::Verb;
use crate::model::{AgentName, Body, BroadcastKind, Key, MessageId, Receipt};
use crate::ops::{
    self, AgentsRequest, BroadcastRequest, BroadcastsRequest, DeadRequest, HistoryRequest, ListRequest, ReadRequest,
    Reading, RenameRequest, SendRequest, SettleAction, SettleRequest,
};

/// What a method on a path does.
pub(super) struct Route {
    /// The path; a part that begins with `:` is variable.
    pub(super) path: &'static str,
    /// The method.
    pub(super) verb: Verb,
    /// The fields of its query (GET, DELETE) or body (POST).
    pub(super) fields: &'static [Field],
    /// What it does.
    pub(super) run: fn(Call<'_>) -> Outcome,
}

const NAME: Field = Field::text::<AgentName>("name").needed();
const FROM: Field = Field::text::<AgentName>("from");
const AGENT: Field = Field::text::<AgentName>("agent");
const LIMIT: Field = Field::whole("limit");
const ALL: Field = Field::flag("all");
const BODY: Field = Field::text::<Body>("body").needed();
const KEY: Field = Field::text::<Key>("key");
const RECEIPTS: Field = Field::list::<Receipt>("receipts").needed();
const SECONDS: Field = Field::whole("seconds");

const SEND: &[Field] = &[
    Field::text::<AgentName>("to").needed(),
    BODY,
    FROM,
    Field::text::<MessageId>("replyTo"),
    KEY,
    Field::flag("urgent"),
];
const READ: &[Field] = &[LIMIT, Field::whole("lease"), Field::flag("peek"), Field::text::<MessageId>("id")];
const HISTORY: &[Field] = &[
    AGENT,
    Field::text::<AgentName>("with"),
    Field::text::<MessageId>("thread"),
    Field::text::<MessageId>("before"),
    LIMIT,
];

/// Every route but the live events and the page.
pub(super) const ROUTES: &[Route] = &[
    get("/api/health", &[], health),
    get("/api/stats", &[], stats),
    get("/api/activity", &[], activity),
    get("/api/agents", &[LIMIT, Field::text::<AgentName>("after")], agents),
    get("/api/history", HISTORY, history),
    get("/api/history/:id", &[], show),
    get("/api/dead", &[AGENT, LIMIT], dead),
    get("/api/check/:agent", &[], check),
    get("/api/messages/:agent", &[LIMIT, Field::whole("offset"), Field::text::<MessageId>("after")], list),
    delete("/api/messages/:agent", &[], clear),
    delete("/api/messages/:agent/:id", &[], remove),
    post("/api/messages", SEND, send),
    post("/api/messages/:agent/read", READ, read),
    post("/api/messages/:agent/ack", &[RECEIPTS], ack),
    post("/api/messages/:agent/extend", &[RECEIPTS, SECONDS], extend),
    post("/api/messages/:agent/release", &[RECEIPTS], release),
    get("/api/broadcasts", &[AGENT, ALL, LIMIT], feed),
    post("/api/broadcasts", &[BODY, FROM, KEY, Field::text::<BroadcastKind>("kind")], broadcast),
    delete("/api/broadcasts", &[], clear_broadcasts),
    post("/api/broadcasts/read", &[FROM, ALL, LIMIT], read_broadcasts),
    post("/api/rename", &[Field::text::<AgentName>("from").needed(), NAME], rename),
];

const fn get(path: &'static str, fields: &'static [Field], run: fn(Call<'_>) -> Outcome) -> Route {
    Route { path, verb: Verb::Get, fields, run }
}

const fn post(path: &'static str, fields: &'static [Field], run: fn(Call<'_>) -> Outcome) -> Route {
    Route { path, verb: Verb::Post, fields, run }
}

const fn delete(path: &'static str, fields: &'static [Field], run: fn(Call<'_>) -> Outcome) -> Route {
    Route { path, verb: Verb::Delete, fields, run }
}

impl Route {
    /// The variable parts of a path that this route is for.
    pub(super) fn parts(&self, segments: &[String]) -> Option<Vec<String>> {
        let mine = self.path.trim_start_matches('/').split('/');
        if mine.clone().count() != segments.len() {
            return None;
        }
        let mut parts = Vec::new();
        for (mine, theirs) in mine.zip(segments) {
            if mine.starts_with(':') {
                parts.push(theirs.clone());
            } else if mine != theirs {
                return None;
            }
        }
        Some(parts)
    }
}

fn person() -> crate::error::Result<AgentName> {
    PERSON.parse()
}

fn health(call: Call<'_>) -> Outcome {
    done(&call.look(person()?, ops::health)?)
}

fn stats(call: Call<'_>) -> Outcome {
    done(&call.look(person()?, ops::stats)?)
}

fn activity(call: Call<'_>) -> Outcome {
    done(&call.look(person()?, ops::activity)?)
}

fn agents(mut call: Call<'_>) -> Outcome {
    let request: AgentsRequest = call.request()?;
    done(&call.look(person()?, |ctx| ops::agents(ctx, &request))?)
}

fn history(mut call: Call<'_>) -> Outcome {
    let request: HistoryRequest = call.request()?;
    done(&call.look(person()?, |ctx| ops::history(ctx, &request))?)
}

fn show(call: Call<'_>) -> Outcome {
    let id = call.part(0)?;
    done(&call.look(person()?, |ctx| ops::show(ctx, id))?)
}

fn dead(mut call: Call<'_>) -> Outcome {
    let agent = call.name("agent")?;
    let request: DeadRequest = call.request()?;
    done(&call.look(agent, |ctx| ops::dead_list(ctx, &request))?)
}

fn check(call: Call<'_>) -> Outcome {
    done(&call.look(call.part(0)?, ops::check)?)
}

fn list(mut call: Call<'_>) -> Outcome {
    let agent = call.part(0)?;
    let request: ListRequest = call.request()?;
    done(&call.look(agent, |ctx| ops::list(ctx, &request))?)
}

fn clear(call: Call<'_>) -> Outcome {
    done(&call.look(call.part(0)?, ops::clear)?)
}

fn remove(call: Call<'_>) -> Outcome {
    let id = call.part(1)?;
    call.look(call.part(0)?, |ctx| ops::delete(ctx, id))?;
    done(&json!({}))
}

fn send(mut call: Call<'_>) -> Outcome {
    let from = call.name("from")?;
    let request: SendRequest = call.request()?;
    done(&call.act(from, |ctx| ops::send(ctx, &request))?)
}

/// Hands mail over: the head of the queue, or the one message that an id names. Without a lease it is acknowledged when the answer has left.
fn read(mut call: Call<'_>) -> Outcome {
    let agent: AgentName = call.part(0)?;
    let one: Option<MessageId> = fields::take(&mut call.fields, "id")?;
    let request: ReadRequest = call.request()?;
    let reading = |ctx: &ops::Ctx<'_>| match one {
        Some(id) => ops::read_one(ctx, id, request.lease),
        None => ops::read(ctx, &request),
    };
    let Reading { response, to_ack } = call.act(agent.clone(), reading)?;
    let owed = (!to_ack.is_empty()).then_some((agent, to_ack));
    Ok(Done { answer: Answer::json(&response), owed })
}

fn ack(call: Call<'_>) -> Outcome {
    settle(call, SettleAction::Ack)
}

fn extend(call: Call<'_>) -> Outcome {
    settle(call, SettleAction::Extend)
}

fn release(call: Call<'_>) -> Outcome {
    settle(call, SettleAction::Release)
}

fn settle(mut call: Call<'_>, action: SettleAction) -> Outcome {
    let request: SettleRequest = call.request()?;
    let request = SettleRequest { action, ..request };
    done(&call.act(call.part(0)?, |ctx| ops::settle(ctx, &request))?)
}

/// The feed as somebody sees it who has not read yet; everything when nobody is named.
fn feed(mut call: Call<'_>) -> Outcome {
    let is_all = !call.fields.contains_key("agent") && !call.fields.contains_key("all");
    let agent = call.name("agent")?;
    let request: BroadcastsRequest = call.request()?;
    let request = BroadcastsRequest { all: request.all || is_all, ..request };
    done(&call.look(agent, |ctx| ops::peek_broadcasts(ctx, &request))?)
}

fn broadcast(mut call: Call<'_>) -> Outcome {
    let from = call.name("from")?;
    let request: BroadcastRequest = call.request()?;
    done(&call.act(from, |ctx| ops::broadcast(ctx, &request))?)
}

fn clear_broadcasts(call: Call<'_>) -> Outcome {
    done(&call.look(person()?, ops::clear_broadcasts)?)
}

fn read_broadcasts(mut call: Call<'_>) -> Outcome {
    let from = call.name("from")?;
    let request: BroadcastsRequest = call.request()?;
    done(&call.act(from, |ctx| ops::broadcasts(ctx, &request))?)
}

fn rename(mut call: Call<'_>) -> Outcome {
    let from = call.name("from")?;
    let request: RenameRequest = call.request()?;
    done(&call.act(from, |ctx| ops::rename(ctx, &request))?)
}
