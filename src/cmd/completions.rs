//! `postino completions`, and the completing itself: the script asks this binary, so that the names of agents are completed
//! too. Completing is quiet and quick, whatever state the store is in.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::CommandFactory;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;

use super::app::{App, Globals};
use super::{Cli, Outcome};
use crate::choice;
use crate::config;
use crate::error::{Error, Kind, Result};
use crate::model::AgentName;
use crate::ops::{self, AgentsRequest};
use crate::output::{Look, Output, When};

/// The variable by which the script asks; its value names the shell.
pub const VARIABLE: &str = "POSTINO_COMPLETE";

/// How long the names of agents are waited for.
const PATIENCE: Duration = Duration::from_millis(500);

const EXAMPLES: &str = "\
Examples:
  source <(postino completions bash)                                     # in ~/.bashrc
  source <(postino completions zsh)                                      # in ~/.zshrc, after compinit
  postino completions fish > ~/.config/fish/completions/postino.fish";

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = ["bash", "elvish", "fish", "powershell", "zsh"])]
    shell: String,
}

/// Prints the script for a shell.
pub fn run(out: &Output, args: Args) -> Outcome {
    let mut script = Vec::new();
    let written = Shells::builtins()
        .completer(&args.shell)
        .map(|shell| shell.write_registration(VARIABLE, "postino", "postino", "postino", &mut script));
    match written {
        Some(Ok(())) => out.bytes(&script)?,
        Some(Err(_)) | None => {
            return Err(Error::new(Kind::Other, format!("there is no completion for {}", args.shell)).into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Answers the script: what may stand where the cursor is. A failure prints nothing.
pub fn complete(shell: &str, args: &[OsString]) -> ExitCode {
    let words: Vec<OsString> = args.iter().skip_while(|arg| *arg != "--").skip(1).cloned().collect();
    let mut said = Vec::new();
    let completed = Shells::builtins()
        .completer(shell)
        .map(|shell| shell.write_complete(&mut Cli::command(), words, Some(&config::current_dir()), &mut said));
    if let Some(Ok(())) = completed {
        // Nobody is there to hear of a failure.
        let _ = Output::new(false, true, When::Never, Look::default()).bytes(&said);
    }
    ExitCode::SUCCESS
}

/// Completes an argument with the names of agents.
pub fn names() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let (tell, hear) = mpsc::channel();
        // A store that does not answer must not hold up the shell: its thread ends with the process.
        let _ = std::thread::Builder::new().spawn(move || tell.send(known_names().unwrap_or_default()));
        let names = hear.recv_timeout(PATIENCE).unwrap_or_default();
        let typed = typed.to_string_lossy();
        names.iter().filter(|name| name.as_str().starts_with(&*typed)).map(candidate).collect()
    })
}

fn candidate(name: &AgentName) -> CompletionCandidate {
    CompletionCandidate::new(name.as_str())
}

/// The names in the store, asked for under a name of its own and without a sign of life.
fn known_names() -> Result<Vec<AgentName>> {
    let agent = Some("completions".parse()?);
    let app = App::new(Globals { agent, store: None })?;
    if !choice::is_made(&app.settings) {
        // The first use of a store is announced; completing is silent.
        return Ok(Vec::new());
    }
    let mut ctx = app.ctx()?;
    ctx.actor.sighting = None;
    let page = ops::agents(&ctx, &AgentsRequest::default())?;
    Ok(page.items.into_iter().map(|agent| agent.name).collect())
}
