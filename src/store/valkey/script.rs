//! The Lua scripts: one a verb, each with the shared parts that it calls in front. It knows no verb's arguments or answers.

/// The digest of each script, a line each: to work one out takes a short process longer than its trip. A test keeps them right.
const DIGESTS: &str = include_str!("digests.txt");

/// A script with the digest that the server knows it by.
pub(super) struct Script {
    name: &'static str,
    source: &'static str,
}

impl Script {
    const fn new(name: &'static str, source: &'static str) -> Script {
        Script { name, source }
    }

    /// The text that EVAL takes.
    pub(super) fn source(&self) -> &'static str {
        self.source
    }

    /// The digest that EVALSHA takes: 40 hex digits. A script without one is unknown to every server, and so sent whole.
    pub(super) fn digest(&self) -> &str {
        let of = |line: &'static str| line.split_once(' ').filter(|(name, _)| *name == self.name);
        DIGESTS.lines().find_map(of).map_or("0000000000000000000000000000000000000000", |(_, digest)| digest)
    }
}

/// The text of a file.
macro_rules! part {
    ($file:literal) => {
        include_str!(concat!($file, ".lua"))
    };
    // What is made when it is first needed.
    ({$($file:literal)*}) => {
        concat!("local function movers()\n", $(part!($file),)* "return move_due, move_due_broadcasts\nend\n")
    };
}

/// Declares the scripts: each is its parts, one after another, and its verb's own file.
macro_rules! scripts {
    ($($name:ident: $file:literal = [$($part:tt)*];)*) => {
        $(pub(super) static $name: Script = Script::new($file, concat!($(part!($part),)* part!($file)));)*

        #[cfg(test)]
        static ALL: &[&Script] = &[$(&$name),*];
    };
}

scripts! {
    ACTIVITY: "activity" = ["base" "step" "names" "mail" {"silence" "queue" "fates" "due"} "turn"];
    AGENTS: "agents" = ["base" "step" "names" "mail" {"silence" "queue" "fates" "due"} "turn"];
    BROADCAST: "broadcast" = ["base" "step" "names" "mail" "silence" {"queue" "fates" "due"} "turn" "once"];
    BROADCASTS: "broadcasts" = ["base" "step" "names" "mail" {"silence" "queue" "fates" "due"} "turn" "feed"];
    BURY: "bury" = ["base" "step" "names" "mail" "queue" "fates" {"silence" "due"} "turn"];
    CENSUS: "census" = ["base"];
    CHECK: "check" = ["base" "unchanged" "step" "names" "mail" {"silence" "queue" "fates" "due"} "turn" "feed"];
    CLAIM: "claim" = ["base" "step" "names" "forwards"];
    CLEANUP: "cleanup" = ["base" "step" "names" "mail" "queue" "fates" {"silence" "due"} "turn" "forwards"];
    CLEAR_BROADCASTS: "clear_broadcasts" = ["base" "step" "names" "mail" "silence" {"queue" "fates" "due"} "turn"];
    DEAD: "dead" = ["base" "step" "names" "mail" "queue" "fates" {"silence" "due"} "turn" "shown"];
    DELETE: "delete" = ["base" "step" "names" "mail" "queue" "fates" {"silence" "due"} "turn"];
    EVENTS: "events" = ["base" "step" "names" "mail" {"silence" "queue" "fates" "due"} "turn"];
    EXPORT: "export" = ["base" "step" "names" "mail" "feed" "shown"];
    FILL: "fill" = ["base" "step" "names" "forwards" "mail" "queue" "once"];
    HISTORY: "history" = ["base" "step" "names" "mail" {"silence" "queue" "fates" "due"} "turn" "shown"];
    LEASE: "lease" = ["base" "step" "names" "mail" "queue" "fates" {"silence" "due"} "turn" "shown"];
    LIST: "list" = ["base" "step" "names" "mail" {"silence" "queue" "fates" "due"} "turn" "shown"];
    MOVING: "moving" = ["base" "step"];
    RENAME: "rename" = ["base" "step" "names" "mail" "queue" "fates" {"silence" "due"} "turn" "forwards"];
    SEND: "send" = ["base" "step" "names" "mail" "queue" {"silence" "fates" "due"} "turn" "once"];
    SETTLE: "settle" = ["base" "step" "names" "mail" "queue" "fates" {"silence" "due"} "turn"];
    STATS: "stats" = ["base" "step" "names" "mail" {"silence" "queue" "fates" "due"} "turn" "feed"];
    WAKE: "wake" = ["base" "step" "names"];
    WIPE: "wipe" = ["base" "step"];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write;
    use std::fs;
    use std::path::Path;

    use sha1_smol::Sha1;

    use super::{ALL, DIGESTS};

    /// `POSTINO_SNAPSHOTS=write cargo test digests` writes them anew.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own switch")]
    fn the_digests_are_those_of_the_scripts() {
        let mut digests = String::new();
        for script in ALL {
            writeln!(digests, "{} {}", script.name, Sha1::from(script.source).digest()).unwrap();
        }
        if std::env::var("POSTINO_SNAPSHOTS").as_deref() == Ok("write") {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/valkey/digests.txt");
            return fs::write(file, digests).unwrap();
        }
        assert_eq!(digests, DIGESTS, "write them anew with POSTINO_SNAPSHOTS=write");
    }

    /// Where each word of a Lua text stands, without comments, texts and what follows a dot.
    fn words(source: &str) -> Vec<(usize, &str)> {
        let mut found = Vec::new();
        for line in source.split_inclusive('\n') {
            let code = line.split("--").next().unwrap_or_default();
            for (number, piece) in code.split('\'').enumerate() {
                if number % 2 == 0 {
                    for word in piece.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '.')
                    {
                        if !word.is_empty() && !word.starts_with('.') {
                            let name = word.split('.').next().unwrap_or_default();
                            found.push((word.as_ptr() as usize - source.as_ptr() as usize, name));
                        }
                    }
                }
            }
        }
        found
    }

    /// What stands in front of a place, without the inside of `movers`, which nothing behind it sees.
    fn in_sight(source: &str, place: usize) -> String {
        const BEGIN: &str = "local function movers()\n";
        const END: &str = "return move_due, move_due_broadcasts\nend\n";
        let before = &source[..place];
        match before.split_once(BEGIN).and_then(|(front, rest)| Some((front, rest.split_once(END)?.1))) {
            Some((front, behind)) => [front, BEGIN, behind].concat(),
            None => before.to_owned(),
        }
    }

    /// What a line declares: variables, a function and its arguments.
    fn declared(line: &str) -> Vec<&str> {
        let line = line.trim_start();
        let names =
            line.strip_prefix("local ").or_else(|| line.strip_prefix("for ")).and_then(|rest| rest.split('=').next());
        let arguments = line.split_once("function").map(|(_, rest)| rest);
        let found = [names, arguments].into_iter().flatten().flat_map(words).map(|(_, word)| word);
        found.filter(|word| *word != "function").collect()
    }

    #[test]
    fn each_script_has_what_it_uses_in_front() {
        let tops = ALL.iter().flat_map(|script| script.source.lines()).filter(|line| line.starts_with("local "));
        let known: BTreeSet<&str> =
            tops.flat_map(|line| declared(line.split('(').next().unwrap_or_default())).collect();
        for script in ALL {
            for (at, name) in words(script.source).into_iter().filter(|(_, name)| known.contains(name)) {
                // What is given a value may be a field.
                if script.source[at + name.len()..].starts_with(" = ") {
                    continue;
                }
                let before = in_sight(script.source, at + name.len());
                let is_there = before.lines().any(|line| declared(line).contains(&name));
                assert!(is_there, "{}: {name} is used before it is there", script.name);
            }
        }
    }
}
