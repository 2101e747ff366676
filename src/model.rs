//! The words of the domain as parsed types: names, ids, receipts, times, messages.
//!
//! A value of one of these types has been checked at the edge, so a raw `String` never reaches
//! a key, a path or a header. Nothing here does I/O or knows a store, a front end or a clock.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Kind, Result};

/// The longest agent name, in characters.
pub const MAX_NAME_CHARS: usize = 64;
/// The longest body, in Unicode scalar values.
pub const MAX_BODY_CHARS: usize = 32_768;
/// The longest idempotency key, in characters.
pub const MAX_KEY_CHARS: usize = 128;

/// Implements serde for a newtype that is text outside, and describes that text by JSON schema keywords.
macro_rules! as_text {
    ($type:ident $(, $keyword:literal: $value:expr)*) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|error: Error| serde::de::Error::custom(error.message))
            }
        }
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string" $(, $keyword: $value)* })
            }
        }
    };
}

/// A name that points to one mailbox: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgentName(String);

impl AgentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes any text a legal name: foreign characters become `-`, the rest is cut to length.
    /// `None` when nothing legal is left.
    pub fn from_any_text(text: &str) -> Option<AgentName> {
        let mut name = String::new();
        for c in text.chars() {
            let legal = c.is_ascii_alphanumeric() || (!name.is_empty() && matches!(c, '.' | '_' | '-'));
            if legal {
                name.push(c);
            } else if !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
            if name.len() == MAX_NAME_CHARS {
                break;
            }
        }
        let name = name.trim_end_matches(['-', '.', '_']).to_owned();
        (!name.is_empty()).then_some(AgentName(name))
    }

    /// The n-th spare name of a wish, `NAME-2`, `NAME-3`, …, cut so that it stays legal.
    pub fn spare(&self, n: u32) -> AgentName {
        let suffix = format!("-{n}");
        let keep = self.0.len().min(MAX_NAME_CHARS - suffix.len());
        AgentName(format!("{}{suffix}", &self.0[..keep]))
    }
}

impl FromStr for AgentName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let starts_well = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        if starts_well && text.len() <= MAX_NAME_CHARS && text.chars().all(legal) {
            return Ok(AgentName(text.to_owned()));
        }
        let shown: String = text.chars().take(MAX_NAME_CHARS).collect();
        Err(Error::new(Kind::Usage, format!("{shown:?} is not a legal agent name"))
            .hint("use 1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit"))
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(AgentName, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$");

/// The id of a message or a broadcast: a UUIDv7 (RFC 9562 §5.7), the time by the store's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(uuid::Uuid);

impl MessageId {
    /// The id for a store time and 80 random bits, of which 74 are used.
    pub fn at(time: Millis, random: u128) -> MessageId {
        let millis = u64::try_from(time.0).unwrap_or(0);
        let bytes: [u8; 16] = random.to_be_bytes();
        let mut tail = [0u8; 10];
        tail.copy_from_slice(&bytes[6..]);
        MessageId(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
    }

    /// The last 21 characters (`7xxx-yxxx-xxxxxxxxxxxx`) of an id with these random bits, for a
    /// store that puts its own time in front.
    pub fn tail(random: u128) -> String {
        MessageId::at(Millis(0), random).to_string()[14..].to_owned()
    }

    /// The id's 16 bytes, big-endian; they sort as the text does.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// The id of 16 stored bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> MessageId {
        MessageId(uuid::Uuid::from_bytes(bytes))
    }
}

impl FromStr for MessageId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // Only the hyphenated lower-case form: the text is a key in the store.
        match uuid::Uuid::try_parse(text) {
            Ok(id) if id.hyphenated().to_string() == text => Ok(MessageId(id)),
            Ok(_) | Err(_) => {
                let shown: String = text.chars().take(64).collect();
                Err(Error::new(Kind::Usage, format!("{shown:?} is not a message id"))
                    .hint("copy the id from `postino history`; it looks like 0190b2c4-…"))
            }
        }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

as_text!(MessageId);

/// The token of one delivery: the message's id, a dot, and 64 random bits as 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The delivered message.
    pub id: MessageId,
    /// What tells this delivery from another one of the same message.
    pub nonce: u64,
}

impl FromStr for Receipt {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once('.').and_then(|(id, nonce)| {
            let hex = nonce.len() == 16 && nonce.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            let nonce = hex.then(|| u64::from_str_radix(nonce, 16).ok())??;
            Some(Receipt { id: id.parse().ok()?, nonce })
        });
        parsed.ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            Error::new(Kind::Usage, format!("{shown:?} is not a receipt"))
                .hint("receipts are printed by `postino read --lease SECS`")
        })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}", self.id, self.nonce)
    }
}

as_text!(Receipt);

/// A point in time, in milliseconds since the Unix epoch; as JSON, RFC 3339 UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

impl Millis {
    /// The time `span` later.
    pub fn plus(self, span: Duration) -> Millis {
        Millis(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Millis) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl FromStr for Millis {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let time = text.parse::<jiff::Timestamp>();
        time.map(|t| Millis(t.as_millisecond())).map_err(|_| {
            let shown: String = text.chars().take(64).collect();
            Error::new(Kind::Usage, format!("{shown:?} is not a time"))
                .hint("write it as RFC 3339, e.g. 2026-01-31T08:00:00Z")
        })
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => f.write_str("9999-12-31T00:00:00.000Z"),
        }
    }
}

as_text!(Millis);

/// What a message says: 1 to 32,768 Unicode scalar values, not blank, kept byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Body(String);

impl Body {
    /// The body as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Body {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Body::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Body {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::new(Kind::Usage, "the body is blank").hint("say something: 1 to 32,768 characters"));
        }
        // A text of that many bytes cannot have more characters; longer ones are counted.
        if text.len() > MAX_BODY_CHARS {
            let chars = text.chars().count();
            if chars > MAX_BODY_CHARS {
                return Err(Error::new(
                    Kind::Usage,
                    format!("the body has {chars} characters; at most 32,768 are carried"),
                )
                .hint("put the text in a file or a repository and send where it is"));
            }
        }
        Ok(Body(text))
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(Body, "minLength": 1, "maxLength": MAX_BODY_CHARS);

/// An idempotency key: 1 to 128 characters, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let chars = text.chars().count();
        if (1..=MAX_KEY_CHARS).contains(&chars) && !text.chars().any(char::is_control) {
            return Ok(Key(text.to_owned()));
        }
        Err(Error::new(Kind::Usage, "the idempotency key is not legal")
            .hint("use 1 to 128 characters, none of them control characters"))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(Key, "minLength": 1, "maxLength": MAX_KEY_CHARS);

/// Which front end a message came through: a help for the reader, not a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Via {
    /// The command line.
    Cli,
    /// A hook of an agent client.
    Hook,
    /// The MCP server.
    Mcp,
    /// The HTTP API.
    Http,
    /// The web page.
    Gui,
}

/// A message as every front end shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Who sent it, by the name of that time.
    pub from: AgentName,
    /// Whom it was addressed to, as it was written.
    pub to: AgentName,
    /// What it says, byte for byte.
    pub body: Body,
    /// When the store accepted it.
    pub timestamp: Millis,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The first message of its reply chain; its own id when it starts one.
    pub thread: MessageId,
    /// The front end it came through.
    pub via: Via,
    /// Whether the sender called it urgent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
    /// How often it has been handed to a reader, this time included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<u32>,
    /// The token of this delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Until when this delivery holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Millis>,
}

/// What a broadcast is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BroadcastKind {
    /// Said to everybody, counted as unseen until read.
    #[default]
    Announcement,
    /// An arrival or departure: shown in feeds, never counted.
    Notice,
}

/// A message to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Broadcast {
    /// Its id.
    pub id: MessageId,
    /// Who said it, by the name of that time.
    pub from: AgentName,
    /// What it says, byte for byte.
    pub body: Body,
    /// When the store accepted it.
    pub timestamp: Millis,
    /// Announcement or notice.
    pub kind: BroadcastKind,
    /// The front end it came through.
    pub via: Via,
}

/// What an agent is seen to be doing; display only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Between a prompt and the end of its turn.
    Working,
    /// Alive and waiting.
    Idle,
    /// No sign of life for 30 seconds.
    Offline,
}

/// What is known of the agent that a message was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Recipient {
    /// Between a prompt and the end of its turn.
    Working,
    /// Alive and waiting.
    Idle,
    /// Seen before, not within 30 seconds.
    Offline,
    /// Nobody has acted under this name yet; the mail waits.
    Unknown,
}

/// Where a message stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Ready for a reader.
    Waiting,
    /// Held by a reader until its lease runs out.
    Leased,
    /// Acknowledged.
    Taken,
    /// Given up: too many deliveries, or unreadable.
    Dead,
}

/// The number of a claim on a name; a later claim has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

/// A place in the event stream: the store's epoch and a rising number, `EPOCH-N`.
///
/// The epoch changes when the events of a store are lost or another store takes over, so that an
/// old cursor is never mistaken for a place in new events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Eight lower-case hex digits, made when the store was made.
    pub epoch: String,
    /// The number of the last event seen; 0 before the first.
    pub number: u64,
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once('-').and_then(|(epoch, number)| {
            let hex = epoch.len() == 8 && epoch.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            (hex && digits).then_some(())?;
            Some(Cursor { epoch: epoch.to_owned(), number: number.parse().ok()? })
        });
        parsed.ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            Error::new(Kind::Usage, format!("{shown:?} is not an event cursor"))
                .hint("copy the `cursor` of an event that `postino watch --json` printed")
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.number)
    }
}

as_text!(Cursor);

/// What happened, without bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventType {
    /// A message was accepted.
    #[serde(rename = "message.sent")]
    Sent,
    /// A message was handed to a reader.
    #[serde(rename = "message.leased")]
    Leased,
    /// A message was acknowledged.
    #[serde(rename = "message.taken")]
    Taken,
    /// A message is ready again: released, or its lease ran out.
    #[serde(rename = "message.released")]
    Released,
    /// A message's TTL ran out before anybody took it.
    #[serde(rename = "message.expired")]
    Expired,
    /// A message became a dead letter.
    #[serde(rename = "message.dead")]
    Dead,
    /// A broadcast (of either kind) was accepted.
    #[serde(rename = "broadcast.created")]
    Broadcast,
    /// An agent showed a first sign of life.
    #[serde(rename = "agent.online")]
    Online,
    /// An agent's session ended.
    #[serde(rename = "agent.offline")]
    Offline,
    /// An agent took a new name.
    #[serde(rename = "agent.renamed")]
    Renamed,
    /// A mailbox or the broadcasts were cleared, or one message was deleted.
    #[serde(rename = "cleared")]
    Cleared,
}

impl EventType {
    /// Every type, for stores that keep them as text.
    pub const ALL: [EventType; 11] = [
        EventType::Sent,
        EventType::Leased,
        EventType::Taken,
        EventType::Released,
        EventType::Expired,
        EventType::Dead,
        EventType::Broadcast,
        EventType::Online,
        EventType::Offline,
        EventType::Renamed,
        EventType::Cleared,
    ];

    /// The type as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Sent => "message.sent",
            EventType::Leased => "message.leased",
            EventType::Taken => "message.taken",
            EventType::Released => "message.released",
            EventType::Expired => "message.expired",
            EventType::Dead => "message.dead",
            EventType::Broadcast => "broadcast.created",
            EventType::Online => "agent.online",
            EventType::Offline => "agent.offline",
            EventType::Renamed => "agent.renamed",
            EventType::Cleared => "cleared",
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its place in the stream.
    pub cursor: Cursor,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When, by the store's clock.
    pub at: Millis,
    /// The message or broadcast it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The agent it is about: the reader, the renamed one (old name), the one whose mail was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// The sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<AgentName>,
    /// The recipient; the new name of a renamed agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<AgentName>,
}
