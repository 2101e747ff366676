//! What to say when the command line makes no sense, or asks for help. Knows clap's errors and no command.

use std::error::Error as _;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use super::finish;
use crate::error::{Error, Kind};
use crate::output::{Look, Output, Stop, When};

/// Prints help, or the mistake, and gives the exit code.
pub fn report(error: &clap::Error, args: &[OsString], look: Look) -> ExitCode {
    let out = peek(args, look);
    let kind = error.kind();
    if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = error.render();
        let text = if out.out().has_colour() { text.ansi().to_string() } else { text.to_string() };
        return finish(&out, out.text(&text).map(|()| ExitCode::SUCCESS));
    }
    if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        out.usage(&error.render().to_string());
        return ExitCode::from(Kind::Usage.exit_code());
    }
    finish(&out, Err(Stop::Failed(mistake(error))))
}

/// The global flags that matter before the line is understood.
fn peek(args: &[OsString], look: Look) -> Output {
    let flags: Vec<&str> = args.iter().take_while(|arg| *arg != "--").filter_map(|arg| arg.to_str()).collect();
    let is = |flag: &str| flags.contains(&flag);
    let color = |when: &str| is(&format!("--color={when}")) || flags.windows(2).any(|pair| pair == ["--color", when]);
    let when = match (color("always"), color("never")) {
        (true, false) => When::Always,
        (false, true) => When::Never,
        (true, true) | (false, false) => When::Auto,
    };
    Output::new(is("--json"), false, when, look)
}

/// The mistake as an error of ours: its own words when a value was refused by us, else the paragraphs that clap makes of it.
fn mistake(error: &clap::Error) -> Error {
    if let Some(ours) = error.source().and_then(|source| source.downcast_ref::<Error>()) {
        let refused = Error::new(ours.kind, ours.message.clone());
        return match &ours.hint {
            Some(hint) => refused.hint(hint.clone()),
            None => refused,
        };
    }
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(one_line);
    let first = paragraphs.next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(&first);
    let rest: Vec<String> = paragraphs.collect();
    let said = |start: &str| rest.iter().find_map(|paragraph| paragraph.strip_prefix(start));
    let hint = said("tip: ").or_else(|| said("Usage: ")).unwrap_or("postino --help");
    Error::new(Kind::Usage, message).hint(hint)
}

fn one_line(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}
