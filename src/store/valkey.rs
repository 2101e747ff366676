//! The store on a Valkey or Redis server: every verb is one Lua script, all keys lie under one hash tag.
//!
//! What a verb promises is kept by its script in `valkey/*.lua`; the modules here carry words to scripts and back. It
//! knows neither the rules of the operations nor where its address came from.

mod address;
mod dial;
mod feed;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod health;
mod link;
mod mail;
mod moves;
mod parcels;
mod people;
mod record;
mod reply;
mod request;
mod script;
mod trouble;
mod verb;
mod waiter;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use address::redacted;

use self::address::Address;
use self::link::{Limits, Link};
use self::request::{Answer, Request};
use super::{
    AgentPage, Batch, BroadcastQuery, Census, Claim, Cleaned, DeadLetter, EventPage, Feed, From, Health, HistoryQuery,
    Holder, Listing, MoveToken, NewBroadcast, NewMail, News, Parcel, ParcelPage, Phase, Pick, Record, Renamed, Scope,
    Sent, Settle, Settled, Stats, Step, Store, Waiter,
};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Cursor, Generation, MessageId, Millis, Receipt};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// What its keys begin with, e.g. `po:`; always inside a hash tag.
    pub prefix: String,
    /// How long connecting may take, at most.
    pub connect: Duration,
    /// How long an answer may take, at most.
    pub command: Duration,
    /// When everything must be over, for a short process.
    pub deadline: Option<Instant>,
    /// Whether the store goes by `Step::now` instead of the server's clock; for tests.
    pub given_clock: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            prefix: "po:".to_owned(),
            connect: Duration::from_secs(1),
            command: Duration::from_secs(5),
            deadline: None,
            given_clock: false,
        }
    }
}

/// How many idle connections are kept.
const MAX_IDLE: usize = 16;

/// A store on a Valkey or Redis server. It connects when it is first asked and keeps that connection; callers that ask at the same
/// time get one each, so that nobody waits for a server that answers somebody else, or does not.
pub struct Valkey {
    idle: Mutex<Vec<Link>>,
    address: Arc<Address>,
    limits: Limits,
    meta_key: String,
    /// The last time given, for the verbs that are told none; `None` when the server's clock counts.
    given: Option<Arc<AtomicI64>>,
}

impl Valkey {
    /// Takes address and prefix apart; connects to nothing. `Usage` when one of them is not legal.
    pub fn open(url: &str, options: Options) -> Result<Valkey> {
        let address = Arc::new(Address::parse(url)?);
        let Options { prefix, connect, command, deadline, given_clock } = options;
        if prefix.is_empty() || prefix.len() > 64 || prefix.contains(['{', '}']) || prefix.contains(char::is_control) {
            return Err(Error::new(Kind::Usage, format!("{prefix:?} is not a legal key prefix"))
                .hint("use 1 to 64 bytes without braces and control characters in POSTINO_KEY_PREFIX, like `po:`"));
        }
        let limits = Limits { connect, command, deadline };
        let given = given_clock.then(|| Arc::new(AtomicI64::new(0)));
        Ok(Valkey { idle: Mutex::default(), address, limits, meta_key: format!("{{{prefix}}}meta"), given })
    }

    /// The same store over another connection.
    fn on(&self, link: Link) -> Valkey {
        Valkey {
            idle: Mutex::new(vec![link]),
            address: Arc::clone(&self.address),
            limits: self.limits,
            meta_key: self.meta_key.clone(),
            given: self.given.clone(),
        }
    }

    /// Sends a request over the connection that was used last, or a new one when none is idle.
    fn ask(&self, request: &Request<'_>) -> Result<Answer> {
        let kept = self.idle().pop();
        let mut link = kept.unwrap_or_else(|| Link::new(Arc::clone(&self.address), self.limits));
        let answer = link.ask(request);
        let mut idle = self.idle();
        if answer.is_err() {
            // What lost this one has most likely lost the others too.
            idle.clear();
        }
        if idle.len() < MAX_IDLE {
            idle.push(link);
        }
        answer
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that a script is told: none, so that it asks its server, unless the clock is given.
    fn given_time(&self, now: Option<Millis>) -> String {
        let Some(given) = &self.given else { return String::new() };
        let now = match now {
            Some(Millis(now)) => {
                given.store(now, Ordering::Relaxed);
                now
            }
            None => given.load(Ordering::Relaxed),
        };
        now.to_string()
    }
}

/// Whether an address sends a password over a network unencrypted.
pub fn sends_password_in_clear(url: &str) -> bool {
    Address::parse(url).is_ok_and(|address| address.sends_password_in_clear())
}

impl Store for Valkey {
    fn send(&self, step: &Step<'_>, mail: &NewMail) -> Result<Sent> {
        mail::send(self, step, mail)
    }

    fn lease(&self, step: &Step<'_>, pick: Pick, hold: Duration, nonce: u64) -> Result<Batch> {
        mail::lease(self, step, pick, hold, nonce)
    }

    fn peek(&self, step: &Step<'_>, limit: u32) -> Result<Batch> {
        mail::peek(self, step, limit)
    }

    fn settle(&self, step: &Step<'_>, receipts: &[Receipt], what: Settle) -> Result<Settled> {
        mail::settle(self, step, receipts, what)
    }

    fn dead(&self, step: &Step<'_>, limit: u32) -> Result<Vec<DeadLetter>> {
        mail::dead(self, step, limit)
    }

    fn dead_retry(&self, step: &Step<'_>, ids: Option<&[MessageId]>) -> Result<u64> {
        mail::dead_retry(self, step, ids)
    }

    fn dead_purge(&self, step: &Step<'_>, ids: Option<&[MessageId]>) -> Result<u64> {
        mail::dead_purge(self, step, ids)
    }

    fn check(&self, step: &Step<'_>) -> Result<News> {
        mail::check(self, step)
    }

    fn broadcast(&self, step: &Step<'_>, broadcast: &NewBroadcast) -> Result<(MessageId, bool)> {
        feed::broadcast(self, step, broadcast)
    }

    fn broadcasts(&self, step: &Step<'_>, query: &BroadcastQuery) -> Result<Feed> {
        feed::broadcasts(self, step, query)
    }

    fn agents(&self, step: &Step<'_>, limit: u32, after: Option<&AgentName>) -> Result<AgentPage> {
        people::agents(self, step, limit, after)
    }

    fn rename(&self, step: &Step<'_>, to: &AgentName, gone: Option<Generation>) -> Result<Renamed> {
        people::rename(self, step, to, gone)
    }

    fn delete(&self, step: &Step<'_>, id: MessageId) -> Result<bool> {
        mail::delete(self, step, id)
    }

    fn clear(&self, step: &Step<'_>) -> Result<u64> {
        mail::clear(self, step)
    }

    fn clear_broadcasts(&self, step: &Step<'_>) -> Result<u64> {
        feed::clear_broadcasts(self, step)
    }

    fn cleanup(&self, step: &Step<'_>, gone: &[Generation], only: Option<&AgentName>) -> Result<Cleaned> {
        people::cleanup(self, step, gone, only)
    }

    fn list(&self, step: &Step<'_>, limit: u32, from: From) -> Result<Listing> {
        mail::list(self, step, limit, from)
    }

    fn history(&self, step: &Step<'_>, query: &HistoryQuery) -> Result<Vec<Record>> {
        mail::history(self, step, query)
    }

    fn find(&self, step: &Step<'_>, id: MessageId) -> Result<Option<Record>> {
        mail::find(self, step, id)
    }

    fn events(&self, step: &Step<'_>, after: Option<&Cursor>, limit: u32) -> Result<EventPage> {
        feed::events(self, step, after, limit)
    }

    fn waiter(&self, scope: &Scope) -> Result<Box<dyn Waiter>> {
        waiter::waiter(self, scope)
    }

    fn activity(&self, step: &Step<'_>) -> Result<Vec<u64>> {
        mail::activity(self, step)
    }

    fn stats(&self, step: &Step<'_>) -> Result<Stats> {
        people::stats(self, step)
    }

    fn health(&self, now: Millis) -> Result<Health> {
        health::health(self, now)
    }

    fn claim(&self, step: &Step<'_>, name: &AgentName, by: &Holder, gone: Option<Generation>) -> Result<Claim> {
        people::claim(self, step, name, by, gone)
    }

    fn holder(&self, step: &Step<'_>, name: &AgentName) -> Result<Option<Holder>> {
        people::holder(self, step, name)
    }

    fn holders(&self, step: &Step<'_>) -> Result<Vec<Holder>> {
        people::holders(self, step)
    }

    fn release(&self, step: &Step<'_>, claim: Generation) -> Result<()> {
        people::release(self, step, claim)
    }

    fn phase(&self, now: Millis) -> Result<Phase> {
        moves::phase(self, now)
    }

    fn move_mark(&self, now: Millis, token: &MoveToken, hold: Duration) -> Result<()> {
        moves::mark(self, now, token, hold)
    }

    fn move_unmark(&self, token: &MoveToken) -> Result<()> {
        moves::unmark(self, token)
    }

    fn export(&self, page: Option<&str>) -> Result<ParcelPage> {
        moves::export(self, page)
    }

    fn move_done(&self, now: Millis, token: &MoveToken, url: &str) -> Result<()> {
        moves::done(self, now, token, url)
    }

    fn fill_start(&self, token: &MoveToken) -> Result<()> {
        moves::fill_start(self, token)
    }

    fn fill(&self, token: &MoveToken, parcels: &[Parcel]) -> Result<()> {
        moves::fill(self, token, parcels)
    }

    fn fill_done(&self, token: &MoveToken) -> Result<()> {
        moves::fill_done(self, token)
    }

    fn census(&self) -> Result<Census> {
        moves::census(self)
    }
}
