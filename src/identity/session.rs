//! Sessions: how a client's process comes to its registration and to a name that nobody else has.
//!
//! Whichever of hook, MCP server and monitor runs first makes the registration; each of them brings it up to date. It asks the
//! store for names; what a name allows is the store's to judge.

use std::path::Path;

use super::registry::{Desk, Found, Marks, Registration, Registry};
use super::{Rule, Surroundings, process, project};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Generation, State};
use crate::ops::{self, Ctx, RenameRequest};
use crate::store::{Actor, Claim, Holder, Standing, Step};

/// Spare names tried before giving up.
const MAX_SPARES: u32 = 1_000;

/// A process of a client that enters its session.
pub struct Entrance<'a> {
    /// Where sessions are kept.
    pub registry: &'a Registry,
    /// What the rules look at.
    pub around: &'a Surroundings<'a>,
    /// The client process.
    pub found: &'a Found,
    /// The conversation, where the client told it.
    pub session_id: Option<&'a str>,
}

/// The store that a claim is in: its address with secrets, and the key prefix.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// The address.
    pub store: &'a str,
    /// The prefix.
    pub prefix: &'a str,
}

impl Entrance<'_> {
    /// Whether the registration is missing or behind; when not, it can be used as it is, without a word to the store.
    pub fn is_needed(&self) -> bool {
        let Some(session) = &self.found.registration else { return true };
        session.generation.is_none() || self.is_other_conversation(session) || self.given(session).is_some()
    }

    /// Brings the registration up to date, under its lock: makes it, follows the conversation, gets the name. What is known is
    /// kept also when the store fails, so that the next process goes on from there.
    pub fn enter(&self, ctx: &Ctx<'_>, home: Home<'_>) -> Result<Registration> {
        let mut desk = self.desk()?;
        let mut session = desk.registration.clone().unwrap_or_else(|| self.fresh());
        self.follow(ctx, &mut session);
        let named = self.name(ctx, &mut session, home);
        desk.write(&session)?;
        named.map(|()| session)
    }

    fn desk(&self) -> Result<Desk<'_>> {
        self.registry.desk(self.found.process.pid, self.found.process.started)
    }

    /// A registration without a claim, with the name that the rules give.
    fn fresh(&self) -> Registration {
        // Only this client's own session id counts: one inherited from a client further up is another session's.
        let variable = self.found.client.and_then(|client| client.session_variable);
        let session_id = self.session_id.or_else(|| self.around.env.get(variable?));
        let (name, rule) = self.around.wish(session_id.into_iter());
        Registration {
            client: self.found.client.map_or("client", |client| client.name).to_owned(),
            pid: self.found.process.pid,
            started: self.found.process.started,
            session_id: session_id.map(str::to_owned),
            wish: Some(name.clone()),
            name: Some(name),
            explicit: is_explicit(rule),
            generation: None,
            store: None,
            prefix: None,
            project: Some(self.project()),
            state: State::Idle,
            marks: Marks::default(),
            continued: 0,
            hooked: false,
            announced: None,
        }
    }

    fn project(&self) -> String {
        let variable = self.found.client.and_then(|client| client.project_variable);
        project(variable.and_then(|variable| self.around.env.get(variable)).map_or(self.around.dir, Path::new))
    }

    fn is_other_conversation(&self, session: &Registration) -> bool {
        self.session_id.is_some_and(|id| session.session_id.as_deref() != Some(id))
    }

    /// The name in `POSTINO_AGENT_NAME`, when it is to replace one that was only guessed.
    fn given(&self, session: &Registration) -> Option<&AgentName> {
        let given = self.around.settings.agent_name.as_ref().filter(|_| !session.explicit)?;
        (session.name.as_ref() != Some(given)).then_some(given)
    }

    /// Another conversation in the same process: one that has a name already brings it along, a new one keeps the process's.
    fn follow(&self, ctx: &Ctx<'_>, session: &mut Registration) {
        let Some(id) = self.session_id.filter(|_| self.is_other_conversation(session)) else { return };
        session.session_id = Some(id.to_owned());
        let Some(bound) = self.registry.bound(id).filter(|bound| session.name.as_ref() != Some(bound)) else { return };
        if let Some(claim) = session.generation.take() {
            // When this fails, the claim ends with the process.
            let _ = ctx.store.release(&step(ctx, &nobody(&ctx.actor)), claim);
        }
        session.wish = Some(bound.clone());
        session.name = Some(bound);
        session.explicit = true;
        session.marks = Marks { hints: session.marks.hints, ..Marks::default() };
    }

    /// Gets a name for a session that has none, and the given one for a session whose name was a guess.
    fn name(&self, ctx: &Ctx<'_>, session: &mut Registration, home: Home<'_>) -> Result<()> {
        let given = self.given(session).cloned();
        if let Some(given) = &given {
            session.wish = Some(given.clone());
            session.explicit = true;
        }
        match (session.generation, given) {
            (None, _) => claim(ctx, session, home),
            (Some(claim), Some(given)) => rename(ctx, session, claim, &given),
            (Some(_), None) => Ok(()),
        }
    }
}

/// Claims the session's wish, or the next free name like it (`NAME-2`, `NAME-3`, …), and notes it. A holder whose process is
/// gone from this host does not count.
pub fn claim(ctx: &Ctx<'_>, session: &mut Registration, home: Home<'_>) -> Result<()> {
    let Some(wish) = session.wish.clone().or_else(|| session.name.clone()) else { return Ok(()) };
    let holder = Holder {
        generation: Generation(0),
        host_id: process::host_id().to_owned(),
        pid: session.pid,
        started: session.started,
    };
    let actor = nobody(&ctx.actor);
    for name in spares(&wish) {
        let first = ctx.store.claim(&step(ctx, &actor), &name, &holder, None)?;
        let claim = match first {
            Claim::Held(other) if ctx.machine.is_gone(&other) => {
                ctx.store.claim(&step(ctx, &actor), &name, &holder, Some(other.generation))?
            }
            Claim::Held(_) | Claim::Granted(_) => first,
        };
        if let Claim::Granted(generation) = claim {
            session.name = Some(name);
            session.generation = Some(generation);
            session.store = Some(home.store.to_owned());
            session.prefix = Some(home.prefix.to_owned());
            return Ok(());
        }
    }
    Err(all_held(&wish))
}

/// Ends a session's claim: its name is free, and it is seen to be gone.
pub fn leave(ctx: &Ctx<'_>, claim: Generation) -> Result<()> {
    ctx.store.release(&step(ctx, &ctx.actor), claim)
}

/// Renames the session to the given name or the next free one like it; its mail comes along.
fn rename(ctx: &Ctx<'_>, session: &mut Registration, claim: Generation, given: &AgentName) -> Result<()> {
    let Some(old) = session.name.clone() else { return Ok(()) };
    let actor = Actor { name: old, standing: Standing::Session(claim), sighting: None };
    let Ctx { store, via, policy, lease, machine, actor: _ } = ctx;
    let ctx = Ctx { store: *store, actor, via: *via, policy: *policy, lease: *lease, machine: *machine };
    for name in spares(given) {
        match ops::rename(&ctx, &RenameRequest { name }) {
            Ok(renamed) => {
                session.name = Some(renamed.name);
                return Ok(());
            }
            Err(error) if error.kind == Kind::NameHeld => {}
            // The name is the session's already.
            Err(error) if error.kind == Kind::Conflict => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Err(all_held(given))
}

fn is_explicit(rule: Rule) -> bool {
    match rule {
        Rule::Flag | Rule::Session | Rule::Bound | Rule::Variable => true,
        Rule::Terminal | Rule::Directory => false,
    }
}

fn spares(wish: &AgentName) -> impl Iterator<Item = AgentName> {
    std::iter::once(wish.clone()).chain((2..=MAX_SPARES).map(|n| wish.spare(n)))
}

/// Who claims and releases: nobody yet, for the claim is what would make it somebody.
fn nobody(actor: &Actor) -> Actor {
    Actor { name: actor.name.clone(), standing: Standing::Guessed { gone: None }, sighting: None }
}

fn step<'s>(ctx: &'s Ctx<'_>, by: &'s Actor) -> Step<'s> {
    Step { by, now: ctx.machine.now(), policy: &ctx.policy }
}

fn all_held(wish: &AgentName) -> Error {
    Error::new(Kind::NameHeld, format!("{wish} and {MAX_SPARES} names like it are all held by live sessions"))
        .hint("choose another name with `postino rename NAME`")
}
