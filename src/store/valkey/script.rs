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

macro_rules! script {
    ($name:ident, $file:literal) => {
        pub(super) static $name: Script = Script::new(
            $file,
            concat!(
                include_str!("base.lua"),
                include_str!("names.lua"),
                include_str!("mail.lua"),
                include_str!("feed.lua"),
                include_str!($file)
            ),
        );
    };
}

script!(ACTIVITY, "activity.lua");
script!(AGENTS, "agents.lua");
script!(BROADCAST, "broadcast.lua");
script!(BROADCASTS, "broadcasts.lua");
script!(BURY, "bury.lua");
script!(CENSUS, "census.lua");
script!(CHECK, "check.lua");
script!(CLAIM, "claim.lua");
script!(CLEANUP, "cleanup.lua");
script!(CLEAR_BROADCASTS, "clear_broadcasts.lua");
script!(DEAD, "dead.lua");
script!(DELETE, "delete.lua");
script!(EVENTS, "events.lua");
script!(EXPORT, "export.lua");
script!(FILL, "fill.lua");
script!(HISTORY, "history.lua");
script!(LEASE, "lease.lua");
script!(LIST, "list.lua");
script!(MOVING, "moving.lua");
script!(RENAME, "rename.lua");
script!(SEND, "send.lua");
script!(SETTLE, "settle.lua");
script!(STATS, "stats.lua");
script!(WAKE, "wake.lua");
script!(WIPE, "wipe.lua");
