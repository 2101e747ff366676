//! The Lua scripts: one a verb, each with the shared parts in front. It knows no verb's arguments or answers.

use std::sync::OnceLock;

/// A script with the digest that the server knows it by.
pub(super) struct Script {
    source: &'static str,
    digest: OnceLock<String>,
}

impl Script {
    const fn new(source: &'static str) -> Script {
        Script { source, digest: OnceLock::new() }
    }

    /// The text that EVAL takes.
    pub(super) fn source(&self) -> &'static str {
        self.source
    }

    /// The digest that EVALSHA takes: 40 hex digits.
    pub(super) fn digest(&self) -> &str {
        self.digest.get_or_init(|| sha1_smol::Sha1::from(self.source).digest().to_string())
    }
}

macro_rules! script {
    ($name:ident, $file:literal) => {
        pub(super) static $name: Script = Script::new(concat!(
            include_str!("base.lua"),
            include_str!("names.lua"),
            include_str!("mail.lua"),
            include_str!("feed.lua"),
            include_str!($file)
        ));
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
