//! Idempotency keys: what one was used for, until its TTL. It knows no message.

use rusqlite::{OptionalExtension, params};

use super::desk::Desk;
use super::fail::{Res, refuse};
use super::{entry, mutant};
use crate::error::{Error, Kind};
use crate::model::{AgentName, MessageId, Millis};
use crate::store::Once;

/// The id that a key stands for; `Conflict` when it was used for something else.
pub(super) fn recall(desk: &Desk<'_>, operation: &str, sender: &AgentName, once: &Once) -> Res<Option<MessageId>> {
    let mut query = desk.sql.prepare_cached(
        "SELECT fingerprint, id FROM keys WHERE operation = ?1 AND sender = ?2 AND key = ?3 AND expires > ?4",
    )?;
    let known = query
        .query_row(params![operation, sender.as_str(), once.key.as_str(), desk.now.0], |row| {
            Ok((row.get::<_, String>(0)?, entry::id(row.get_ref(1)?)))
        })
        .optional()?;
    match known {
        Some(_) if mutant::REPEATS => Ok(None),
        Some((fingerprint, Some(id))) if fingerprint == once.fingerprint => Ok(Some(id)),
        Some(_) => refuse(
            Error::new(Kind::Conflict, format!("the key {} was already used for something else", once.key.as_str()))
                .hint("use a new key for a new message"),
        ),
        None => Ok(None),
    }
}

/// Remembers what a key stands for until `expires`.
pub(super) fn keep(
    desk: &Desk<'_>,
    operation: &str,
    sender: &AgentName,
    once: &Once,
    id: MessageId,
    expires: Millis,
) -> Res<()> {
    let mut insert = desk.sql.prepare_cached(
        "INSERT OR REPLACE INTO keys (operation, sender, key, fingerprint, id, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let id = id.to_bytes();
    insert.execute(params![operation, sender.as_str(), once.key.as_str(), once.fingerprint, id, expires.0])?;
    Ok(())
}
