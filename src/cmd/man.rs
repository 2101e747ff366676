//! `postino man`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;

use super::{Cli, Outcome};
use crate::error::{Error, Kind};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  postino man | man -l -
  postino man --dir ~/.local/share/man/man1";

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// Prints the manual page, or writes all of them.
pub fn run(out: &Output, args: Args) -> Outcome {
    let failed = |error: std::io::Error| {
        let place = args.dir.as_ref().map_or_else(|| "stdout".to_owned(), |dir| dir.display().to_string());
        let message = format!("the manual cannot be written to {}: {}", place, error.kind());
        Error::new(Kind::Other, message).because(error)
    };
    match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(failed)?;
            clap_mangen::generate_to(Cli::command(), dir).map_err(failed)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(failed)?;
            out.bytes(&page)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
