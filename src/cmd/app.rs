//! What every command starts from: settings, the store in use, and who asks; opened when first needed.

use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

use crate::choice::{self, By, Chosen};
use crate::config::{self, Env, Settings};
use crate::error::{Error, Kind, Result};
use crate::identity::registry::{Registration, Registry};
use crate::identity::{self, Identity, Surroundings, process};
use crate::model::{AgentName, Millis, Via};
use crate::ops::{Ctx, Machine};
use crate::store::address::{Patience, open};
use crate::store::{Holder, Phase, Standing, Step, Store};

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
    patient: Cell<bool>,
    said: Cell<bool>,
    opened: OnceCell<Opened>,
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
        Ok(App { globals, settings, env, patient: Cell::new(false), said: Cell::new(false), opened: OnceCell::new() })
    }

    /// Lifts the time limit: for commands that wait. Call it before `ctx`.
    pub fn waiting(&self) {
        self.patient.set(true);
    }

    /// What an operation needs: the store, opened at the first call, and who asks.
    pub fn ctx(&self) -> Result<Ctx<'_>> {
        let opened = self.opened()?;
        Ok(Ctx {
            store: &*opened.store,
            actor: opened.identity.actor.clone(),
            via: Via::Cli,
            policy: self.settings.policy,
            lease: self.settings.lease,
            machine: &System,
        })
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
        let deadline = (!self.patient.get()).then(|| System.instant() + BUDGET);
        Patience { deadline, ..Patience::default() }
    }

    fn opened(&self) -> Result<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let opened = self.open()?;
        Ok(self.opened.get_or_init(|| opened))
    }

    fn open(&self) -> Result<Opened> {
        let session = Registry::new(&self.settings.dirs.state).find(self.settings.client_pid);
        let chosen = choice::choose(self.globals.store.as_deref(), &self.settings, session.as_ref(), System.now())?;
        let store = open(&chosen.address, &chosen.prefix, self.patience())?;
        let identity = self.who(&*store, &chosen, session)?;
        Ok(Opened { chosen, store, identity })
    }

    /// Who asks. A session without a claim in this store claims its name now.
    fn who(&self, store: &dyn Store, chosen: &Chosen, session: Option<Registration>) -> Result<Identity> {
        let dir = config::current_dir();
        let resolve = |session: Option<&Registration>| {
            let flag = self.globals.agent.as_ref();
            Surroundings { flag, settings: &self.settings, env: &self.env, dir: &dir, session }.resolve()
        };
        let mut identity = resolve(session.as_ref());
        let Some(mut session) = identity.session.take() else { return Ok(identity) };
        let home = chosen.address.secret();
        if session.store.as_ref().is_some_and(|store| *store != home)
            || session.prefix.as_ref().is_some_and(|p| *p != chosen.prefix)
        {
            // Another store knows nothing of this session's claim: there its name is a guess like a directory's.
            identity.actor.standing = Standing::Guessed { gone: None };
            return Ok(identity);
        }
        if session.generation.is_none() {
            session.store = Some(home);
            session.prefix = Some(chosen.prefix.clone());
            let wish = identity.actor.name.clone();
            self.claim(store, &identity, &mut session, &wish)?;
        }
        Ok(resolve(Some(&session)))
    }

    /// Claims the wish or the next free name, and writes it down.
    fn claim(
        &self,
        store: &dyn Store,
        identity: &Identity,
        session: &mut Registration,
        wish: &AgentName,
    ) -> Result<AgentName> {
        // The claim itself is made by nobody yet: an actor without a claim.
        let mut actor = identity.actor.clone();
        actor.standing = Standing::Guessed { gone: None };
        actor.sighting = None;
        let step = Step { by: &actor, now: System.now(), policy: &self.settings.policy };
        let name = identity::claim(store, &step, &System, session, wish)?;
        Registry::new(&self.settings.dirs.state).save(session)?;
        Ok(name)
    }

    /// Notes a new name for this session, so that its other processes follow; nothing without a session.
    pub fn renamed(&self, name: &AgentName) -> Result<()> {
        match &self.opened()?.identity.session {
            Some(session) => {
                let session = Registration { name: Some(name.clone()), ..session.clone() };
                Registry::new(&self.settings.dirs.state).save(&session)
            }
            None => Ok(()),
        }
    }

    /// What can be done about a failure: `Ok` when the command can be run again on this app, else the failure, told in full.
    pub fn recover(&mut self, error: Error) -> Result<()> {
        match error.kind {
            Kind::Moving => self.follow(error),
            Kind::NameLost => Err(self.next_name(error)),
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

    /// Follows a store that has moved, unless its address was set by hand.
    fn follow(&mut self, error: Error) -> Result<()> {
        let Some(opened) = self.opened.take() else { return Err(error) };
        let Ok(Phase::Moved(token, url)) = opened.store.phase(System.now()) else { return Err(error) };
        if opened.chosen.by == By::Setting {
            return Err(error.hint(format!("set the address to {url}, or unset it")));
        }
        // The mover wrote the address down, with its password, where this user can read it; another user's choice is led there now.
        let there = choice::choose(None, &self.settings, None, System.now())?;
        let moved = if there.address == opened.chosen.address {
            let address = crate::store::address::Address::parse(&url)?;
            choice::switch(&self.settings, &address, "the store moved there")?;
            address
        } else {
            there.address
        };
        open(&moved, &opened.chosen.prefix, self.patience())?.fill_done(&token)?;
        if let Some(session) = &opened.identity.session {
            let session = Registration { store: Some(moved.secret()), ..session.clone() };
            Registry::new(&self.settings.dirs.state).save(&session)?;
        }
        Ok(())
    }

    /// Gets the next free name for a session whose name was taken over, and says so.
    fn next_name(&self, error: Error) -> Error {
        let Some(opened) = self.opened.get() else { return error };
        let Some(mut session) = opened.identity.session.clone() else { return error };
        let lost = opened.identity.actor.name.clone();
        match self.claim(&*opened.store, &opened.identity, &mut session, &lost) {
            Ok(name) => Error::new(
                Kind::NameLost,
                format!("another session took the name {lost} over; this session is {name} now"),
            )
            .hint("run the command again"),
            Err(failed) => failed,
        }
    }
}
