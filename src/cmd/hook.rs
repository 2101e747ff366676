//! `postino hook EVENT [CLIENT]`: called by agent clients, many times an hour, mostly for nothing. So it is dispatched before the
//! command line is parsed, prints nothing when nothing is new, and ends in time with success, whatever happens.
//!
//! It knows what a session is told and when; not how mail is stored, nor what a client's JSON looks like.

mod event;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod telling;
mod wire;

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use self::event::Event;
use self::telling::Telling;
use super::app::{App, System, Visit};
use super::{serve, told};
use crate::config::{Env, Settings};
use crate::error::{Kind, Result};
use crate::identity::client::{self, Form};
use crate::identity::registry::{Clues, Registration, Registry};
use crate::identity::session;
use crate::model::{Body, BroadcastKind, State, Via};
use crate::ops::{self, AgentsRequest, BroadcastRequest, CheckResponse, Machine};
use crate::output::{Look, Output, When};
use crate::store::address::Patience;

/// After this long a hook ends, whatever it is doing. Clients give it more, but a user waits for it.
const IN_ALL: Duration = Duration::from_millis(260);
/// What of that is kept for noting that the store did not answer.
const NOTING: Duration = Duration::from_millis(60);
/// Which part of that, at most, is spent waiting for another hook of the same session: `IN_ALL` divided by this.
const FOR_OTHERS: u32 = 8;
/// The variable that gives a hook more or less time, in milliseconds: for tests, and for machines that are slower than users.
const IN_ALL_VARIABLE: &str = "POSTINO_HOOK_MS";

const EXAMPLES: &str = "\
Examples:
  postino hook session-start < event.json
  postino hook stop codex < event.json

Events: session-start, user-prompt-submit, post-tool-use, stop, session-end. All others do nothing.
A hook prints nothing when nothing is new, and ends with 0 within 300 ms, whatever happens.
POSTINO_DEBUG=1 says on stderr what it did.";

/// Arguments of `hook`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What happened in the session; the client's JSON is read from stdin
    event: OsString,
    /// The client: claude, codex, gemini, opencode or cursor; found out when it is left out
    client: Option<OsString>,
}

/// The same from parsed arguments.
pub fn run(args: Args) -> ExitCode {
    main(&std::iter::once(args.event).chain(args.client).collect::<Vec<_>>())
}

/// Runs a hook: the event's name, and the client's where it cannot be told from its process. Always a success.
pub fn main(args: &[OsString]) -> ExitCode {
    let started = Instant::now();
    let env = Env::of_process();
    let given = env.as_ref().ok().and_then(|env| env.get(IN_ALL_VARIABLE)?.parse().ok()).map(Duration::from_millis);
    let in_all = given.unwrap_or(IN_ALL);
    let end = started + in_all;
    watch(end);
    // A panic would be shown to the user as a failure of the client.
    std::panic::set_hook(Box::new(|_| {}));
    let _ = std::panic::catch_unwind(|| {
        let Ok(env) = env else { return };
        let word = |n: usize| args.get(n).and_then(|word| word.to_str()).unwrap_or_default();
        let limits = (end.checked_sub(NOTING).unwrap_or(end), in_all / FOR_OTHERS);
        let outcome = serve(word(0), word(1), &env, limits);
        if env.get("POSTINO_DEBUG").is_some_and(|value| value != "0") {
            report(word(0), &outcome, started);
        }
    });
    ExitCode::SUCCESS
}

/// Ends the process in time, with success.
fn watch(deadline: Instant) {
    let watchdog = move || {
        std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
        #[expect(clippy::disallowed_methods, reason = "the main thread may be blocked in a read or a name look-up")]
        std::process::exit(0);
    };
    // Without a thread there is no watchdog; the store's deadline remains.
    let _ = std::thread::Builder::new().stack_size(64 << 10).spawn(watchdog);
}

fn output() -> Output {
    Output::new(false, false, When::Never, Look::default())
}

fn report(called: &str, outcome: &Result<&'static str>, started: Instant) {
    let what = match outcome {
        Ok(what) => (*what).to_owned(),
        Err(error) => error.message.clone(),
    };
    output().notice(&format!("hook {called}: {what} ({} ms)", started.elapsed().as_millis()));
}

/// Does what the event asks for, by a deadline and with a limit of waiting for others; says in a few words what that was.
fn serve(called: &str, said: &str, env: &Env, (deadline, for_others): (Instant, Duration)) -> Result<&'static str> {
    let Some(wire) = wire::read(std::io::stdin().lock()) else { return Ok("no JSON on stdin") };
    let Some(event) = Event::of(called, &wire) else { return Ok("nothing to do") };
    let settings = Settings::read(env)?;
    let registry = Registry::new(&settings.dirs.state);
    let clues = Clues { outright: settings.client_pid, said: client::named(said), env };
    let Some(mut found) = registry.client(&clues) else { return Ok("no client") };
    let form = event.form(found.client.get_or_insert(&client::CLAUDE));
    let patience = Patience { connect: IN_ALL, command: IN_ALL, deadline: Some(deadline) };
    let visit = Visit { found, session_id: wire.session().map(str::to_owned) };
    // The process ends with this: what it holds is the system's to take back, at less cost than piece by piece.
    let mut app = ManuallyDrop::new(App::visiting(env.clone(), settings, visit, patience));
    app.lock_limit = Some(for_others);
    if event == Event::End {
        return depart(&app, &registry);
    }
    let text = match news(&mut app, event) {
        Ok(news) => tell(&app, &registry, event, form, &news)?,
        // Another hook is at it: that is no failure of the store.
        Err(error) if error.kind == Kind::Conflict => return Err(error),
        Err(error) => {
            let again = registry.failed();
            if event != Event::Start || !again {
                return Err(error);
            }
            Some(told::UNREACHABLE.to_owned())
        }
    };
    let answer =
        text.and_then(|text| answer(form, wire.hook_event_name.as_deref().unwrap_or(event.usual_name()), &text));
    if let Some(answer) = &answer {
        let _ = output().text(answer);
    }
    if event == Event::Start {
        // What takes longer comes after the answer.
        serve::ensure(&app);
        registry.sweep(System.now());
    }
    Ok(if answer.is_some() { "told" } else { "nothing new" })
}

/// One look at the store, which also shows that the session is alive; a second one when the store had moved or the name was lost.
fn news(app: &mut App, event: Event) -> Result<CheckResponse> {
    let state = telling::state_at(event);
    match check(app, state) {
        Err(error) => {
            app.recover(error)?;
            check(app, state)
        }
        news => news,
    }
}

fn check(app: &App, state: Option<State>) -> Result<CheckResponse> {
    let mut ctx = app.ctx()?;
    if let Some(sighting) = &mut ctx.actor.sighting {
        sighting.state = state;
    }
    ops::check(&ctx)
}

/// Decides what to tell the session, notes it, and gives the text.
fn tell(app: &App, registry: &Registry, event: Event, form: Form, news: &CheckResponse) -> Result<Option<String>> {
    registry.worked();
    let Some(seen) = &app.identity()?.session else { return Ok(None) };
    let mut telling = Telling::at(event, seen, news);
    if form == Form::Nothing {
        telling.news = None;
        telling.name = false;
    }
    if telling.applied(seen) != *seen {
        let desk = registry.desk_within(seen.pid, seen.started, app.lock_limit)?;
        // Another hook is at it, and what is not told now is told at the next prompt.
        let Some(mut desk) = desk else { return Ok(None) };
        let Some(now) = desk.registration.clone() else {
            desk.remove();
            return Ok(None);
        };
        if now.marks.hints != seen.marks.hints {
            // Another hook was quicker.
            telling.news = None;
        }
        desk.write(&telling.applied(&now))?;
    }
    if matches!(event, Event::Stop { .. }) && telling.news.is_some() {
        let _ = check(app, Some(State::Working));
    }
    Ok(text(app, &telling, seen))
}

/// The lines to say, one below the other; `None` when there is nothing to say.
fn text(app: &App, telling: &Telling, session: &Registration) -> Option<String> {
    let is_start = telling.event == Event::Start;
    let mut lines: Vec<String> = Vec::new();
    if is_start {
        lines.extend(app.notice().map(|notice| format!("[postino] {notice}")));
    }
    if telling.name {
        lines.extend(told::name(session, if is_start { others(app) } else { 0 }));
    }
    lines.extend(telling.news.as_ref().and_then(told::hint));
    if is_start {
        lines.push(told::TOOLS.to_owned());
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// How many other agents are online.
fn others(app: &App) -> u64 {
    let page = app.ctx().and_then(|ctx| ops::agents(&ctx, &AgentsRequest { limit: Some(1), after: None }));
    page.map_or(0, |page| page.online.saturating_sub(1))
}

/// The text in the form that the client takes.
fn answer(form: Form, event: &str, text: &str) -> Option<String> {
    let json = match form {
        Form::Plain => return Some(format!("{text}\n")),
        Form::Context => json!({ "hookSpecificOutput": { "hookEventName": event, "additionalContext": text } }),
        Form::Decision(decision) => json!({ "decision": decision, "reason": text }),
        Form::Field(field) => json!({ field: text }),
        Form::Nothing => return None,
    };
    Some(format!("{json}\n"))
}

/// The session ends: its departure is noticed, its name is free, its registration goes, also when the store does not answer.
pub fn depart(app: &App, registry: &Registry) -> Result<&'static str> {
    let Some(session) = app.visited() else { return Ok("no session") };
    // Opening may bring the registration up to date, for which it takes the lock itself.
    let opened = app.ctx().map(drop);
    // Leaving is done under the lock, or a monitor that finds the claim gone would claim a name for a session that is about to end.
    let desk = registry.desk_within(session.pid, session.started, app.lock_limit)?;
    let Some(desk) = desk else { return Err(session::busy()) };
    if desk.registration.is_none() {
        // Another process of the session has seen it end too.
        desk.remove();
        return Ok("no session");
    }
    let left = opened.and_then(|()| leave(app, session));
    desk.remove();
    left.map(|()| "session ended")
}

fn leave(app: &App, session: &Registration) -> Result<()> {
    let (Some(claim), Some(name)) = (session.generation, &session.name) else { return Ok(()) };
    let mut ctx = app.ctx()?;
    ctx.via = Via::Hook;
    let body = Body::try_from(format!("{name} left"))?;
    let notice = BroadcastRequest { body, key: None, kind: BroadcastKind::Notice };
    let told = ops::broadcast(&ctx, &notice);
    session::leave(&ctx, claim)?;
    told.map(drop)
}
