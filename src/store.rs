//! What a store must do: the domain's verbs, each one atomic step with its contract, and `open()`.
//!
//! The rules (who may ask, limits, texts) live in `ops`; a store keeps promises about atomicity,
//! order, cost and time. No SQL or redis type appears here.
//!
//! Contract that holds for every verb:
//! * **Atomic**: it happens as a whole or not at all, also when the process is killed.
//! * **Time**: `Step::now` is the host's clock. The embedded store goes by it; a store with a clock
//!   of its own (Valkey) goes by that, except when a test opened it with a given clock.
//! * **Due first**: before it looks, a verb moves what is due, at most 100 entries a run: leases that ran
//!   out become ready again (or dead, when deliveries are used up, or expired), expired mail is counted and leaves.
//!   Counts are right even when more than 100 are due.
//! * **Authority**: a verb that takes a `Step` first judges `Step::by`: see `Standing`.
//! * **Moving**: a writing verb on a store that is being moved fails with `Kind::Moving`; any verb on a
//!   store that has moved fails with `Kind::Moving` and the new address in the hint.
//! * **Presence**: a verb whose actor carries a `Sighting` records it, in the same step, unless a live
//!   session other than the actor's holds the name. The first sighting after silence is an `agent.online` event.
//! * **Errors**: `Unreachable` when the store did not answer. Where a step that is not idempotent may or
//!   may not have happened, the message says that the outcome is unknown.

pub mod address;
pub mod embedded;
pub mod valkey;

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;

#[cfg(test)]
mod conformance;
#[cfg(test)]
#[path = "../tests/it/server.rs"]
mod server;

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::model::{
    AgentName, Body, Broadcast, BroadcastKind, Cursor, Event, Generation, Key, Message, MessageId, Millis, Receipt,
    Recipient, Standing as MailStanding, State, Via,
};

/// How long a sign of life keeps an agent online.
pub const PRESENCE: Duration = Duration::from_secs(30);
/// How long a claim from another host lives without a sign of life.
pub const CLAIM: Duration = Duration::from_secs(24 * 3600);
/// How long a dead letter is kept.
pub const DEAD_TTL: Duration = Duration::from_secs(7 * 24 * 3600);
/// How many dead letters a mailbox keeps; the oldest goes first.
pub const MAX_DEAD: u64 = 1_000;
/// How many events are kept.
pub const MAX_EVENTS: u64 = 10_000;
/// How many notices are kept.
pub const MAX_NOTICES: u64 = 100;

/// What a message weighs beside its body.
pub const AROUND_BODY: u64 = 400;

/// What a message or broadcast weighs where an answer must not grow too long: its body's bytes as a JSON text (RFC 8259 §7), and
/// `AROUND_BODY` for all that stands around it.
pub fn weight(body: &Body) -> u64 {
    let written = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    body.as_str().bytes().map(written).sum::<u64>() + 2 + AROUND_BODY
}

/// The limits that hold for one step; from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long a message or broadcast lives, at least one second.
    pub ttl: Duration,
    /// How many messages may wait or be leased in one mailbox.
    pub max_inbox: u64,
    /// How many announcements are kept.
    pub max_broadcasts: u64,
    /// After how many deliveries an unacknowledged message is a dead letter.
    pub max_deliveries: u32,
}

/// On what ground an actor uses its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A session that claimed the name; `Kind::NameLost` for every verb once another claim replaced it.
    Session(Generation),
    /// Named outright: may do everything.
    Named,
    /// Guessed from the terminal or the directory: `Kind::NameHeld` from the verbs that take mail or change the name
    /// (lease, settle, dead_retry, dead_purge, broadcasts with `advance`, rename, delete, clear) while a live session holds it.
    /// `gone` is a claim whose holder the caller has seen to be dead: it counts as not live.
    Guessed {
        /// The claim that does not count.
        gone: Option<Generation>,
    },
}

/// A sign of life to record with a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sighting {
    /// What the agent is doing; `None` keeps what was known, `Idle` when nothing was.
    pub state: Option<State>,
    /// The client it runs in, e.g. `claude`, or `shell`.
    pub client: String,
    /// The host's name.
    pub host: String,
    /// The project's (directory's) name.
    pub project: String,
}

/// Who performs a step.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The name acted under.
    pub name: AgentName,
    /// On what ground.
    pub standing: Standing,
    /// The sign of life that goes with it.
    pub sighting: Option<Sighting>,
}

/// What every verb needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Who asks.
    pub by: &'a Actor,
    /// The host's clock.
    pub now: Millis,
    /// The limits in force.
    pub policy: &'a Policy,
}

/// An idempotency key with what it was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The key, per sender and operation.
    pub key: Key,
    /// 32 hex digits that differ when recipient, body, replyTo or urgent differ.
    pub fingerprint: String,
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// The name it is addressed to.
    pub to: AgentName,
    /// What it says.
    pub body: Body,
    /// The message it answers. Its thread is that message's, or that message's id when the store no longer has it.
    pub reply_to: Option<MessageId>,
    /// Makes a repetition harmless.
    pub once: Option<Once>,
    /// Whether it counts as urgent in hints.
    pub urgent: bool,
    /// The front end it came through.
    pub via: Via,
    /// Random bits for the id.
    pub random: u128,
}

/// What became of a `send`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The id; the first one when the key was known.
    pub id: MessageId,
    /// False when the key was known and nothing was stored.
    pub created: bool,
    /// What is known of the recipient.
    pub recipient: Recipient,
    /// How many live messages now wait there, leased ones not counted.
    pub waiting: u64,
    /// When the recipient is unknown: names that somebody has used, at most 1,000, so that a mistyped one can be told
    /// without another step.
    pub known: Vec<AgentName>,
}

/// Which mail a `lease` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Up to so many from the head, 1 to 100.
    Head(u32),
    /// Likewise, and only as many as weigh at most so much together (see `weight`); the first in any case.
    Fitting(u32, u64),
    /// This one, wherever it stands in the queue.
    One(MessageId),
}

/// An entry that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unreadable {
    /// Its id.
    pub id: MessageId,
    /// What is wrong with it.
    pub reason: String,
}

/// Mail handed out by `lease` or shown by `peek`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The messages, in queue order; with receipt, leaseUntil and deliveries when leased.
    pub messages: Vec<Message>,
    /// Live messages that wait after these (a peek: beyond these).
    pub remaining: u64,
    /// Entries met that cannot be read; `lease` made dead letters of them, `peek` left them.
    pub unreadable: Vec<Unreadable>,
    /// When the next lease of this mailbox runs out, by the store's clock: a wait ends then.
    pub next_due: Option<Millis>,
    /// The store's clock at this step.
    pub store_now: Millis,
}

/// What to do with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// It is done with. Again with the same receipt: done again, no harm.
    Ack,
    /// Hold it for this long from now.
    Extend(Duration),
    /// Give it back: ready at its old place, or dead when deliveries are used up.
    Release,
}

/// What became of the receipts, each in one of the lists, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settled {
    /// Carried out.
    pub done: Vec<Receipt>,
    /// Refused: run out, released, replaced by a later delivery, another mailbox's, or never given.
    pub stale: Vec<Receipt>,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The message; `None` when it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// Its id.
    pub id: MessageId,
    /// Why it died, e.g. `5 deliveries without an ack`.
    pub reason: String,
    /// When it died.
    pub died_at: Millis,
}

/// Who and what is newest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Newest {
    /// The id.
    pub id: MessageId,
    /// The sender.
    pub from: AgentName,
}

/// What is new for an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Live messages that wait, leased and expired ones not counted.
    pub unread: u64,
    /// How many of these are urgent.
    pub urgent: u64,
    /// Live announcements after the cursor, own ones not counted.
    pub unseen: u64,
    /// The unread message last in the queue.
    pub newest_message: Option<Newest>,
    /// The newest unseen announcement.
    pub newest_broadcast: Option<Newest>,
    /// How often mail has become ready in this mailbox since it was made: sent, released, run out, retried or merged. It only
    /// grows; a reader that remembers it knows whether anything came since, redelivered mail included.
    pub arrivals: u64,
}

/// A broadcast to be stored.
#[derive(Clone, Debug)]
pub struct NewBroadcast {
    /// What it says.
    pub body: Body,
    /// Announcement or notice.
    pub kind: BroadcastKind,
    /// Makes a repetition harmless.
    pub once: Option<Once>,
    /// The front end it came through.
    pub via: Via,
    /// Random bits for the id.
    pub random: u128,
}

/// Which broadcasts to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BroadcastQuery {
    /// False: announcements after the actor's cursor, own ones left out, oldest first.
    /// True: the newest that are alive, of both kinds, own ones too, oldest first.
    pub all: bool,
    /// Whether the actor's cursor moves to the last one shown (with `all`: to the newest there is).
    pub advance: bool,
    /// How many at most, 1 to 100.
    pub limit: u32,
    /// Of unseen ones only as many as weigh at most so much together (see `weight`); the first in any case.
    pub room: Option<u64>,
}

/// A page of broadcasts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Feed {
    /// The broadcasts, oldest first.
    pub items: Vec<Broadcast>,
    /// Unseen announcements after this answer.
    pub unseen: u64,
    /// Live announcements in all.
    pub total: u64,
    /// Announcements that were unseen when the cap trimmed them, since the last read.
    pub missed: u64,
}

/// An agent as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentInfo {
    /// Its name.
    pub name: AgentName,
    /// Seen within 30 seconds.
    pub online: bool,
    /// What it is doing.
    pub state: State,
    /// Live messages that wait for it.
    pub message_count: u64,
    /// The last sign of life; `None` for a name that only has mail.
    pub last_seen: Option<Millis>,
    /// The client it runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The host's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The project's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

/// A page of agents, by name; forwarding names are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentPage {
    /// The agents, by name in byte order.
    pub items: Vec<AgentInfo>,
    /// How many there are in all.
    pub total: u64,
    /// How many are online in all.
    pub online: u64,
}

/// A message with its whole story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// Where it stands.
    pub standing: MailStanding,
    /// When it was last handed to a reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Millis>,
    /// Who that reader was, by the name of that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<AgentName>,
    /// When it was acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acked_at: Option<Millis>,
}

/// How many hours of the past `activity` counts.
pub const HOURS: usize = 24;

/// The ends of the hours that `activity` counts, back from now; the first is the beginning of the oldest.
fn hour_ends(now: Millis) -> Vec<Millis> {
    let back = (0..=HOURS as i64).rev();
    back.map(|hours| Millis(now.0 - hours * 3_600_000)).collect()
}

/// Which messages of the past to show, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Sent by or to this name as written.
    pub agent: Option<AgentName>,
    /// And between `agent` and this name; needs `agent`.
    pub with: Option<AgentName>,
    /// Of this thread.
    pub thread: Option<MessageId>,
    /// Older than this message.
    pub before: Option<MessageId>,
    /// How many at most, 1 to 200.
    pub limit: u32,
}

/// From where to list a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Skip so many.
    Offset(u64),
    /// Behind this message.
    After(MessageId),
}

/// A mailbox as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Waiting and leased mail, in queue order.
    pub items: Vec<Record>,
    /// Waiting and leased in all.
    pub total: u64,
    /// Entries on this page that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// What became of a rename.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Messages that already waited or were held under the new name and now come first.
    pub merged: u64,
}

/// What a clean-up removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cleaned {
    /// The names that are gone.
    pub removed: Vec<AgentName>,
}

/// Events after a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events in order; empty when there is none.
    pub events: Vec<Event>,
    /// Where to go on.
    pub cursor: Cursor,
    /// True when the given cursor is older than what is kept or from another epoch: what came between is not known.
    pub reset: bool,
}

/// Counts of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Known names, forwarding ones not counted.
    pub agents: u64,
    /// Of these, online.
    pub online: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// Messages held by readers.
    pub leased: u64,
    /// Dead letters kept.
    pub dead: u64,
    /// Live announcements.
    pub broadcasts: u64,
    /// Messages accepted since the store was made.
    pub sent: u64,
    /// Messages acknowledged since then.
    pub taken: u64,
    /// Messages whose TTL ran out before anybody took them.
    pub expired: u64,
    /// Messages that became dead letters.
    pub died: u64,
    /// Announcements dropped by the cap.
    pub trimmed: u64,
    /// Dead letters dropped by their cap or age.
    pub dead_trimmed: u64,
    /// Messages deleted, cleared or purged by hand.
    pub deleted: u64,
}

/// What "accepted" means on this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Durability {
    /// On disk before the answer (embedded).
    Fsync,
    /// The server syncs each write (`appendfsync always`).
    Always,
    /// The server syncs each second; a crash may lose the last one.
    Everysec,
    /// The server keeps it in memory, or syncs when the system likes.
    None,
    /// The server does not tell.
    Unknown,
}

/// How the store does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `sqlite`, `redis` or `valkey`, with its version, e.g. `valkey 8.0.1`.
    pub server: String,
    /// What "accepted" means.
    pub durability: Durability,
    /// The server's `maxmemory-policy` when it may evict mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eviction: Option<String>,
    /// The store's clock minus the host's, in milliseconds; 0 for the embedded store.
    pub clock_skew_ms: i64,
}

/// A session that asks for a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// The claim; the given value is ignored when claiming.
    pub generation: Generation,
    /// Boot id and pid namespace: where a pid means something.
    pub host_id: String,
    /// The client's process id there.
    pub pid: u32,
    /// Its start time, in clock ticks since boot; with the pid it names one process.
    pub started: u64,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The name is this session's.
    Granted(Generation),
    /// A live session holds it.
    Held(Holder),
}

/// What a waiter waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Mail for this name, and broadcasts.
    Mail(AgentName),
    /// Any event.
    Events,
}

/// Waits for a change, on a connection of its own.
pub trait Waiter: Send {
    /// Returns when something in scope may have changed since this waiter was made or last returned, or
    /// at `until`; it may return early, never late by more than a second. It does not poll the store
    /// more than once a second. `Unreachable` when the store went away.
    fn wait(&mut self, until: Instant) -> Result<()>;
}

/// Names one attempt to move a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MoveToken(pub String);

/// Whether a store takes part in a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Open for everybody.
    Open,
    /// Being read out; writers are refused until the mark runs out.
    Moving(MoveToken),
    /// Being filled; everybody is refused.
    Filling(MoveToken),
    /// Moved for good to this address (without its password).
    Moved(MoveToken, String),
}

/// How much of each sort a store holds; equal on both sides of a verified move.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Census {
    /// Names, forwarding ones included.
    pub names: u64,
    /// Messages in any standing.
    pub messages: u64,
    /// Broadcasts of both kinds.
    pub broadcasts: u64,
    /// Idempotency keys.
    pub keys: u64,
}

/// One thing to carry from store to store. Events and presence stay behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Parcel {
    /// A mailbox with its broadcast cursor; `box` is a number within one move.
    Mailbox {
        /// The mailbox's number in the source.
        mailbox: u64,
        /// The sequence number of the last announcement seen.
        cursor: u64,
        /// Unread-broadcast accounting of the source: announcements missed since the last read.
        missed: u64,
        /// How often mail has become ready in it, so that readers who remember the number see later mail as new.
        arrivals: u64,
    },
    /// A name.
    Name {
        /// The name.
        name: AgentName,
        /// The mailbox it points to.
        mailbox: u64,
        /// Whether it only forwards.
        alias: bool,
        /// The session that holds it.
        holder: Option<Holder>,
        /// The last sign of life.
        last_seen: Option<Millis>,
    },
    /// A message in any standing.
    Mail {
        /// The mailbox it lies in.
        mailbox: u64,
        /// Its place in the queue.
        rank: i64,
        /// The message with its story; receipt and leaseUntil are set while it is leased or was acknowledged.
        record: Box<Record>,
        /// When its TTL runs out.
        expires: Millis,
        /// Why and when it died.
        dead: Option<(String, Millis)>,
    },
    /// A broadcast.
    Broadcast {
        /// Its sequence number.
        number: u64,
        /// The sender's mailbox.
        mailbox: u64,
        /// The broadcast.
        broadcast: Broadcast,
        /// When its TTL runs out.
        expires: Millis,
    },
    /// An idempotency key.
    Key {
        /// `send` or `broadcast`.
        operation: String,
        /// The sender.
        sender: AgentName,
        /// The key.
        key: Key,
        /// What it was used for.
        fingerprint: String,
        /// The id it stands for.
        id: MessageId,
        /// When it is forgotten.
        expires: Millis,
    },
    /// The counters, once.
    Counters {
        /// The totals since the store was made; the other fields are ignored.
        stats: Stats,
        /// The last announcement's sequence number.
        last_broadcast: u64,
        /// The last claim's number.
        last_generation: u64,
    },
}

/// A page of an export.
#[derive(Clone, Debug, Default)]
pub struct ParcelPage {
    /// The parcels; mailboxes come before names, and both before mail.
    pub parcels: Vec<Parcel>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// The store. Every verb is one atomic step; see the module's contract for what holds for all.
pub trait Store: Send + Sync {
    /// Stores, counts and announces one message. `Full` when `max_inbox` are waiting or leased there (due ones moved
    /// first); `Conflict` when the key was used with another fingerprint. Mail to an unknown name makes a mailbox.
    /// Not idempotent without a key. Cost independent of what waits.
    fn send(&self, step: &Step<'_>, mail: &NewMail) -> Result<Sent>;

    /// Hands out ready mail of the actor's mailbox and holds it until now + `hold`; each message gets the receipt (id, `nonce`) and
    /// one delivery more. FIFO by queue place; ready-again mail has kept its place. No two leases hold one message.
    /// `Pick::One` of a message that is not ready gives an empty batch. Cost independent of what waits.
    fn lease(&self, step: &Step<'_>, pick: Pick, hold: Duration, nonce: u64) -> Result<Batch>;

    /// Shows what `lease` would hand out, without receipts; consumes nothing.
    fn peek(&self, step: &Step<'_>, limit: u32) -> Result<Batch>;

    /// Acks, extends or releases deliveries of the actor's mailbox. An ack is idempotent. Refused receipts are
    /// listed, not an error.
    fn settle(&self, step: &Step<'_>, receipts: &[Receipt], what: Settle) -> Result<Settled>;

    /// The actor's dead letters, newest first.
    fn dead(&self, step: &Step<'_>, limit: u32) -> Result<Vec<DeadLetter>>;

    /// Puts dead letters (`ids`, or all) back at their places with no deliveries; returns how many. It may exceed the inbox cap.
    /// Their TTL starts anew. Unreadable ones stay dead.
    fn dead_retry(&self, step: &Step<'_>, ids: Option<&[MessageId]>) -> Result<u64>;

    /// Deletes dead letters (`ids`, or all) for good; returns how many.
    fn dead_purge(&self, step: &Step<'_>, ids: Option<&[MessageId]>) -> Result<u64>;

    /// What is new for the actor; consumes nothing, makes no mailbox. Cost independent of what waits.
    fn check(&self, step: &Step<'_>) -> Result<News>;

    /// Stores and announces one broadcast; drops the oldest of its kind beyond the cap. `Conflict` as in `send`.
    fn broadcast(&self, step: &Step<'_>, broadcast: &NewBroadcast) -> Result<(MessageId, bool)>;

    /// Shows broadcasts and moves the actor's cursor as asked. The cursor is a sequence number, never an index.
    fn broadcasts(&self, step: &Step<'_>, query: &BroadcastQuery) -> Result<Feed>;

    /// Names after `after`, in byte order, at most `limit` (1 to 1,000).
    fn agents(&self, step: &Step<'_>, limit: u32, after: Option<&AgentName>) -> Result<AgentPage>;

    /// Points `to` at the actor's mailbox; the old name forwards. Mail that waits under `to` comes first and keeps its leases.
    /// A session's old name is held with its claim; `agent.renamed` is announced. `NameHeld` while a live session
    /// other than `gone` holds `to`; `Conflict` when `to` is the actor's name already.
    fn rename(&self, step: &Step<'_>, to: &AgentName, gone: Option<Generation>) -> Result<Renamed>;

    /// Deletes one waiting or leased message of the actor's mailbox, and its history. False when it is not there.
    fn delete(&self, step: &Step<'_>, id: MessageId) -> Result<bool>;

    /// Deletes all waiting and leased mail of the actor's mailbox, and its history; returns how many.
    fn clear(&self, step: &Step<'_>) -> Result<u64>;

    /// Deletes all broadcasts; returns how many. Cursors stay valid, nothing counts as missed.
    fn clear_broadcasts(&self, step: &Step<'_>) -> Result<u64>;

    /// Removes names that are offline, held by no live session (claims in `gone` are not live) and have nothing waiting, leased or
    /// dead, with their forwarding names; with `only` at most that one. History stays until its TTL.
    fn cleanup(&self, step: &Step<'_>, gone: &[Generation], only: Option<&AgentName>) -> Result<Cleaned>;

    /// The actor's mailbox as it is, nothing consumed, at most `limit` (1 to 200).
    fn list(&self, step: &Step<'_>, limit: u32, from: From) -> Result<Listing>;

    /// What was sent, newest first, until its TTL; costs what it returns, not what exists.
    fn history(&self, step: &Step<'_>, query: &HistoryQuery) -> Result<Vec<Record>>;

    /// One message by its id, in any standing.
    fn find(&self, step: &Step<'_>, id: MessageId) -> Result<Option<Record>>;

    /// Events after `after`, at most `limit`; `None` starts behind the newest. Does not wait.
    fn events(&self, step: &Step<'_>, after: Option<&Cursor>, limit: u32) -> Result<EventPage>;

    /// A waiter for changes from now on.
    fn waiter(&self, scope: &Scope) -> Result<Box<dyn Waiter>>;

    /// How many messages of history were sent in each of the last `HOURS` hours, back from now; the oldest hour comes first. What
    /// is past its time counts until a verb moved it. Costs an index look per hour and no body.
    fn activity(&self, step: &Step<'_>) -> Result<Vec<u64>>;

    /// Counts of the whole workspace.
    fn stats(&self, step: &Step<'_>) -> Result<Stats>;

    /// Asks the store how it does.
    fn health(&self, now: Millis) -> Result<Health>;

    /// Claims `name` for the session `by`. The same process claiming again keeps its generation. A name whose holder is
    /// `gone`, ended, or silent for `CLAIM` is granted, with the mail that waits; one that only forwarded gets
    /// a new mailbox. One step.
    fn claim(&self, step: &Step<'_>, name: &AgentName, by: &Holder, gone: Option<Generation>) -> Result<Claim>;

    /// The live session that holds `name`.
    fn holder(&self, step: &Step<'_>, name: &AgentName) -> Result<Option<Holder>>;

    /// Every live claim, for a caller that looks which processes still exist.
    fn holders(&self, step: &Step<'_>) -> Result<Vec<Holder>>;

    /// Ends a claim: its name is free, its forwarding names end, presence is offline, `agent.offline` is announced. No error
    /// when it had ended already.
    fn release(&self, step: &Step<'_>, claim: Generation) -> Result<()>;

    /// Whether the store takes part in a move.
    fn phase(&self, now: Millis) -> Result<Phase>;

    /// Marks the store as moving until now + `hold`, or renews the mark. `Moving` when another token's mark is alive.
    fn move_mark(&self, now: Millis, token: &MoveToken, hold: Duration) -> Result<()>;

    /// Takes the mark off; nothing when it is not this token's.
    fn move_unmark(&self, token: &MoveToken) -> Result<()>;

    /// A page of everything, from the start or a page's `next`; only while marked.
    fn export(&self, page: Option<&str>) -> Result<ParcelPage>;

    /// Turns `moving` into `moved`; `Moving` when the mark is no longer this token's or ran out. From then on every verb is refused.
    fn move_done(&self, now: Millis, token: &MoveToken, url: &str) -> Result<()>;

    /// Empties a store that is empty, half filled by an earlier move, or moved away, and closes it for filling. `Conflict` when it holds
    /// anything else.
    fn fill_start(&self, token: &MoveToken) -> Result<()>;

    /// Takes parcels in; only between `fill_start` and `fill_done` of this token.
    fn fill(&self, token: &MoveToken, parcels: &[Parcel]) -> Result<()>;

    /// Opens a filled store. Again with the same token: no harm.
    fn fill_done(&self, token: &MoveToken) -> Result<()>;

    /// How much of each sort there is.
    fn census(&self) -> Result<Census>;
}
