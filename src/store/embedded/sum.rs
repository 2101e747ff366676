//! A checksum of what was written, so that bytes that changed on the disk are found out and never shown as somebody's words:
//! SQLite itself checks its log, not its pages. It knows no table.

use sha2::{Digest, Sha256};

use super::entry::via_text;
use crate::model::{Broadcast, BroadcastKind, Message, MessageId};

/// The checksum of what never changes of a message.
pub(super) fn of_message(message: &Message) -> i64 {
    let reply_to = message.reply_to.map(MessageId::to_bytes);
    of(&[
        &message.id.to_bytes(),
        message.from.as_str().as_bytes(),
        message.to.as_str().as_bytes(),
        &message.timestamp.0.to_be_bytes(),
        reply_to.as_ref().map_or(&[], |id| id.as_slice()),
        &message.thread.to_bytes(),
        via_text(message.via).as_bytes(),
        &[u8::from(message.urgent)],
        message.body.as_str().as_bytes(),
    ])
}

/// The checksum of a broadcast.
pub(super) fn of_broadcast(broadcast: &Broadcast) -> i64 {
    of(&[
        &broadcast.id.to_bytes(),
        broadcast.from.as_str().as_bytes(),
        &broadcast.timestamp.0.to_be_bytes(),
        &[u8::from(broadcast.kind == BroadcastKind::Notice)],
        via_text(broadcast.via).as_bytes(),
        broadcast.body.as_str().as_bytes(),
    ])
}

/// The beginning of the SHA-256 of the parts, which are told apart by their lengths.
fn of(parts: &[&[u8]]) -> i64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).fold(0, |sum, byte| sum << 8 | i64::from(*byte))
}
