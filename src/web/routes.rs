//! The routes: which method on which path is which operation, and which fields it takes. No rule lives here.

use serde_json::json;

use super::answer::Answer;
use super::call::{Call, Done, Outcome, PERSON, done};
use super::fields::Field;
use super::head::Verb;
use crate::model::{AgentName, Body, BroadcastKind, Key, MessageId, Receipt};
use crate::ops::{
    self, AgentsRequest, BroadcastRequest, BroadcastsRequest, DeadRequest, HistoryRequest, ListRequest, MAX_LEASE_SECS,
    ReadRequest, Reading, RenameRequest, SendRequest, SettleAction, SettleRequest,
};

/// What a method on a path does.
pub(super) struct Route {
    /// The method.
    pub(super) verb: Verb,
    /// The path; a part that begins with `:` is variable.
    pub(super) path: &'static str,
    /// What it is called in the contract.
    pub(super) id: &'static str,
    /// The fields of its query (GET, DELETE) or body (POST).
    pub(super) fields: &'static [Field],
    /// The schema of its answer.
    pub(super) gives: &'static str,
    /// What it does, in a sentence.
    pub(super) does: &'static str,
    /// What it does.
    pub(super) run: fn(Call<'_>) -> Outcome,
}

const AGENT: Field = Field::text::<AgentName>("agent", "AgentName");
const AFTER: Field = Field::text::<MessageId>("after", "MessageId");
const ALL: Field = Field::flag("all");
const BODY: Field = Field::text::<Body>("body", "Body").needed();
const FROM: Field = Field::text::<AgentName>("from", "AgentName");
const KEY: Field = Field::text::<Key>("key", "Key");
const KIND: Field = Field::word::<BroadcastKind>("kind", "BroadcastKind");
const RECEIPTS: Field = Field::list::<Receipt>("receipts", "Receipt", 100).needed();
const REPLY_TO: Field = Field::text::<MessageId>("replyTo", "MessageId");
const TO: Field = Field::text::<AgentName>("to", "AgentName").needed();
const DAY: i64 = MAX_LEASE_SECS as i64;

const HISTORY: &[Field] = &[
    AGENT,
    Field::text::<AgentName>("with", "AgentName"),
    Field::text::<MessageId>("thread", "MessageId"),
    Field::text::<MessageId>("before", "MessageId"),
    Field::whole("limit", 1, 200),
];
const AGENTS: &[Field] = &[Field::whole("limit", 1, 1_000), Field::text::<AgentName>("after", "AgentName")];
const LIST: &[Field] = &[Field::whole("limit", 1, 200), Field::whole("offset", 0, i64::MAX), AFTER];
const READ: &[Field] = &[Field::whole("limit", 1, 100), Field::whole("lease", 1, DAY), Field::flag("peek")];
const FEED: Field = Field::whole("limit", 1, 100);
const RENAME: &[Field] = &[FROM.needed(), Field::text::<AgentName>("name", "AgentName").needed()];

/// Every route but the live events, the contract and the page.
#[rustfmt::skip]
pub(super) const ROUTES: &[Route] = &[
    get("/api/health", "health", &[], "Health", "Says how the store does; 503 when it is gone", health),
    get("/api/stats", "stats", &[], "Stats", "Counts what is in the store", stats),
    get("/api/agents", "agents", AGENTS, "Agents", "Lists the agents by name", agents),
    get("/api/history", "history", HISTORY, "History", "Shows messages of the past, newest first; `with` needs `agent`", history),
    get("/api/history/:id", "show", &[], "Record", "Shows one message and what became of it", show),
    get("/api/dead", "dead", &[AGENT, FEED], "Dead", "Shows an agent's dead letters, newest first", dead),
    get("/api/check/:agent", "check", &[], "News", "Says what is new for an agent; it does not count as a sign of life", check),
    get("/api/messages/:agent", "list", LIST, "Listing", "Lists a mailbox as it is; `offset` and `after` exclude each other", list),
    delete("/api/messages/:agent", "clear", &[], "Count", "Deletes all waiting and leased mail of a mailbox", clear),
    delete("/api/messages/:agent/:id", "delete", &[], "Done", "Deletes one waiting or leased message", remove),
    post("/api/messages", "send", &[TO, BODY, FROM, REPLY_TO, KEY, Field::flag("urgent")], "Sent", "Sends a message", send),
    post("/api/messages/:agent/read", "read", READ, "Mail", "Reads mail: takes it, or leases it, or peeks at it", read),
    post("/api/messages/:agent/ack", "ack", &[RECEIPTS], "Settled", "Says that leased mail is done with", ack),
    post("/api/messages/:agent/extend", "extend", &[RECEIPTS, Field::whole("seconds", 1, DAY)], "Settled", "Holds leased mail longer", extend),
    post("/api/messages/:agent/release", "release", &[RECEIPTS], "Settled", "Gives leased mail back", release),
    get("/api/broadcasts", "broadcasts", &[AGENT, ALL, FEED], "Feed", "Shows all broadcasts, or those that an agent has not seen; moves no cursor", feed),
    post("/api/broadcasts", "broadcast", &[BODY, FROM, KEY, KIND], "Told", "Says something to everybody", broadcast),
    delete("/api/broadcasts", "clearBroadcasts", &[], "Count", "Deletes all broadcasts", clear_broadcasts),
    post("/api/broadcasts/read", "readBroadcasts", &[FROM, ALL, FEED], "Feed", "Reads broadcasts and moves the reader's cursor", read_broadcasts),
    post("/api/rename", "rename", RENAME, "Renamed", "Takes a new name for a mailbox; the old one forwards while its session lives", rename),
];

/// How a route is run.
type Run = fn(Call<'_>) -> Outcome;
/// A word of the table.
type Word = &'static str;

const fn get(path: Word, id: Word, fields: &'static [Field], gives: Word, does: Word, run: Run) -> Route {
    Route { verb: Verb::Get, path, id, fields, gives, does, run }
}

const fn post(path: Word, id: Word, fields: &'static [Field], gives: Word, does: Word, run: Run) -> Route {
    Route { verb: Verb::Post, path, id, fields, gives, does, run }
}

const fn delete(path: Word, id: Word, fields: &'static [Field], gives: Word, does: Word, run: Run) -> Route {
    Route { verb: Verb::Delete, path, id, fields, gives, does, run }
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

/// Hands mail over. Without a lease it is acknowledged when the answer has left.
fn read(mut call: Call<'_>) -> Outcome {
    let agent: AgentName = call.part(0)?;
    let request: ReadRequest = call.request()?;
    let Reading { response, to_ack } = call.act(agent.clone(), |ctx| ops::read(ctx, &request))?;
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
    let from = call.needed_name("from")?;
    let request: RenameRequest = call.request()?;
    done(&call.act(from, |ctx| ops::rename(ctx, &request))?)
}
