//! Messages as scripts hand them over, and what is wrong with those that cannot be read. It asks the store nothing.

use redis::Value;

use super::reply::{self, Row};
use crate::error::Result;
use crate::model::{AgentName, Message, MessageId, Millis, Receipt, Standing};
use crate::store::{Record, Unreadable};

/// How many fields a record has in a script's answer.
const FIELDS: usize = 20;

/// A message's fields as they are stored, in the scripts' order.
pub(super) struct Stored {
    pub(super) id: MessageId,
    fields: Vec<Option<Value>>,
}

/// Where each field stands.
#[derive(Clone, Copy)]
enum Field {
    From,
    To,
    Reply,
    Thread,
    Via,
    Urgent,
    At,
    Rank,
    Mailbox,
    Expires,
    Deliveries,
    Nonce,
    Until,
    By,
    Taken,
    Acked,
    Standing,
    Why,
    Died,
    Body,
}

impl Stored {
    /// Takes an id and its fields out of a row.
    pub(super) fn read(mut row: Row) -> Result<Stored> {
        let id = row.parsed()?;
        let mut fields: Vec<Option<Value>> = row.values().map(Some).collect();
        if fields.len() != FIELDS {
            return Err(reply::strange("a record is too short"));
        }
        // A record that never died or was never taken has these fields unset, or empty after a move.
        for field in &mut fields {
            *field = field.take().filter(|value| !matches!(value, Value::Nil));
        }
        Ok(Stored { id, fields })
    }

    fn text(&self, field: Field) -> Option<String> {
        let value = self.fields.get(field as usize)?.clone()?;
        reply::text(value).ok().flatten().filter(|text| !text.is_empty())
    }

    fn parsed<T: std::str::FromStr>(&self, field: Field) -> Option<T> {
        self.text(field)?.parse().ok()
    }

    fn millis(&self, field: Field) -> Option<Millis> {
        self.parsed(field).map(Millis)
    }

    /// The mailbox it lies in.
    pub(super) fn mailbox(&self) -> Option<u64> {
        self.parsed(Field::Mailbox)
    }

    /// Its place in the queue.
    pub(super) fn rank(&self) -> Option<i64> {
        self.parsed(Field::Rank)
    }

    /// When its TTL runs out.
    pub(super) fn expires(&self) -> Option<Millis> {
        self.millis(Field::Expires)
    }

    /// Why and when it died.
    pub(super) fn death(&self) -> Option<(String, Millis)> {
        Some((self.text(Field::Why)?, self.millis(Field::Died)?))
    }

    /// The nonce of the delivery that holds it or was acknowledged.
    pub(super) fn receipt(&self) -> Option<Receipt> {
        let nonce = u64::from_str_radix(&self.text(Field::Nonce)?, 16).ok()?;
        Some(Receipt { id: self.id, nonce })
    }

    /// The message, without what belongs to a delivery; what is wrong with it otherwise.
    pub(super) fn message(&self) -> std::result::Result<Message, Unreadable> {
        let need = |field, what: &str| self.text(field).ok_or_else(|| self.unreadable(what));
        let wrong = |what: &'static str| move || self.unreadable(what);
        let from: AgentName = self.parsed(Field::From).ok_or_else(wrong("its sender is not legal"))?;
        let to: AgentName = self.parsed(Field::To).ok_or_else(wrong("its recipient is not legal"))?;
        let body = need(Field::Body, "it has no body")?;
        let via = need(Field::Via, "it does not say how it came")?;
        let reply_to = match self.text(Field::Reply) {
            Some(text) => Some(text.parse().map_err(|_| self.unreadable("what it answers is no id"))?),
            None => None,
        };
        Ok(Message {
            id: self.id,
            from,
            to,
            body: body.parse().map_err(|_| self.unreadable("its body is not legal"))?,
            timestamp: self.millis(Field::At).ok_or_else(wrong("its time is not legal"))?,
            reply_to,
            thread: self.parsed(Field::Thread).ok_or_else(wrong("its thread is no id"))?,
            via: reply::word(&via).ok_or_else(wrong("how it came is not known"))?,
            urgent: self.text(Field::Urgent).as_deref() == Some("1"),
            deliveries: self.parsed(Field::Deliveries).filter(|count| *count > 0),
            receipt: None,
            lease_until: None,
        })
    }

    /// The message with its delivery's receipt and deadline.
    pub(super) fn leased(&self) -> std::result::Result<Message, Unreadable> {
        Ok(Message { receipt: self.receipt(), lease_until: self.millis(Field::Until), ..self.message()? })
    }

    /// The message with its whole story, without its receipt.
    pub(super) fn record(&self) -> std::result::Result<Record, Unreadable> {
        let standing = self.text(Field::Standing).as_deref().and_then(reply::word);
        let standing = standing.ok_or_else(|| self.unreadable("where it stands is not known"))?;
        let lease_until = if standing == Standing::Leased { self.millis(Field::Until) } else { None };
        Ok(Record {
            message: Message { lease_until, ..self.message()? },
            standing,
            taken_at: self.millis(Field::Taken),
            taken_by: self.parsed(Field::By),
            acked_at: self.millis(Field::Acked),
        })
    }

    fn unreadable(&self, reason: &str) -> Unreadable {
        Unreadable { id: self.id, reason: reason.to_owned() }
    }
}
