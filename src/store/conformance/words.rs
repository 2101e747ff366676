//! Short words for actors, ids, receipts and keys.

use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Broadcast, Generation, Message, MessageId, Receipt, State};
use crate::store::{Actor, Holder, Once, Record, Sighting, Standing};

/// Whoever can perform a step: a plain text is a name used outright, without a sign of life.
pub(super) trait Who {
    /// The actor it stands for.
    fn actor(&self) -> Actor;
}

impl Who for &str {
    fn actor(&self) -> Actor {
        Actor { name: name(self), standing: Standing::Named, sighting: None }
    }
}

impl Who for Actor {
    fn actor(&self) -> Actor {
        self.clone()
    }
}

impl Who for &Actor {
    fn actor(&self) -> Actor {
        (*self).clone()
    }
}

/// A legal name.
pub(super) fn name(text: &str) -> AgentName {
    text.parse().unwrap()
}

/// An actor by a claim.
pub(super) fn session(text: &str, generation: Generation) -> Actor {
    Actor { standing: Standing::Session(generation), ..text.actor() }
}

/// An actor whose name was guessed, who has seen the holder of `gone` dead.
pub(super) fn guessed(text: &str, gone: Option<Generation>) -> Actor {
    Actor { standing: Standing::Guessed { gone }, ..text.actor() }
}

/// The same actor, showing a sign of life.
pub(super) fn seen(who: impl Who, state: impl Into<Option<State>>) -> Actor {
    let (client, host, project) = ("claude".to_owned(), "laptop".to_owned(), "webshop".to_owned());
    Actor { sighting: Some(Sighting { state: state.into(), client, host, project }), ..who.actor() }
}

/// The process `pid` of one host.
pub(super) fn process(pid: u32) -> Holder {
    Holder { generation: Generation(0), host_id: "boot-1/pid-1".to_owned(), pid, started: 4_711 }
}

/// The generation of a session.
pub(super) fn generation(actor: &Actor) -> Generation {
    match actor.standing {
        Standing::Session(generation) => generation,
        Standing::Named | Standing::Guessed { .. } => panic!("{actor:?} is no session"),
    }
}

/// A key with a fingerprint.
pub(super) fn once(key: &str, fingerprint: u128) -> Option<Once> {
    Some(Once { key: key.parse().unwrap(), fingerprint: format!("{fingerprint:032x}") })
}

/// The ids of messages.
pub(super) fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

/// The ids of records.
pub(super) fn record_ids(records: &[Record]) -> Vec<MessageId> {
    records.iter().map(|record| record.message.id).collect()
}

/// The ids of broadcasts.
pub(super) fn broadcast_ids(items: &[Broadcast]) -> Vec<MessageId> {
    items.iter().map(|broadcast| broadcast.id).collect()
}

/// The receipts of leased messages.
pub(super) fn receipts(messages: &[Message]) -> Vec<Receipt> {
    messages.iter().map(|message| message.receipt.unwrap()).collect()
}

/// The kind of a failure.
pub(super) fn kind<T>(result: Result<T>) -> Option<Kind> {
    result.err().map(|error: Error| error.kind)
}
