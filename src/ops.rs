//! The operations: the rules of postino as free functions over plain requests and responses.
//!
//! Every front end calls these and nothing below them. They know no front end, no store's insides,
//! no environment and no clock: who asks, through what, and what time it is come in `Ctx`.

mod agents;
mod ask;
mod broadcast;
mod check;
mod dead;
mod history;
mod mailbox;
mod moving;
mod proof;
mod read;
mod send;
mod stats;
mod watch;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::agents::*;
pub use self::ask::*;
pub use self::broadcast::*;
pub use self::check::*;
pub use self::dead::*;
pub use self::history::*;
pub use self::mailbox::*;
pub use self::moving::*;
pub use self::proof::*;
pub use self::read::*;
pub use self::send::*;
pub use self::stats::*;
pub use self::watch::*;

use crate::error::{Error, Kind, Result};
use crate::model::{Millis, Via};
use crate::store::{Actor, Holder, Policy, Standing, Step, Store};

/// The longest lease that may be asked for, in seconds: one day.
pub const MAX_LEASE_SECS: u64 = 86_400;

/// How long to wait before another look at what ends by itself: a lease, a message. Whoever looks moves it, and nobody else need.
const LOOK: Duration = Duration::from_secs(1);

/// What an operation needs of the machine it runs on.
pub trait Machine: Sync {
    /// The host's wall clock.
    fn now(&self) -> Millis;
    /// The host's steady clock, for waits.
    fn instant(&self) -> Instant;
    /// 128 fresh random bits.
    fn random(&self) -> u128;
    /// Whether that process ran on this host and has ended; false when this host cannot tell.
    fn is_gone(&self, holder: &Holder) -> bool;
}

/// Who asks, through what, under which limits: the first argument of every operation.
pub struct Ctx<'a> {
    /// The store to act on.
    pub store: &'a dyn Store,
    /// Who asks.
    pub actor: Actor,
    /// The front end.
    pub via: Via,
    /// The limits in force.
    pub policy: Policy,
    /// How long a lease is when nothing is said.
    pub lease: Duration,
    /// The clock, random bits and processes.
    pub machine: &'a dyn Machine,
}

impl Ctx<'_> {
    /// Runs one store step as this actor. When a guessed name is refused because a session holds it, and that session's
    /// process is gone from this host, the step is tried once more without counting that claim.
    fn step<T>(&self, verb: impl Fn(&Step<'_>) -> Result<T>) -> Result<T> {
        let run = |actor: &Actor| verb(&Step { by: actor, now: self.machine.now(), policy: &self.policy });
        let refused = match run(&self.actor) {
            Err(error) if error.kind == Kind::NameHeld && self.actor.standing == (Standing::Guessed { gone: None }) => {
                error
            }
            other => return other,
        };
        let holder = self.store.holder(&self.at(&self.actor), &self.actor.name)?;
        match holder.filter(|holder| self.machine.is_gone(holder)) {
            Some(holder) => {
                let standing = Standing::Guessed { gone: Some(holder.generation) };
                run(&Actor { standing, ..self.actor.clone() })
            }
            None => Err(refused),
        }
    }

    /// A step of `actor` at this moment.
    fn at<'s>(&'s self, actor: &'s Actor) -> Step<'s> {
        Step { by: actor, now: self.machine.now(), policy: &self.policy }
    }
}

/// A bounded count from a request: 1 to `max`, or `default` when nothing was said.
fn limited(what: &str, value: Option<i64>, default: u32, max: u32) -> Result<u32> {
    let Some(value) = value else { return Ok(default) };
    u32::try_from(value).ok().filter(|n| (1..=max).contains(n)).ok_or_else(|| {
        Error::new(Kind::Usage, format!("{what} {value} is out of range"))
            .hint(format!("use a whole number from 1 to {max}"))
    })
}

/// A lease time from a request, in seconds: 1 to one day.
fn lease_time(secs: i64) -> Result<Duration> {
    let legal = u64::try_from(secs).ok().filter(|secs| (1..=MAX_LEASE_SECS).contains(secs));
    legal.map(Duration::from_secs).ok_or_else(|| {
        Error::new(Kind::Usage, format!("a lease of {secs} seconds is out of range")).hint("use 1 to 86400 seconds")
    })
}

/// 32 hex digits that differ when any part differs; parts are told apart by their lengths.
fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The response of an operation that has nothing to say but how many it touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// How many.
    pub count: u64,
}
