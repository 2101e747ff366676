//! The resources: who is there, and one's own mail, to look at. Nothing is consumed.

use rmcp::model::{CompletionInfo, ErrorData, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde::Serialize;

use super::answer::{self, Mail, People};
use super::queue::Visitor;
use crate::error::{Error, Kind, Result};
use crate::model::AgentName;
use crate::ops::{self, AgentsRequest, ReadRequest};

const AGENTS: &str = "postino://agents";
const INBOX: &str = "postino://inbox/";
const TEMPLATE: &str = "postino://inbox/{agent}";
const JSON: &str = "application/json";
/// Names that a completion gives at most.
const MOST_NAMES: usize = CompletionInfo::MAX_VALUES;

/// Where an agent's inbox is.
pub(super) fn inbox(agent: &AgentName) -> String {
    format!("{INBOX}{agent}")
}

/// The agent whose inbox this is.
pub(super) fn owner(uri: &str) -> Option<AgentName> {
    uri.strip_prefix(INBOX)?.parse().ok()
}

/// Whether this part of a resource's name is an agent's.
pub(super) fn is_name(template: &str, part: &str) -> bool {
    (template, part) == (TEMPLATE, "agent")
}

/// The resources that there are; the own inbox when it is known whose it is.
pub(super) fn list(me: Option<&AgentName>) -> Vec<Resource> {
    let agents = Resource::new(AGENTS, "agents")
        .with_title("Agents")
        .with_description("Who is there, and how many messages wait for each")
        .with_mime_type(JSON);
    let own = me.map(|me| {
        Resource::new(inbox(me), "inbox")
            .with_title("Your inbox")
            .with_description("Messages that wait for you; looking takes none of them")
            .with_mime_type(JSON)
    });
    std::iter::once(agents).chain(own).collect()
}

/// The resources that are named by an agent.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    let own = ResourceTemplate::new(TEMPLATE, "inbox")
        .with_title("Your inbox")
        .with_description("Messages that wait for you, by your own name; looking takes none of them")
        .with_mime_type(JSON);
    vec![own]
}

/// What stands in a resource. `NotFound` when there is none, `Denied` for another agent's inbox.
pub(super) fn read(uri: &str, visitor: &Visitor) -> Result<ReadResourceResult> {
    if uri == AGENTS {
        let page = visitor.ask(|ctx| ops::agents(ctx, &AgentsRequest::default()))?;
        return contents(uri, &People::new(page, u32::MAX));
    }
    let owner = owner(uri).ok_or_else(|| {
        let shown: String = uri.chars().take(200).collect();
        Error::new(Kind::NotFound, format!("there is no resource {shown:?}"))
            .hint(format!("read {AGENTS}, or {INBOX} followed by your own name"))
    })?;
    let peek = ReadRequest { peek: true, ..ReadRequest::default() };
    let response = visitor.ask(|ctx| {
        let me = &ctx.actor.name;
        if owner != *me {
            return Err(Error::new(Kind::Denied, format!("the inbox of {owner} is not yours"))
                .hint(format!("read your own: {}", inbox(me))));
        }
        Ok(ops::read(ctx, &peek)?.response)
    })?;
    contents(uri, &Mail::peeked(response))
}

fn contents<T: Serialize>(uri: &str, what: &T) -> Result<ReadResourceResult> {
    let text = serde_json::to_string(what)
        .map_err(|error| Error::new(Kind::Other, "the resource could not be written as JSON").because(error))?;
    Ok(ReadResourceResult::new(vec![ResourceContents::text(text, uri).with_mime_type(JSON)]))
}

/// A failure to read a resource, or to complete a name.
pub(super) fn failure(error: &Error) -> ErrorData {
    let said = answer::said(error);
    match error.kind {
        Kind::NotFound | Kind::Denied => ErrorData::resource_not_found(said, None),
        Kind::Usage => ErrorData::invalid_params(said, None),
        Kind::TimedOut
        | Kind::Full
        | Kind::Conflict
        | Kind::Stale
        | Kind::NameHeld
        | Kind::NameLost
        | Kind::Moving
        | Kind::Unreachable
        | Kind::Other => ErrorData::internal_error(said, None),
    }
}

/// Names of agents that begin with what was typed, the own one too.
pub(super) fn names(typed: &str, visitor: &Visitor) -> Result<CompletionInfo> {
    let page = visitor.ask(|ctx| ops::agents(ctx, &AgentsRequest::default()))?;
    let fits = |name: &AgentName| name.as_str().to_lowercase().starts_with(&typed.to_lowercase());
    let fitting = page.items.into_iter().map(|agent| agent.name).filter(fits).map(|name| name.to_string());
    Ok(completion(fitting.collect()))
}

/// The own name, if it begins with what was typed: others' inboxes cannot be read.
pub(super) fn own_name(typed: &str, visitor: &Visitor) -> Result<CompletionInfo> {
    let me = visitor.ask(|ctx| Ok(ctx.actor.name.to_string()))?;
    Ok(completion(if me.starts_with(typed) { vec![me] } else { Vec::new() }))
}

fn completion(mut names: Vec<String>) -> CompletionInfo {
    let total = u32::try_from(names.len()).ok();
    let has_more = names.len() > MOST_NAMES;
    names.truncate(MOST_NAMES);
    CompletionInfo::with_pagination(names, total, has_more).unwrap_or_default()
}
