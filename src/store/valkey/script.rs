//! The Lua scripts: one a verb, each with the shared parts in front. It knows no verb's arguments or answers.

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

/// Declares the scripts: each is its parts, one after another.
macro_rules! scripts {
    ($($name:ident: $file:literal = $($part:literal)*;)*) => {
        $(pub(super) static $name: Script = Script::new($file, concat!($(include_str!($part),)* include_str!($file)));)*

        #[cfg(test)]
        static ALL: &[&Script] = &[$(&$name),*];
    };
}

scripts! {
    ACTIVITY: "activity.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    AGENTS: "agents.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    BROADCAST: "broadcast.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    BROADCASTS: "broadcasts.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    BURY: "bury.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    CENSUS: "census.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    CHECK: "check.lua" = "base.lua" "unchanged.lua" "names.lua" "mail.lua" "feed.lua";
    CLAIM: "claim.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    CLEANUP: "cleanup.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    CLEAR_BROADCASTS: "clear_broadcasts.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    DEAD: "dead.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    DELETE: "delete.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    EVENTS: "events.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    EXPORT: "export.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    FILL: "fill.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    HISTORY: "history.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    LEASE: "lease.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    LIST: "list.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    MOVING: "moving.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    RENAME: "rename.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    SEND: "send.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    SETTLE: "settle.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    STATS: "stats.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    WAKE: "wake.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
    WIPE: "wipe.lua" = "base.lua" "names.lua" "mail.lua" "feed.lua";
}

#[cfg(test)]
mod tests {
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
}
