//! The tools: each one operation, told to a model in a sentence or two. No rule stands here.

use rmcp::model::{CallToolResult, JsonObject, Tool as Listed, ToolAnnotations};
use serde::Deserialize;

use super::answer::{self, Gone, Mail, People, Said};
use super::arguments;
use super::owed::Debt;
use super::queue::Visitor;
use crate::error::{Error, Kind, Result};
use crate::ops::{
    self, AgentsRequest, BroadcastRequest, BroadcastResponse, BroadcastsRequest, CheckResponse, ReadRequest,
    RenameRequest, RenameResponse, SendRequest, SendResponse, SettleRequest, WhoamiResponse,
};
use crate::store::Settled;

/// Every tool, in the order in which they are listed.
pub(super) const TOOLS: [Tool; 10] = [
    Tool::Whoami,
    Tool::Check,
    Tool::Send,
    Tool::Read,
    Tool::Ack,
    Tool::Broadcast,
    Tool::Broadcasts,
    Tool::ListAgents,
    Tool::Rename,
    Tool::Cleanup,
];

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// Who am I.
    Whoami,
    /// What is new.
    Check,
    /// A message to one agent.
    Send,
    /// Mail.
    Read,
    /// Settling what was leased.
    Ack,
    /// A message to everybody.
    Broadcast,
    /// What was said to everybody.
    Broadcasts,
    /// Who is there.
    ListAgents,
    /// Another name.
    Rename,
    /// Removing names that nobody uses.
    Cleanup,
}

/// What a tool does to its surroundings, as clients ask it.
struct Effect {
    reads_only: bool,
    destroys: bool,
    repeats: bool,
}

/// The arguments of a tool that takes none.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What came of a call, and what is owed for the answer.
pub(super) type Done = Result<(CallToolResult, Option<Debt>)>;

impl Tool {
    /// The tool of this name. `NotFound` names those that there are.
    pub(super) fn named(name: &str) -> Result<Tool> {
        TOOLS.into_iter().find(|tool| tool.name() == name).ok_or_else(|| {
            let shown: String = name.chars().take(64).collect();
            Error::new(Kind::NotFound, format!("there is no tool {shown:?}"))
                .hint(format!("call one of {}", TOOLS.map(Tool::name).join(", ")))
        })
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tool::Whoami => "msg_whoami",
            Tool::Check => "msg_check",
            Tool::Send => "msg_send",
            Tool::Read => "msg_read",
            Tool::Ack => "msg_ack",
            Tool::Broadcast => "msg_broadcast",
            Tool::Broadcasts => "msg_broadcasts",
            Tool::ListAgents => "msg_list_agents",
            Tool::Rename => "msg_rename",
            Tool::Cleanup => "msg_cleanup",
        }
    }

    /// What people call it.
    fn title(self) -> &'static str {
        match self {
            Tool::Whoami => "Who am I",
            Tool::Check => "Check for news",
            Tool::Send => "Send a message",
            Tool::Read => "Read mail",
            Tool::Ack => "Settle leased mail",
            Tool::Broadcast => "Tell everybody",
            Tool::Broadcasts => "Read broadcasts",
            Tool::ListAgents => "List agents",
            Tool::Rename => "Take another name",
            Tool::Cleanup => "Remove unused names",
        }
    }

    /// When to use it, and what comes back.
    fn about(self) -> &'static str {
        match self {
            Tool::Whoami => {
                "Your own agent name, what waits for you, and up to 20 other agents. Use it to learn who you are."
            }
            Tool::Check => {
                "Counts your unread messages and unseen broadcasts and names the newest senders. Consumes nothing."
            }
            Tool::Send => {
                "Sends a message to one agent by name; it waits there until it is read, also for a name that nobody has \
                 yet. Returns its id and whether the recipient is working, idle, offline or unknown."
            }
            Tool::Read => {
                "Reads your messages, oldest first, and takes them out of your mailbox; `remaining` says how many still \
                 wait. With `lease` they are held instead, and each comes with a receipt for msg_ack."
            }
            Tool::Ack => {
                "Settles messages that msg_read leased: ack when done with them, extend to hold them longer, release to give \
                 them back. Receipts whose lease ran out come back as `stale`."
            }
            Tool::Broadcast => "Says something to every agent. Returns its id.",
            Tool::Broadcasts => {
                "Reads the broadcasts that you have not seen, oldest first, and marks them as seen; `remaining` says how many \
                 are left. With `all` it looks back at the newest ones and marks nothing."
            }
            Tool::ListAgents => {
                "Lists agents by name: whether each is working, idle or offline, and how many messages wait for it. When \
                 `remaining` is not 0, go on with `after` set to the last name."
            }
            Tool::Rename => "Takes another name; mail to the old one still arrives.",
            Tool::Cleanup => "Removes names of agents that are offline and have nothing waiting. Returns the names.",
        }
    }

    fn effect(self) -> Effect {
        let effect = |reads_only, destroys, repeats| Effect { reads_only, destroys, repeats };
        match self {
            Tool::Whoami | Tool::Check | Tool::ListAgents => effect(true, false, true),
            Tool::Send | Tool::Broadcast | Tool::Read | Tool::Broadcasts | Tool::Ack => effect(false, false, false),
            Tool::Rename => effect(false, false, true),
            Tool::Cleanup => effect(false, true, true),
        }
    }

    /// What it takes.
    fn input(self) -> JsonObject {
        match self {
            Tool::Whoami | Tool::Check | Tool::Cleanup => arguments::accepted::<Nothing>(&[]),
            Tool::Send => arguments::accepted::<SendRequest>(&[]),
            Tool::Read => arguments::accepted::<ReadRequest>(&["peek"]),
            Tool::Ack => arguments::accepted::<SettleRequest>(&[]),
            Tool::Broadcast => arguments::accepted::<BroadcastRequest>(&["kind"]),
            Tool::Broadcasts => arguments::accepted::<BroadcastsRequest>(&["limit"]),
            Tool::ListAgents => arguments::accepted::<AgentsRequest>(&[]),
            Tool::Rename => arguments::accepted::<RenameRequest>(&[]),
        }
    }

    /// What it gives.
    fn output(self) -> JsonObject {
        match self {
            Tool::Whoami => arguments::answered::<WhoamiResponse>(),
            Tool::Check => arguments::answered::<CheckResponse>(),
            Tool::Send => arguments::answered::<SendResponse>(),
            Tool::Read => arguments::answered::<Mail>(),
            Tool::Ack => arguments::answered::<Settled>(),
            Tool::Broadcast => arguments::answered::<BroadcastResponse>(),
            Tool::Broadcasts => arguments::answered::<Said>(),
            Tool::ListAgents => arguments::answered::<People>(),
            Tool::Rename => arguments::answered::<RenameResponse>(),
            Tool::Cleanup => arguments::answered::<Gone>(),
        }
    }

    /// The tool as it is listed.
    pub(super) fn listed(self) -> Listed {
        let Effect { reads_only, destroys, repeats } = self.effect();
        let hints = ToolAnnotations::new().read_only(reads_only).destructive(destroys).idempotent(repeats);
        Listed::new(self.name(), self.about(), self.input())
            .with_title(self.title())
            .with_raw_output_schema(self.output().into())
            .with_annotations(hints.open_world(false))
    }

    /// Carries a call out.
    pub(super) fn call(self, given: JsonObject, visitor: &Visitor) -> Done {
        match self {
            Tool::Whoami => self.plain(given, visitor, |ctx, _: &Nothing| ops::whoami(ctx)),
            Tool::Check => self.plain(given, visitor, |ctx, _: &Nothing| ops::check(ctx)),
            Tool::Send => self.plain(given, visitor, ops::send),
            Tool::Ack => self.plain(given, visitor, ops::settle),
            Tool::Broadcast => self.plain(given, visitor, ops::broadcast),
            Tool::Cleanup => self.plain(given, visitor, |ctx, _: &Nothing| Ok(Gone::new(ops::cleanup(ctx)?))),
            Tool::Read => self.read(given, visitor),
            Tool::Broadcasts => self.plain(given, visitor, |ctx, request: &BroadcastsRequest| match request.all {
                true => Ok(Said::alive(ops::peek_broadcasts(ctx, request)?)),
                false => Ok(Said::unseen(ops::broadcasts_within(ctx, request, answer::ROOM)?)),
            }),
            Tool::ListAgents => self.plain(given, visitor, |ctx, request: &AgentsRequest| {
                let all = AgentsRequest { limit: None, after: request.after.clone() };
                Ok(People::new(ops::agents(ctx, &all)?, request.count()?))
            }),
            Tool::Rename => self.rename(given, visitor),
        }
    }

    fn read(self, given: JsonObject, visitor: &Visitor) -> Done {
        let request: ReadRequest = arguments::read(self.name(), &self.input(), given)?;
        let (reading, actor) =
            visitor.ask(|ctx| Ok((ops::read_within(ctx, &request, answer::ROOM)?, ctx.actor.clone())))?;
        let takes = request.lease.is_none();
        let leased = reading.response.messages.iter().filter_map(|message| message.receipt);
        let receipts: Vec<_> = if takes { reading.to_ack } else { leased.collect() };
        let debt = Debt { actor, receipts, takes };
        let result = answer::success(&Mail::new(reading.response))?;
        Ok((result, (!debt.receipts.is_empty()).then_some(debt)))
    }

    fn rename(self, given: JsonObject, visitor: &Visitor) -> Done {
        let request: RenameRequest = arguments::read(self.name(), &self.input(), given)?;
        let renamed = visitor.ask(|ctx| ops::rename(ctx, &request))?;
        visitor.renamed(&renamed.name)?;
        Ok((answer::success(&renamed)?, None))
    }

    /// A call whose answer is what the operation says.
    fn plain<Q: serde::de::DeserializeOwned, A: serde::Serialize>(
        self,
        given: JsonObject,
        visitor: &Visitor,
        operation: impl Fn(&ops::Ctx<'_>, &Q) -> Result<A>,
    ) -> Done {
        let request = arguments::read(self.name(), &self.input(), given)?;
        let done = visitor.ask(|ctx| operation(ctx, &request))?;
        Ok((answer::success(&done)?, None))
    }
}
