//! Texts that belong to no single command.

use std::process::ExitCode;

use super::Outcome;
use crate::output::Output;

/// The table of exit codes, for texts that contain it.
macro_rules! exit_codes {
    () => {
        "\
Exit codes:
  0    it worked; a pipe that was closed by its reader counts as that
  1    some other failure
  2    wrong usage: a bad argument, name or body
  3    what was asked for does not exist
  4    the wait timed out, or there is nothing new
  5    refused: mailbox full, conflict, stale receipt, name held, store moving
  6    not authorised
  7    the store cannot be reached
  130  interrupted"
    };
}

/// Under the list of commands.
pub const MAIN: &str = "\
Examples:
  postino send reviewer \"the parser is ready for review\"
  postino --agent reviewer read

Exit codes: postino help exit-codes";

/// Under the long help, and in the manual page.
pub const MAIN_LONG: &str = concat!(
    "\
Examples:
  postino send reviewer \"the parser is ready for review\"
  postino --agent reviewer read
  make test 2>&1 | tail -50 | postino send builder
  answer=$(postino ask reviewer \"may I merge?\" --timeout 300)

",
    exit_codes!()
);

/// What `postino help exit-codes` prints.
pub const EXIT_CODES: &str = exit_codes!();

/// Prints the exit codes.
pub fn exit_codes(out: &Output) -> Outcome {
    out.text(&format!("{EXIT_CODES}\n"))?;
    Ok(ExitCode::SUCCESS)
}
