//! `postino mcp`: the MCP server of a session. It hands in what the server has to ask for: under which name it acts, where, and
//! when something arrives; and it ends the session when the session ends with it.
//!
//! It knows no tool and no protocol.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::app::{App, Globals, System, Visit};
use super::{Outcome, hook, serve, told};
use crate::config::{Env, Settings};
use crate::error::Result;
use crate::identity::client;
use crate::identity::process::{self, Process};
use crate::identity::registry::{Clues, Found, Marks, Registration, Registry};
use crate::mcp::{self, Desk, Work};
use crate::model::{AgentName, Via};
use crate::ops::{self, CheckResponse, Machine};
use crate::output::Stop;
use crate::store::address::Patience;
use crate::store::{Scope, Waiter};

/// How long a server may take to answer a connection and one step. Together they stay below what a call may take.
const PATIENCE: Patience =
    Patience { connect: Duration::from_secs(1), command: Duration::from_secs(3), deadline: None };
/// How often it is looked whether the client lives.
const WATCH: Duration = Duration::from_secs(1);
/// How long the farewell may take once it is gone.
const FAREWELL: Duration = Duration::from_secs(3);
/// How old presence may become before it is written anew: with one wait, 15 seconds.
const PRESENCE: Duration = Duration::from_secs(11);
/// How long one wait for mail lasts at most.
const WAIT: Duration = Duration::from_secs(3);
/// How long a server without a known client waits for a hook to make one known, before it is there as an agent of its own. A
/// call does not wait.
const GRACE: Duration = Duration::from_secs(2);
/// The longest pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  claude mcp add postino -- postino mcp
  codex mcp add postino -- postino mcp

A client starts it and speaks with it on stdin and stdout. It ends when stdin is closed, or when the client is gone.
`postino install` registers it.";

/// Arguments of `mcp`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Serves until stdin is closed or the client is gone.
pub fn run(globals: Globals, _args: Args) -> Outcome {
    let reception = Arc::new(Reception::new(globals)?);
    watch(Arc::clone(&reception));
    let served = mcp::run(Arc::clone(&reception) as Arc<dyn Desk>);
    reception.end();
    served.map(|()| ExitCode::SUCCESS).map_err(Stop::from)
}

/// Ends the process when the client is gone without having closed stdin.
fn watch(reception: Arc<Reception>) {
    std::thread::spawn(move || {
        while !reception.known().lives_by.is_gone() {
            std::thread::sleep(WATCH);
        }
        std::thread::spawn(|| {
            std::thread::sleep(FAREWELL);
            leave();
        });
        reception.end();
        leave();
    });
}

fn leave() {
    #[expect(clippy::disallowed_methods, reason = "the main thread is blocked in a read that nobody ends any more")]
    std::process::exit(0);
}

/// Whom the server acts for.
#[derive(Clone)]
struct Party {
    /// The client's process; of a server without a known client, its own.
    session: Process,
    client: Option<&'static client::Client>,
    /// The process that the server does not outlive.
    lives_by: Process,
}

impl Party {
    fn is_alone(&self) -> bool {
        self.client == Some(&client::ALONE)
    }

    fn found(self, registration: Option<Registration>) -> Found {
        Found { process: self.session, client: self.client, registration }
    }
}

/// Where the server asks who it is.
struct Reception {
    globals: Globals,
    env: Env,
    party: Mutex<Party>,
    began: Instant,
    /// Whether the session was registered once: what goes then is made again only for a call.
    registered: AtomicBool,
    /// Whether what a session's start brings along has been done: a web server, and a look for what dead sessions left.
    served: AtomicBool,
    kept: Mutex<Option<App>>,
}

impl Reception {
    fn new(globals: Globals) -> Result<Reception> {
        let env = Env::of_process()?;
        let own = process::own()?;
        let lives_by = process::ancestors().next().unwrap_or_else(|| own.clone());
        let party = Mutex::new(Party { session: own, client: Some(&client::ALONE), lives_by });
        let (registered, served, kept) = (AtomicBool::new(false), AtomicBool::new(false), Mutex::default());
        let reception = Reception { globals, env, party, began: Instant::now(), registered, served, kept };
        reception.party();
        Ok(reception)
    }

    /// Whom it acts for as far as that is known.
    fn known(&self) -> Party {
        self.party.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whom it acts for: looked up at each call, for a hook may make the client known later. One that has registered alone stays
    /// alone, and one whose client is gone has no other.
    fn party(&self) -> Party {
        let known = self.known();
        if known.is_alone() && self.registered.load(Ordering::Relaxed) {
            return known;
        }
        let Some(found) = self.client() else { return known };
        let mut party = self.party.lock().unwrap_or_else(PoisonError::into_inner);
        if !party.lives_by.is_gone() {
            *party = Party { session: found.process.clone(), client: found.client, lives_by: found.process };
        }
        party.clone()
    }

    fn client(&self) -> Option<Found> {
        // Settings that cannot be read are told by each call, and may be mended meanwhile.
        let settings = self.settings().ok();
        let outright = match &settings {
            Some(settings) => settings.client_pid,
            None => self.env.get("POSTINO_CLIENT_PID").and_then(|pid| pid.parse().ok()),
        };
        let state = settings.map(|settings| settings.dirs.state).unwrap_or_default();
        Registry::new(&state).client(&Clues { outright, said: None, env: &self.env })
    }

    fn settings(&self) -> Result<Settings> {
        Settings::read(&self.env)
    }

    /// The app of the session as it is registered now; the kept one when nothing has changed since.
    fn app(&self, kept: Option<App>) -> Result<App> {
        let settings = self.settings()?;
        if self.globals.agent.is_some() {
            // Named for this process alone: that binds no session.
            return Ok(
                kept.unwrap_or_else(|| App::serving(self.globals.clone(), self.env.clone(), settings, None, PATIENCE))
            );
        }
        let party = self.party();
        let registration = Registry::new(&settings.dirs.state).load(&party.session);
        if let Some(app) = kept.filter(|app| app.is_current(registration.as_ref())) {
            return Ok(app);
        }
        let visit = Visit { found: party.found(registration), session_id: None };
        Ok(App::serving(self.globals.clone(), self.env.clone(), settings, Some(visit), PATIENCE))
    }

    /// Does `work` with this app.
    fn with(&self, app: &App, work: &mut Work<'_>) -> Result<()> {
        let mut ctx = app.ctx()?;
        ctx.via = Via::Mcp;
        self.registered.store(true, Ordering::Relaxed);
        work(&ctx)
    }

    /// Ends the session, if it ends with this server: its client is gone, or none of its hooks will do it.
    fn end(&self) {
        let Ok(settings) = self.settings() else { return };
        let registry = Registry::new(&settings.dirs.state);
        let party = self.known();
        let Some(registration) = registry.load(&party.session) else { return };
        if registration.hooked && !party.session.is_gone() {
            return;
        }
        let visit = Some(Visit { found: party.found(Some(registration)), session_id: None });
        let patience = Patience { deadline: Some(Instant::now() + FAREWELL), ..PATIENCE };
        let app = App::serving(self.globals.clone(), self.env.clone(), settings, visit, patience);
        // When the store does not answer, the claim ends because this process is gone.
        let _ = hook::depart(&app, &registry);
    }

    /// Keeps the session present and tells of arrivals, until something fails.
    fn sit(&self, tell: &mut dyn FnMut(&CheckResponse)) -> Result<()> {
        let (mut post, mut marks): (Option<Post>, Option<Marks>) = (None, None);
        loop {
            let party = self.party();
            let registration = Registry::new(&self.settings()?.dirs.state).load(&party.session);
            let is_ours = self.globals.agent.is_none();
            if is_ours && party.is_alone() && registration.is_none() && self.began.elapsed() < GRACE {
                std::thread::sleep(WATCH / 8);
                continue;
            }
            if is_ours && registration.is_none() && self.registered.load(Ordering::Relaxed) {
                // The session has ended; its client has not yet, or starts another one.
                post = None;
                std::thread::sleep(WATCH);
                continue;
            }
            let mut at = match post.take().filter(|post| !is_ours || post.app.is_current(registration.as_ref())) {
                Some(post) => post,
                None => self.open()?,
            };
            match at.look(registration.as_ref(), &mut marks, tell) {
                Ok(()) => at.waiter.wait(Instant::now() + WAIT)?,
                Err(error) => at.app.recover(error)?,
            }
            post = Some(at);
        }
    }

    fn open(&self) -> Result<Post> {
        let app = self.app(None)?;
        if app.store().is_ok() && !self.served.swap(true, Ordering::Relaxed) {
            serve::ensure(&app);
            app.registry().sweep(System.now());
        }
        let name = app.identity()?.actor.name.clone();
        // The waiter is made before the look, so that nothing between them is missed.
        let waiter = app.ctx()?.store.waiter(&Scope::Mail(name))?;
        self.registered.store(true, Ordering::Relaxed);
        Ok(Post { app, waiter, seen: None })
    }
}

impl Desk for Reception {
    fn serve(&self, work: &mut Work<'_>) -> Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut app = self.app(kept.take())?;
        let done = match self.with(&app, work) {
            Err(error) => app.recover(error).and_then(|()| self.with(&app, work)),
            Ok(()) => Ok(()),
        };
        *kept = Some(app);
        done
    }

    fn renamed(&self, name: &AgentName) -> Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_mut().map_or(Ok(()), |app| app.renamed(name))
    }

    fn attend(&self, tell: &mut dyn FnMut(&CheckResponse)) {
        let mut pause = WATCH / 8;
        loop {
            let began = Instant::now();
            if self.sit(tell).is_err() {
                pause = if began.elapsed() > PAUSE { WATCH / 8 } else { (pause * 2).min(PAUSE) };
                std::thread::sleep(pause);
            }
        }
    }
}

/// An opened store with something to wait on, for a session as it was then.
struct Post {
    app: App,
    waiter: Box<dyn Waiter>,
    /// When presence was last written.
    seen: Option<Instant>,
}

impl Post {
    /// Looks what is new, and tells of it when it was not there at the last look.
    fn look(
        &mut self,
        session: Option<&Registration>,
        marks: &mut Option<Marks>,
        tell: &mut dyn FnMut(&CheckResponse),
    ) -> Result<()> {
        let now = Instant::now();
        let mut ctx = self.app.ctx()?;
        let is_due = self.seen.is_none_or(|seen| now.duration_since(seen) >= PRESENCE);
        // Presence is written as it is known here, so that a store that lost it is right again.
        ctx.actor.sighting = ctx.actor.sighting.filter(|_| is_due);
        if let Some(sighting) = &mut ctx.actor.sighting {
            sighting.state = session.map(|session| session.state);
        }
        let news = ops::check(&ctx)?;
        if is_due {
            self.seen = Some(now);
        }
        let known = marks.get_or_insert_with(|| told::marked(&Marks::default(), &news));
        let untold = told::untold(known, &news);
        *known = told::marked(known, &news);
        if untold.is_news() {
            tell(&untold);
        }
        Ok(())
    }
}
