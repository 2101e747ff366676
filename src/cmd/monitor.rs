//! `postino monitor`: lives as long as the agent client that started it, says in one line that something has arrived, and keeps
//! the session present. Each line wakes an idle session, so there are few; each exit would too, so there is none.
//!
//! It knows when to speak; the words and the marks are those of the hooks.

mod timing;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::timing::Timing;
use super::app::{App, Visit};
use super::{Outcome, hook, told};
use crate::config::{Env, Settings};
use crate::error::{Error, Kind, Result};
use crate::identity::client::Client;
use crate::identity::process::Process;
use crate::identity::registry::{Clues, Found, Registration, Registry};
use crate::ops;
use crate::output::{Output, Stop};
use crate::store::address::Patience;
use crate::store::{Scope, Waiter};

/// How often the client's process is looked at.
const WATCH: Duration = Duration::from_secs(1);
/// How long the farewell may take once it is gone.
const FAREWELL: Duration = Duration::from_secs(3);
/// How old presence may become before it is written anew: with one wait, 15 seconds.
const PRESENCE: Duration = Duration::from_secs(13);
/// The longest pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  postino monitor

An agent client starts it (for Claude Code, the plugin does). It ends with the client.";

/// Arguments of `monitor`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Runs until the client is gone, or nobody reads. Fails only when there is no client.
pub fn run(out: &Output, _args: Args) -> Outcome {
    let env = Env::of_process().unwrap_or_default();
    let Found { process: client, client: program, registration: _ } = client(&env)?;
    out.end_when_closed();
    let gone = Arc::new(AtomicBool::new(false));
    watch(client.clone(), Arc::clone(&gone));
    let mut monitor = Monitor { env, client, program, gone, timing: Timing::default(), seen: None, registered: false };
    let mut pause = WATCH / 8;
    while !monitor.is_over() {
        let began = Instant::now();
        match monitor.sit(out) {
            Ok(()) => {}
            Err(Stop::Closed) => break,
            // Nothing is said about a failure, for a line costs a turn; it is tried again.
            Err(Stop::Failed(_)) => {
                pause = if began.elapsed() > PAUSE { WATCH / 8 } else { (pause * 2).min(PAUSE) };
                std::thread::sleep(pause);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The client process; `Usage` when there is none.
fn client(env: &Env) -> Result<Found> {
    // Settings that cannot be read must not end a session's monitor: they may be mended.
    let settings = Settings::read(env).ok();
    let state = settings.as_ref().map(|settings| settings.dirs.state.clone()).unwrap_or_default();
    let pid = || env.get("POSTINO_CLIENT_PID")?.parse().ok();
    let outright = settings.and_then(|settings| settings.client_pid).or_else(pid);
    let clues = Clues { outright, said: None, env };
    Registry::new(&state).client(&clues).ok_or_else(|| {
        Error::new(Kind::Usage, "no agent client was found among the processes that started this one")
            .hint("use `postino watch`, or set POSTINO_CLIENT_PID to the client's process id")
    })
}

/// Notes when the client is gone, and ends the process if that is not enough.
fn watch(client: Process, gone: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        while !client.is_gone() {
            std::thread::sleep(WATCH);
        }
        gone.store(true, Ordering::Relaxed);
        std::thread::sleep(FAREWELL);
        #[expect(clippy::disallowed_methods, reason = "the main thread may be blocked in a name look-up")]
        std::process::exit(0);
    });
}

/// The monitor of a client process.
struct Monitor {
    env: Env,
    client: Process,
    program: Option<&'static Client>,
    gone: Arc<AtomicBool>,
    timing: Timing,
    /// When presence was last written.
    seen: Option<Instant>,
    /// Whether the session was registered once: what goes then is not made again.
    registered: bool,
}

/// An opened store with something to wait on, for a session as it was then.
struct Post {
    app: App,
    waiter: Box<dyn Waiter>,
}

impl Monitor {
    fn is_over(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Monitors until the client is gone, or something fails.
    fn sit(&mut self, out: &Output) -> std::result::Result<(), Stop> {
        let settings = Settings::read(&self.env)?;
        let registry = Registry::new(&settings.dirs.state);
        let Some(_only) = registry.monitor_lock(self.client.pid, self.client.started)? else {
            // Another one serves this client; this one is there when that one ends.
            return Err(Error::new(Kind::NameHeld, "another monitor serves this client").into());
        };
        let mut post: Option<Post> = None;
        while !self.is_over() {
            let session = registry.load(&self.client);
            if session.is_none() && self.registered {
                // The session has ended; its client has not yet, or starts another one.
                post = None;
                std::thread::sleep(WATCH);
                continue;
            }
            let mut at = match post.take() {
                Some(post) if post.app.is_current(session.as_ref()) => post,
                Some(_) | None => self.open(&settings, session)?,
            };
            let until = match self.look(&registry, &at, out) {
                Ok(until) => until,
                Err(Stop::Failed(error)) => match at.app.recover(error) {
                    // The session ended while it was looked at.
                    Err(_) if registry.load(&self.client).is_none() => continue,
                    recovered => {
                        recovered?;
                        continue;
                    }
                },
                Err(closed) => return Err(closed),
            };
            at.waiter.wait(until)?;
            post = Some(at);
        }
        if let Some(session) = registry.load(&self.client) {
            hook::depart(&self.app(&settings, Some(session)), &registry)?;
        }
        Ok(())
    }

    fn app(&self, settings: &Settings, registration: Option<Registration>) -> App {
        let found = Found { process: self.client.clone(), client: self.program, registration };
        let patience = Patience { connect: WATCH, command: PAUSE, deadline: None };
        App::visiting(self.env.clone(), settings.clone(), Visit { found, session_id: None }, patience)
    }

    fn open(&mut self, settings: &Settings, session: Option<Registration>) -> Result<Post> {
        let app = self.app(settings, session);
        let name = app.identity()?.actor.name.clone();
        // The waiter is made before the look, so that nothing between them is missed.
        let waiter = app.ctx()?.store.waiter(&Scope::Mail(name))?;
        self.registered = true;
        self.seen = None;
        Ok(Post { app, waiter })
    }

    /// Looks at the store, and says what there is to say; gives the time of the next look.
    fn look(&mut self, registry: &Registry, post: &Post, out: &Output) -> std::result::Result<Instant, Stop> {
        let now = Instant::now();
        let Some(session) = registry.load(&self.client) else { return Ok(now) };
        let mut ctx = post.app.ctx()?;
        let is_due = self.seen.is_none_or(|seen| now.duration_since(seen) >= PRESENCE);
        // Presence is written as it is known here, so that a store that lost it is right again.
        ctx.actor.sighting = ctx.actor.sighting.filter(|_| is_due);
        if let Some(sighting) = &mut ctx.actor.sighting {
            sighting.state = Some(session.state);
        }
        let news = ops::check(&ctx)?;
        if is_due {
            self.seen = Some(now);
        }
        let untold = told::untold(&session.marks, &news);
        if !self.timing.is_time(&untold, &news, now) {
            return Ok(self.timing.next(now));
        }
        let mut desk = registry.desk(session.pid, session.started)?;
        let Some(mut current) = desk.registration.clone() else {
            desk.remove();
            return Ok(now);
        };
        if current.marks.hints == session.marks.hints {
            current.marks = told::marked(&current.marks, &news);
            desk.write(&current)?;
            drop(desk);
            if let Some(line) = told::line(&untold, current.marks.hints) {
                out.text(&format!("{line}\n"))?;
            }
            self.timing.told(&news, Instant::now());
        }
        Ok(self.timing.next(now))
    }
}
