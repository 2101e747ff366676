//! The command line: what may be typed, and the one match that hands it to a command.
//!
//! A command is arguments → request → operation → text. No rules live here, and nothing is written but through `Output`.

mod agents;
mod app;
mod args;
mod ask;
mod body;
mod broadcast;
mod check;
mod clear;
mod completions;
mod dead;
mod doctor;
mod help;
mod history;
pub mod hook;
mod install;
mod man;
mod mcp;
mod monitor;
mod names;
mod pause;
mod read;
mod rename;
mod send;
pub mod serve;
mod settle;
mod stats;
mod store;
mod text;
mod told;
mod usage;
mod watch;
mod whoami;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use self::app::{App, Globals, System};
use crate::config::Env;
use crate::error::Result;
use crate::model::{AgentName, Millis};
use crate::ops::{Ctx, Machine};
use crate::output::{Look, Output, Stop, When};

/// How a command ends: with an exit code, or early.
pub type Outcome = std::result::Result<ExitCode, Stop>;

/// Carries messages between agents that share nothing else
///
/// An agent is anyone with a name and a mailbox: a coding-agent session, a script, a CI job, a person. Mail waits until it is
/// read, also for a name that nobody has yet.
#[derive(Debug, Parser)]
#[command(name = "postino", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = help::MAIN, after_long_help = help::MAIN_LONG)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub flags: Flags,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Flags {
    /// Act under this name, for this command alone
    #[arg(long, global = true, value_name = "NAME", add = completions::names())]
    pub agent: Option<AgentName>,
    /// Use this store: redis://, rediss://, valkey://, unix://, … or sqlite:PATH
    #[arg(long, global = true, value_name = "URL")]
    pub store: Option<String>,
    /// Print the answer as JSON; errors too, on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    pub color: When,
    /// Print the answer and errors, nothing else
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

impl ValueEnum for When {
    fn value_variants<'a>() -> &'a [Self] {
        &[When::Auto, When::Always, When::Never]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            When::Auto => "auto",
            When::Always => "always",
            When::Never => "never",
        }))
    }
}

/// The commands, in the order in which help lists them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send a message to an agent
    Send(send::Args),
    /// Send a message and wait for the answer to it
    Ask(ask::Args),
    /// Read your mail: print it and take it out of the mailbox
    Read(read::Args),
    /// Say that leased mail is done with
    Ack(settle::Args),
    /// Hold leased mail longer
    Extend(settle::ExtendArgs),
    /// Give leased mail back to the mailbox
    Release(settle::Args),
    /// Say in one line what is new, or nothing at all
    Check(check::Args),
    /// Say something to everybody
    Broadcast(broadcast::Args),
    /// Read what was said to everybody
    Broadcasts(broadcast::FeedArgs),
    /// List the agents
    Agents(agents::Args),
    /// Say who you are, what is new and who else is there
    Whoami(whoami::Args),
    /// Take a new name; mail to the old one still arrives
    Rename(rename::Args),
    /// Show messages of the past
    History(history::Args),
    /// Show one message and what became of it
    Show(history::ShowArgs),
    /// Look at mail that could not be delivered
    Dead(dead::Args),
    /// Delete mail, or all broadcasts
    Clear(clear::Args),
    /// Remove names that are offline and have nothing waiting
    Cleanup(clear::CleanupArgs),
    /// Count what is in the store
    Stats(stats::Args),
    /// Show which store is in use and why, or move everything to another one
    Store(store::Args),
    /// Serve the page and the HTTP API
    Serve(serve::Args),
    /// Open the page in the browser
    Open(serve::OpenArgs),
    /// Show events as they happen
    Watch(watch::Args),
    /// Say in one line, as it happens, that mail has arrived: for agent clients
    Monitor(monitor::Args),
    /// Serve an agent client's tools on stdin and stdout, by the Model Context Protocol
    Mcp(mcp::Args),
    /// Tell an agent client what is new: called by its hooks
    Hook(hook::Args),
    /// Check everything; each failure comes with the command that mends it
    Doctor(doctor::Args),
    /// Teach a program that agents run in to call postino
    Install(install::Args),
    /// Take postino out of a program's configuration again
    Uninstall(install::UninstallArgs),
    /// Print a script that completes commands and names in your shell
    Completions(completions::Args),
    /// Print the manual page, or write all of them
    Man(man::Args),
    /// The exit codes of all commands
    #[command(hide = true, long_about = help::EXIT_CODES, help_template = "{about}\n")]
    ExitCodes,
}

/// Parses, runs, and says what went wrong.
pub fn main(args: &[OsString]) -> ExitCode {
    // A variable that cannot be read is reported by the command that reads the settings.
    let env = Env::of_process().unwrap_or_default();
    let look = look(&env);
    if let Some(shell) = env.get(completions::VARIABLE) {
        return completions::complete(shell, args);
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage::report(&error, args, look),
    };
    let out = Output::new(cli.flags.json, cli.flags.quiet, cli.flags.color, look);
    finish(&out, run(cli, &out))
}

fn look(env: &Env) -> Look {
    Look {
        no_color: env.get("NO_COLOR").is_some(),
        force_color: env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
        dumb: env.get("TERM") == Some("dumb"),
        actions: env.get("GITHUB_ACTIONS") == Some("true"),
        debug: env.get("POSTINO_DEBUG").is_some_and(|value| value != "0"),
    }
}

fn run(cli: Cli, out: &Output) -> Outcome {
    let Flags { agent, store, json: _, color: _, quiet: _ } = cli.flags;
    let globals = Globals { agent, store };
    let app = || App::new(globals.clone());
    match cli.command {
        Command::Send(args) => send::run(&mut app()?, out, args),
        Command::Ask(args) => ask::run(&mut app()?, out, args),
        Command::Read(args) => read::run(&mut app()?, out, args),
        Command::Ack(args) => settle::ack(&mut app()?, out, args),
        Command::Extend(args) => settle::extend(&mut app()?, out, args),
        Command::Release(args) => settle::release(&mut app()?, out, args),
        Command::Check(args) => check::run(&mut app()?, out, args),
        Command::Broadcast(args) => broadcast::run(&mut app()?, out, args),
        Command::Broadcasts(args) => broadcast::feed(&mut app()?, out, args),
        Command::Agents(args) => agents::run(&mut app()?, out, args),
        Command::Whoami(args) => whoami::run(&mut app()?, out, args),
        Command::Rename(args) => rename::run(&mut app()?, out, args),
        Command::History(args) => history::run(&mut app()?, out, args),
        Command::Show(args) => history::show(&mut app()?, out, args),
        Command::Dead(args) => dead::run(&mut app()?, out, args),
        Command::Clear(args) => clear::run(&mut app()?, out, args),
        Command::Cleanup(args) => clear::cleanup(&mut app()?, out, args),
        Command::Stats(args) => stats::run(&mut app()?, out, args),
        Command::Store(args) => store::run(&mut app()?, out, args),
        Command::Serve(args) => serve::run(globals, out, args),
        Command::Open(args) => serve::open(globals, out, args),
        Command::Watch(args) => watch::run(&mut app()?, out, args),
        Command::Monitor(args) => monitor::run(out, args),
        Command::Mcp(args) => mcp::run(globals, args),
        Command::Hook(args) => Ok(hook::run(args)),
        Command::Doctor(args) => doctor::run(globals, out, args),
        Command::Install(args) => install::run(&mut app()?, out, args),
        Command::Uninstall(args) => install::uninstall(&mut app()?, out, args),
        Command::Completions(args) => completions::run(out, args),
        Command::Man(args) => man::run(out, args),
        Command::ExitCodes => help::exit_codes(out),
    }
}

/// Runs an operation; once more when the store turns out to have moved and could be followed.
fn call<T>(app: &mut App, out: &Output, operation: impl Fn(&Ctx<'_>) -> Result<T>) -> Result<T> {
    match open(app, out).and_then(|ctx| operation(&ctx)) {
        Err(error) => {
            app.recover(error)?;
            operation(&open(app, out)?)
        }
        done => done,
    }
}

/// The context of an operation; says once what is worth saying about the store.
fn open<'a>(app: &'a App, out: &Output) -> Result<Ctx<'a>> {
    let ctx = app.ctx()?;
    if let Some(notice) = app.notice() {
        out.notice(&notice);
    }
    Ok(ctx)
}

/// The host's clock.
fn now() -> Millis {
    System.now()
}

fn finish(out: &Output, outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(Stop::Closed) => ExitCode::SUCCESS,
        Err(Stop::Failed(error)) => {
            out.error(&error);
            ExitCode::from(error.kind.exit_code())
        }
    }
}
