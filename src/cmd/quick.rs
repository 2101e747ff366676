//! The commands that programs call often, parsed by a parser that knows no other: to build all of them takes longer than what such
//! a command does. It knows only how to say yes: whatever it does not take is parsed in full, and so explained in full.

use std::ffi::OsString;

use clap::{Args, FromArgMatches};

use super::{Cli, Command, Flags, agents, broadcast, check, read, send, settle};

/// What parses one command.
type Parser = fn(&[OsString]) -> Option<Cli>;

/// Parses a frequent command; `None` when it is another one, or anything else than a correct call of it.
pub fn parse(args: &[OsString]) -> Option<Cli> {
    let words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    words.filter_map(parser).next()?(args)
}

/// The parser of one command.
fn parser(name: &str) -> Option<Parser> {
    match name {
        "send" => Some(|args| only::<send::Args>("send", args, Command::Send)),
        "read" => Some(|args| only::<read::Args>("read", args, Command::Read)),
        "ack" => Some(|args| only::<settle::Args>("ack", args, Command::Ack)),
        "check" => Some(|args| only::<check::Args>("check", args, Command::Check)),
        "broadcast" => Some(|args| only::<broadcast::Args>("broadcast", args, Command::Broadcast)),
        "agents" => Some(|args| only::<agents::Args>("agents", args, Command::Agents)),
        _ => None,
    }
}

/// Parses the command line of one command, with the flags that every command takes.
fn only<A: Args>(name: &'static str, args: &[OsString], command: fn(A) -> Command) -> Option<Cli> {
    let sub = A::augment_args(clap::Command::new(name));
    let parser = Flags::augment_args(clap::Command::new("postino")).subcommand_required(true).subcommand(sub);
    let mut found = parser.try_get_matches_from(args).ok()?;
    let (_, mut own) = found.remove_subcommand()?;
    let command = command(A::from_arg_matches_mut(&mut own).ok()?);
    Some(Cli { flags: Flags::from_arg_matches_mut(&mut found).ok()?, command })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use proptest::prelude::*;

    use super::*;

    const RECEIPT: &str = "01998f3e-5a7b-7c3d-8e9f-a0b1c2d3e4f5.0123456789abcdef";

    fn both(words: &[&str]) -> (Option<String>, Option<String>) {
        let args: Vec<OsString> = std::iter::once(&"postino").chain(words).map(OsString::from).collect();
        let shown = |cli: Cli| format!("{cli:?}");
        (parse(&args).map(shown), Cli::try_parse_from(&args).ok().map(shown))
    }

    #[test]
    fn frequent_commands_are_parsed_as_in_full() {
        for words in [
            &["send", "bob", "hello"][..],
            &["--agent", "ann", "send", "bob", "-"],
            &["send", "--agent=ann", "--json", "bob", "--urgent", "--key", "k", "hello"],
            &["--agent", "send", "send", "check", "read"],
            &["check"],
            &["-q", "check", "--exit-code", "--store", "sqlite:/x/y.db"],
            &["read", "--limit", "3", "--wait", "5"],
            &["ack", RECEIPT],
            &["broadcast", "hear"],
            &["agents", "--color", "never"],
        ] {
            let (quick, full) = both(words);
            assert!(quick.is_some() && quick == full, "{words:?}: {quick:?}, {full:?}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_full_parser() {
        for words in [
            &[][..],
            &["--version"],
            &["check", "--help"],
            &["help", "send"],
            &["send"],
            &["chekc"],
            &["--agent", "read", "whoami"],
            &["show", "send"],
            &["send", "bob", "hello", "--no-such-flag"],
            &["--agent", "../..", "check"],
        ] {
            assert_eq!(both(words).0, None, "{words:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_words_are_parsed_in_another_way(words in prop::collection::vec(prop::sample::select(vec![
            "send", "read", "check", "ack", "broadcast", "agents", "whoami", "show", "help", "bob", "hello", "-", "--",
            "--agent", "--agent=ann", "--json", "-q", "--quiet", "--limit", "3", "--lease", "--wait", "--peek", "--key",
            "--urgent", "--exit-code", "--help", "-V", "--color", "never", "--store", "sqlite:/x.db", RECEIPT, "",
        ]), 0..6)) {
            let (quick, full) = both(&words);
            prop_assert!(quick.is_none() || quick == full, "{:?}: {:?}, {:?}", words, quick, full);
        }
    }
}
