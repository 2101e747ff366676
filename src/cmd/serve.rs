//! `postino serve`: the web server. One runs for a user and a workspace; who finds one running says so.
//!
//! The process that is started becomes the parent, which starts this program again as the child that answers. It knows processes,
//! files and settings; what is served is not its affair.

mod counter;
mod detach;
mod log;
mod part;
mod place;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Subcommand, ValueEnum};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

pub use self::detach::ensure;
use self::log::Log;
pub use self::place::{Place, Record};
use super::app::{Globals, System};
use super::{Outcome, text};
use crate::choice::{self, By, Chosen};
use crate::config::{self, Env, Settings};
use crate::error::{Error, Kind, Result};
use crate::ops::Machine;
use crate::output::Output;
use crate::web::Token;

/// How long a server may take to start, to end, or to make room for a newer one.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(10);
/// This version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

const EXAMPLES: &str = "\
Examples:
  postino serve
  postino serve --detach
  postino serve status
  POSTINO_WEB_PORT=8080 postino serve";

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Start it in the background
    #[arg(long)]
    detach: bool,
    /// What else to do
    #[command(subcommand)]
    action: Option<Action>,
    /// Which of its own processes this is
    #[arg(long, hide = true, value_name = "PART")]
    part: Option<Part>,
}

/// What to do about the server.
#[derive(Clone, Copy, Debug, Subcommand)]
enum Action {
    /// Say where it runs
    Status,
    /// Open its page in the browser; start it if need be
    Open,
    /// End it
    Stop,
}

/// The processes of a server.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// The parent in the background.
    Parent,
    /// A parent that takes over from an older version.
    Heir,
    /// The one that answers.
    Child,
}

/// Arguments of `open`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  postino open")]
pub struct OpenArgs {}

/// A server's surroundings.
struct Server {
    env: Env,
    settings: Settings,
    chosen: Chosen,
    place: Place,
    log: Log,
}

impl Server {
    /// The server of the store that `--store`, the settings or the choice lead to.
    fn new(store: Option<&str>, env: Env) -> Result<Server> {
        let settings = Settings::read(&env)?;
        let chosen = choice::choose(store, &settings, None, System.now())?;
        Ok(Server::of(env, settings, chosen))
    }

    fn of(env: Env, settings: Settings, chosen: Chosen) -> Server {
        let place = Place::of(&settings.dirs.state, &chosen.address.secret(), &chosen.prefix);
        let log = Log::at(place.log());
        Server { env, settings, chosen, place, log }
    }

    /// The variables that its processes start with, and those that are handed to them because they may hold a secret.
    fn variables(&self) -> (Vec<(String, String)>, Vec<(String, String)>) {
        let (mut plain, mut secret) = self.env.for_server();
        // A store that was chosen is looked up again, so that its move is followed.
        if self.chosen.by != By::Choice {
            secret.retain(|(name, _)| name != config::STORE_VARIABLE);
            secret.push((config::STORE_VARIABLE.to_owned(), self.chosen.address.secret()));
        }
        plain.retain(|(name, _)| name != config::PREFIX_VARIABLE);
        plain.push((config::PREFIX_VARIABLE.to_owned(), self.chosen.prefix.clone()));
        // The server stands in another directory.
        for (_, path) in plain.iter_mut().filter(|(name, _)| config::PATH_VARIABLES.contains(&name.as_str())) {
            *path = std::path::absolute(&*path).map_or_else(|_| path.clone(), |path| path.display().to_string());
        }
        (plain, secret)
    }

    /// What callers must know. `Denied` when it is too short, or cannot be read.
    fn token(&self) -> Result<Option<Token>> {
        self.settings.web.token()?.map(|token| Token::new(&token)).transpose()
    }

    /// The address at which a browser gets in: with a token, a link that works once.
    fn way_in(&self, record: &Record) -> Result<String> {
        let link = self.token()?.map(|token| token.link(System.now(), System.random()));
        let link = link.as_deref().unwrap_or("/").trim_start_matches('/');
        Ok(format!("{}{link}", record.url))
    }

    fn say(&self, event: &str, details: serde_json::Value) {
        self.log.line(System.now(), event, details);
    }
}

/// Serves, or does what was asked for instead.
pub fn run(globals: Globals, out: &Output, args: Args) -> Outcome {
    match args.part {
        Some(Part::Child) => return part::child(),
        Some(Part::Heir) => return part::heir(),
        Some(Part::Parent) => return part::parent(),
        None => {}
    }
    let server = Server::new(globals.store.as_deref(), Env::of_process()?)?;
    match args.action {
        Some(Action::Status) => status(&server, out),
        Some(Action::Open) => open_page(&server, out),
        Some(Action::Stop) => stop(&server, out),
        None if args.detach => {
            let record = detached(&server)?;
            told(&server, out, &record)
        }
        None => match part::enter(&server)? {
            part::Entered::Running(record) => told(&server, out, &record),
            part::Entered::Free(lock) => part::serve(&server, lock, out),
        },
    }
}

/// `postino open`.
pub fn open(globals: Globals, out: &Output, _args: OpenArgs) -> Outcome {
    open_page(&Server::new(globals.store.as_deref(), Env::of_process()?)?, out)
}

fn told(server: &Server, out: &Output, record: &Record) -> Outcome {
    out.answer(record, |record, style| {
        let since = text::moment(record.since);
        let url = style.name(&record.url);
        format!("serving on {url} since {since} (process {}, version {})\n", record.pid, record.version)
    })?;
    if server.token()?.is_some() {
        out.notice(&format!("a browser gets in here, once, for two minutes: {}", server.way_in(record)?));
    }
    Ok(ExitCode::SUCCESS)
}

fn status(server: &Server, out: &Output) -> Outcome {
    match server.place.running() {
        Some(record) => told(server, out, &record),
        None => Err(none_runs().into()),
    }
}

fn none_runs() -> Error {
    Error::new(Kind::NotFound, "no web server runs for this workspace").hint("postino serve --detach")
}

/// Starts a server in the background unless one runs, and waits until it does.
fn detached(server: &Server) -> Result<Record> {
    if let Some(record) = server.place.running().filter(|record| !is_older(&record.version)) {
        return Ok(record);
    }
    detach::start(server)?;
    let found = until(|| server.place.running().filter(|record| !is_older(&record.version)));
    found.ok_or_else(|| {
        Error::new(Kind::Other, "the web server did not start")
            .hint(format!("look into {}, or run `postino serve`", server.log.path().display()))
    })
}

fn stop(server: &Server, out: &Output) -> Outcome {
    if !server.place.is_held() {
        server.place.clear();
        out.notice("no web server runs for this workspace");
        return Ok(ExitCode::SUCCESS);
    }
    // One that has just started has not said yet who it is.
    let Some(record) = until(|| server.place.running()) else { return Err(none_runs().into()) };
    end(server, &record)?;
    out.answer(&json!({ "stopped": record.pid }), |_, _| format!("stopped process {}\n", record.pid))?;
    Ok(ExitCode::SUCCESS)
}

/// Ends a server; its child ends with it.
fn end(server: &Server, record: &Record) -> Result<()> {
    server.say("stopped", json!({ "parent": record.pid }));
    let pid = i32::try_from(record.pid).ok().and_then(Pid::from_raw);
    let sent = pid.map(|pid| kill_process(pid, Signal::TERM));
    let gone = until(|| server.place.running().as_ref().is_none_or(|now| now.pid != record.pid).then_some(()));
    if sent.is_none_or(|sent| sent.is_err()) || gone.is_none() {
        return Err(Error::new(Kind::Other, format!("process {} does not end", record.pid))
            .hint(format!("kill -KILL {}", record.pid)));
    }
    // Its child finishes what it has begun, but takes nothing new.
    let _ = until(|| (!answers(&record.url)).then_some(()));
    if let Some(_lock) = server.place.lock()? {
        server.place.clear();
    }
    Ok(())
}

/// Whether something listens at an address of ours.
fn answers(url: &str) -> bool {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    address.parse().is_ok_and(|address| std::net::TcpStream::connect_timeout(&address, LOOK * 20).is_ok())
}

fn open_page(server: &Server, out: &Output) -> Outcome {
    let record = detached(server)?;
    let opener = server.env.get("BROWSER").into_iter().chain(["xdg-open", "open", "wslview"]);
    let mut opener = opener.filter(|program| !program.contains('%'));
    let way_in = server.way_in(&record)?;
    let opened = opener.any(|program| detach::quietly(program, &way_in).is_ok());
    if !opened {
        out.notice("no browser was found; the page is at this address");
    }
    out.answer(&record, |_, _| format!("{way_in}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Looks again and again, for as long as a server may take for something.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        match look() {
            None if Instant::now() < end => std::thread::sleep(LOOK),
            found => return found,
        }
    }
}

/// Whether a server of that version is to make room for this one.
fn is_older(version: &str) -> bool {
    fn numbers(version: &str) -> Vec<u64> {
        version.split(['.', '-', '+']).take(3).map(|part| part.parse().unwrap_or_default()).collect()
    }
    numbers(version) < numbers(VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(is_older("0.0.9") && is_older("0.0.10"));
        assert!(!is_older(VERSION) && !is_older("10.0.0") && !is_older("0.10.0"));
    }
}
