//! What every command starts from: settings, the store in use, and who asks; opened when first needed.

use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

use crate::choice::{self, By, Chosen};
use crate::config::{self, Env, Settings};
use crate::error::{Error, Kind, Result};
use crate::identity::registry::{Clues, Found, Registration, Registry};
use crate::identity::session::{self, Entrance, Home};
use crate::identity::{Identity, Surroundings, process};
use crate::model::{AgentName, Millis, Via};
use crate::ops::{Ctx, Machine};
use crate::store::address::{Address, Patience, open};
use crate::store::{Actor, Holder, Phase, Standing, Store};

/// How long a command that does not wait may talk to its store, connection and name look-up included.
const BUDGET: Duration = Duration::from_millis(5_700);

/// The machine that this process runs on.
pub struct System;

impl Machine for System {
    fn now(&self) -> Millis {
        config::now()
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn random(&self) -> u128 {
        config::random()
    }

    fn is_gone(&self, holder: &Holder) -> bool {
        process::is_gone(holder)
    }
}

/// The options that every command has.
#[derive(Clone, Debug, Default)]
pub struct Globals {
    /// `--agent`.
    pub agent: Option<AgentName>,
    /// `--store`.
    pub store: Option<String>,
}

/// A command's surroundings.
pub struct App {
    /// The options that every command has.
    pub globals: Globals,
    /// What the user set.
    pub settings: Settings,
    env: Env,
    patience: Cell<Option<Patience>>,
    said: Cell<bool>,
    visit: Option<Visit>,
    /// How long to wait for another process that has the session's registration; `None` as long as it takes.
    pub lock_limit: Option<Duration>,
    opened: OnceCell<Opened>,
}

/// The client process that this process belongs to, and the conversation where the client told it: such a process registers the
/// session instead of only using it.
pub struct Visit {
    /// The client process.
    pub found: Found,
    /// The conversation.
    pub session_id: Option<String>,
}

/// The store in use and who asks.
struct Opened {
    chosen: Chosen,
    store: Box<dyn Store>,
    identity: Identity,
}

impl App {
    /// Reads the settings. `Usage` when one is bad.
    pub fn new(globals: Globals) -> Result<App> {
        let env = Env::of_process()?;
        let settings = Settings::read(&env)?;
        Ok(App::with(globals, settings, env, None, None))
    }

    /// The app of a process that the client started for the session: it registers it, and claims its name.
    pub fn visiting(env: Env, settings: Settings, visit: Visit, patience: Patience) -> App {
        App::with(Globals::default(), settings, env, Some(patience), Some(visit))
    }

    /// The app of a server that a client started: of the session that it serves, or under a name that was given outright.
    pub fn serving(globals: Globals, env: Env, settings: Settings, visit: Option<Visit>, patience: Patience) -> App {
        App::with(globals, settings, env, Some(patience), visit)
    }

    fn with(globals: Globals, settings: Settings, env: Env, patience: Option<Patience>, visit: Option<Visit>) -> App {
        let (patience, said) = (Cell::new(patience), Cell::new(false));
        App { globals, settings, env, patience, said, visit, lock_limit: None, opened: OnceCell::new() }
    }

    /// The session that a visitor came to, when it is registered and still in the same conversation.
    pub fn visited(&self) -> Option<&Registration> {
        let visit = self.visit.as_ref()?;
        let session = visit.found.registration.as_ref()?;
        let same = visit.session_id.is_none() || session.session_id.is_none() || visit.session_id == session.session_id;
        same.then_some(session)
    }

    /// Whether this app was opened for the session as it is registered now.
    pub fn is_current(&self, session: Option<&Registration>) -> bool {
        let key = |of: &Registration| (of.name.clone(), of.generation, of.store.clone(), of.prefix.clone());
        let opened = self.opened.get();
        opened.is_some_and(|opened| opened.identity.session.as_ref().map(key) == session.map(key))
    }

    /// Lifts the time limit: for commands that wait. Call it before `ctx`.
    pub fn waiting(&self) {
        self.patience.set(Some(Patience::default()));
    }

    /// A variable of the environment.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name)
    }

    /// The variables of this process.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// What an operation needs: the store, opened at the first call, and who asks.
    pub fn ctx(&self) -> Result<Ctx<'_>> {
        let opened = self.opened()?;
        Ok(self.acting(&*opened.store, opened.identity.actor.clone()))
    }

    /// The store in use, for what only commands do to a store as a whole.
    pub fn store(&self) -> Result<&dyn Store> {
        Ok(&*self.opened()?.store)
    }

    /// Which store is in use and why.
    pub fn chosen(&self) -> Result<&Chosen> {
        Ok(&self.opened()?.chosen)
    }

    /// Who asks, and by which rule.
    pub fn identity(&self) -> Result<&Identity> {
        Ok(&self.opened()?.identity)
    }

    /// What is to be said about the store at the first use; said once, so the next call gives nothing.
    pub fn notice(&self) -> Option<String> {
        let chosen = &self.opened.get()?.chosen;
        let first = chosen.fresh && !self.said.replace(true);
        first.then(|| format!("using {} ({}); `postino store` shows it", chosen.address, chosen.reason))
    }

    /// How patient this command is with a server.
    pub fn patience(&self) -> Patience {
        let in_time = || Patience { deadline: Some(System.instant() + BUDGET), ..Patience::default() };
        self.patience.get().unwrap_or_else(in_time)
    }

    /// The registry of sessions.
    pub fn registry(&self) -> Registry {
        Registry::new(&self.settings.dirs.state)
    }

    /// The client process that this process runs in.
    pub fn client(&self) -> Option<Found> {
        self.registry().client(&Clues { outright: self.settings.client_pid, said: None, env: &self.env })
    }

    fn session(&self) -> Option<Registration> {
        match &self.visit {
            Some(visit) => visit.found.registration.clone(),
            None => {
                let clues = Clues { outright: self.settings.client_pid, said: None, env: &self.env };
                self.registry().find(&clues)
            }
        }
    }

    fn opened(&self) -> Result<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = self.open()?;
        Ok(self.opened.get_or_init(|| opened))
    }

    fn open(&self) -> Result<Opened> {
        let session = self.session();
        let (chosen, store) = self.reach(session.as_ref())?;
        let identity = self.who(&*store, &chosen, session)?;
        Ok(Opened { chosen, store, identity })
    }

    /// The store that is chosen, and why it is the one.
    fn reach(&self, session: Option<&Registration>) -> Result<(Chosen, Box<dyn Store>)> {
        let chosen = choice::choose(self.globals.store.as_deref(), &self.settings, session, System.now())?;
        let store = open(&chosen.address, &chosen.prefix, self.patience())?;
        Ok((chosen, store))
    }

    /// Who asks. A session without a claim in this store claims its name now.
    fn who(&self, store: &dyn Store, chosen: &Chosen, session: Option<Registration>) -> Result<Identity> {
        let dir = config::current_dir();
        let around = |session| {
            let flag = self.globals.agent.as_ref();
            Surroundings { flag, settings: &self.settings, env: &self.env, dir: &dir, session }
        };
        let mut identity = around(session.as_ref()).resolve();
        if identity.session.as_ref().is_some_and(|session| !is_at_home(session, chosen)) {
            // Another store knows nothing of this session's claim: there its name is a guess like a directory's.
            identity.actor.standing = Standing::Guessed { gone: None };
            return Ok(identity);
        }
        let around_now = around(None);
        let registry = self.registry();
        let entrance = self.visit.as_ref().map(|visit| Entrance {
            registry: &registry,
            around: &around_now,
            found: &visit.found,
            session_id: visit.session_id.as_deref(),
            lock_limit: self.lock_limit,
        });
        let ctx = self.acting(store, identity.actor.clone());
        let home = chosen.address.secret();
        let home = Home { store: &home, prefix: &chosen.prefix };
        let session = match (entrance, &identity.session) {
            (Some(entrance), _) if entrance.is_needed() => entrance.enter(&ctx, home)?,
            (None, Some(session)) if session.generation.is_none() => self.claim(&ctx, session, home)?,
            (Some(_) | None, _) => return Ok(identity),
        };
        Ok(around(Some(&session)).resolve())
    }

    /// Claims the wish or the next free name, and writes it down. Another process may have done so meanwhile.
    fn claim(&self, ctx: &Ctx<'_>, session: &Registration, home: Home<'_>) -> Result<Registration> {
        let registry = self.registry();
        let desk = registry.desk_within(session.pid, session.started, self.lock_limit)?;
        let mut desk = desk.ok_or_else(session::busy)?;
        let Some(mut now) = desk.registration.clone() else {
            desk.remove();
            return Err(Error::new(Kind::NameLost, "the session has ended"));
        };
        if now.generation == session.generation {
            session::claim(ctx, &mut now, home)?;
            desk.write(&now)?;
        }
        Ok(now)
    }

    fn acting<'a>(&self, store: &'a dyn Store, actor: Actor) -> Ctx<'a> {
        let (policy, lease) = (self.settings.policy, self.settings.lease);
        Ctx { store, actor, via: Via::Cli, policy, lease, machine: &System }
    }

    /// Notes a new name for this session, so that its other processes follow; nothing without a session.
    pub fn renamed(&self, name: &AgentName) -> Result<()> {
        let Some(session) = &self.opened()?.identity.session else { return Ok(()) };
        let name = Some(name.clone());
        let change = |session: &mut Registration| {
            // Who renames knows the name: no hook needs to tell it.
            (session.name, session.wish, session.announced) = (name.clone(), name.clone(), name);
            session.explicit = true;
        };
        self.registry().update(session, change).map(drop)
    }

    /// What can be done about a failure: `Ok` when the command can be run again on this app, else the failure, told in full.
    pub fn recover(&mut self, error: Error) -> Result<()> {
        match error.kind {
            Kind::Moving => self.follow(error),
            Kind::NameLost => self.next_name(error),
            Kind::Usage
            | Kind::NotFound
            | Kind::TimedOut
            | Kind::Full
            | Kind::Conflict
            | Kind::Stale
            | Kind::NameHeld
            | Kind::Denied
            | Kind::Unreachable
            | Kind::Other => Err(error),
        }
    }

    /// Follows a store that has moved, with the session, if there is one.
    fn follow(&mut self, error: Error) -> Result<()> {
        let (chosen, store, session) = match self.opened.take() {
            Some(opened) => (opened.chosen, opened.store, opened.identity.session),
            // It was when the session asked for its name.
            None => {
                let session = self.session();
                let (chosen, store) = self.reach(session.as_ref())?;
                (chosen, store, session)
            }
        };
        let moved = follow(&self.settings, &chosen, &*store, self.patience(), error)?;
        if let Some(session) = &session {
            let session = self.registry().update(session, |session| session.store = Some(moved.secret()))?;
            if let Some(visit) = &mut self.visit {
                visit.found.registration = session;
            }
        }
        Ok(())
    }

    /// Gets the next free name for a session whose name was taken over, or the same one in a store that lost what it held. A
    /// command says so when it is another one; a process that the client started for the session goes on under that name.
    fn next_name(&mut self, error: Error) -> Result<()> {
        let Some(opened) = self.opened.take() else { return Err(error) };
        let Some(session) = &opened.identity.session else { return Err(error) };
        let ctx = self.acting(&*opened.store, opened.identity.actor.clone());
        let home = opened.chosen.address.secret();
        let session = self.claim(&ctx, session, Home { store: &home, prefix: &opened.chosen.prefix })?;
        if let Some(visit) = &mut self.visit {
            visit.found.registration = Some(session);
            return Ok(());
        }
        let (lost, Some(name)) = (&ctx.actor.name, session.name) else { return Err(error) };
        if *lost == name {
            return Ok(());
        }
        let message = format!("another session took the name {lost} over; this session is {name} now");
        Err(Error::new(Kind::NameLost, message).hint("run the command again"))
    }
}

/// Where a store that answered with `error` has moved to, ready for use. The same error when it has not moved, and when its address
/// was set by hand: then it says what to set.
pub fn follow(
    settings: &Settings,
    chosen: &Chosen,
    store: &dyn Store,
    patience: Patience,
    error: Error,
) -> Result<Address> {
    let Ok(Phase::Moved(token, url)) = store.phase(System.now()) else { return Err(error) };
    if chosen.by == By::Setting {
        return Err(error.hint(format!("set the address to {url}")));
    }
    // The mover wrote the address down, with its password, where this user can read it; another user's choice is led there now.
    let there = choice::choose(None, settings, None, System.now())?;
    let moved = if there.address == chosen.address {
        let address = Address::parse(&url)?;
        choice::switch(settings, &address, "the store moved there")?;
        address
    } else {
        there.address
    };
    open(&moved, &chosen.prefix, patience)?.fill_done(&token)?;
    Ok(moved)
}

/// Whether a session's claim, if it has one, is in this store.
fn is_at_home(session: &Registration, chosen: &Chosen) -> bool {
    session.store.as_ref().is_none_or(|store| *store == chosen.address.secret())
        && session.prefix.as_ref().is_none_or(|prefix| *prefix == chosen.prefix)
}
