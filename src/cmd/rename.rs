//! `postino rename`.

use std::process::ExitCode;

use super::app::App;
use super::{Outcome, call, text};
use crate::model::AgentName;
use crate::ops::{self, RenameRequest};
use crate::output::Output;

const EXAMPLES: &str = "\
Example:
  postino rename api-refactor";

/// Arguments of `rename`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The name to take; mail that already waits there comes first
    #[arg(value_name = "NEW")]
    new: AgentName,
}

/// Takes a new name.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    let request = RenameRequest { name: args.new };
    let renamed = call(app, out, |ctx| ops::rename(ctx, &request))?;
    app.renamed(&renamed.name)?;
    out.answer(&renamed, |renamed, style| {
        let merged = match renamed.merged {
            0 => String::new(),
            merged => format!("; {} waited there already", text::count(merged, "message")),
        };
        format!("renamed {} to {}{merged}\n", style.name(&renamed.from), style.name(&renamed.name))
    })?;
    Ok(ExitCode::SUCCESS)
}
