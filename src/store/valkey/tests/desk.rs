//! Short words for the tests: a store on a server, an actor, a message.

use std::time::Duration;

use crate::error::Result;
use crate::model::{AgentName, BroadcastKind, Message, MessageId, Millis, State, Via};
use crate::store::server::{Flavor, Server, available};
use crate::store::valkey::{Options, Valkey};
use crate::store::{Actor, NewBroadcast, NewMail, News, Pick, Policy, Sighting, Standing, Step, Store};

/// Runs a test on a fresh server of each make that is installed.
pub(super) fn on_each(test: impl Fn(Server)) {
    for flavor in available() {
        test(Server::start(flavor, &[]));
    }
}

/// Runs a test for each make that is installed.
pub(super) fn for_each(test: impl Fn(Flavor)) {
    available().into_iter().for_each(test);
}

/// A store at an address, with the usual prefix and short limits.
pub(super) fn open(url: &str) -> Valkey {
    patient(url, Duration::from_secs(5))
}

/// A store that waits this long for an answer.
pub(super) fn patient(url: &str, command: Duration) -> Valkey {
    Valkey::open(url, Options { connect: Duration::from_secs(2), command, ..Options::default() }).unwrap()
}

/// A legal name.
pub(super) fn name(text: &str) -> AgentName {
    text.parse().unwrap()
}

/// An actor that shows a sign of life.
pub(super) fn actor(text: &str) -> Actor {
    let (client, host, project) = ("claude".to_owned(), "laptop".to_owned(), "webshop".to_owned());
    let sighting = Some(Sighting { state: Some(State::Working), client, host, project });
    Actor { name: name(text), standing: Standing::Named, sighting }
}

/// Runs one verb as `who`.
pub(super) fn ask<T>(store: &Valkey, who: &str, verb: impl FnOnce(&Valkey, &Step<'_>) -> T) -> T {
    let policy =
        Policy { ttl: Duration::from_secs(24 * 3600), max_inbox: 1_000, max_broadcasts: 500, max_deliveries: 5 };
    let by = actor(who);
    verb(store, &Step { by: &by, now: Millis(0), policy: &policy })
}

/// A plain message.
pub(super) fn mail(to: &str, body: &str) -> NewMail {
    let (to, body) = (name(to), body.parse().unwrap());
    NewMail { to, body, reply_to: None, once: None, urgent: false, via: Via::Cli, random: random() }
}

/// A plain announcement.
pub(super) fn word(body: &str) -> NewBroadcast {
    let kind = BroadcastKind::Announcement;
    NewBroadcast { body: body.parse().unwrap(), kind, once: None, via: Via::Cli, random: random() }
}

/// Bits that were not given out before.
pub(super) fn random() -> u128 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(1);
    u128::from(COUNT.fetch_add(1, Ordering::SeqCst)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

/// Sends a message that must be accepted.
pub(super) fn send(store: &Valkey, to: &str, body: &str) -> MessageId {
    try_send(store, to, body).unwrap()
}

/// Sends a message.
pub(super) fn try_send(store: &Valkey, to: &str, body: &str) -> Result<MessageId> {
    ask(store, "ann", |store, step| store.send(step, &mail(to, body))).map(|sent| sent.id)
}

/// Leases all there is for a minute.
pub(super) fn lease(store: &Valkey, who: &str) -> Vec<Message> {
    let hold = Duration::from_secs(60);
    ask(store, who, |store, step| store.lease(step, Pick::Head(100), hold, 7)).unwrap().messages
}

/// What is new.
pub(super) fn check(store: &Valkey, who: &str) -> Result<News> {
    ask(store, who, |store, step| store.check(step))
}
