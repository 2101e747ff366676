//! How a message comes in. It knows the mailbox, not its reader.

use rusqlite::{OptionalExtension, params};

use super::desk::{About, Desk};
use super::fail::{Res, refuse};
use super::names::{self, Me, Named};
use super::presence::Presence;
use super::{counts, due, entry, hist, keys, sum};
use crate::error::{Error, Kind};
use crate::model::{EventType, Message, MessageId, Recipient, State};
use crate::store::{NewMail, Policy, Sent, Step};

/// The operation's name among idempotency keys.
pub(super) const OPERATION: &str = "send";
/// Names told at most to a sender whose recipient nobody knows.
const KNOWN: usize = 1_000;

/// Stores, counts and announces a message.
pub(super) fn send(desk: &Desk<'_>, presence: &Presence, step: &Step<'_>, me: &Me, mail: &NewMail) -> Res<Sent> {
    let target = names::look_up(desk, &mail.to)?;
    let recipient = recipient(desk, presence, mail, target.as_ref());
    if let Some(once) = &mail.once
        && let Some(id) = keys::recall(desk, OPERATION, &me.name, once)?
    {
        let waiting = match &target {
            Some(target) => counts::live(desk, step.policy, target.mailbox)?.waiting(),
            None => 0,
        };
        return Ok(Sent { id, created: false, recipient, waiting, known: Vec::new() });
    }
    let mailbox = match &target {
        Some(target) => target.mailbox,
        None => names::make(desk, &mail.to)?,
    };
    due::settle(desk, step.policy, mailbox)?;
    let waiting = make_room(desk, step.policy, mailbox, mail)?;
    let message = write(desk, me, mail)?;
    store(desk, step.policy, mailbox, &message)?;
    if let Some(once) = &mail.once {
        keys::keep(desk, OPERATION, &me.name, once, message.id, desk.now.plus(step.policy.ttl))?;
    }
    let (from, to) = (Some(me.name.as_str()), Some(mail.to.as_str()));
    desk.announce(EventType::Sent, About { id: Some(message.id), agent: None, from, to })?;
    let known =
        if recipient == Recipient::Unknown { presence.names().into_iter().take(KNOWN).collect() } else { Vec::new() };
    Ok(Sent { id: message.id, created: true, recipient, waiting: waiting + 1, known })
}

/// How many wait, when there is room for one more; else `Full`.
fn make_room(desk: &Desk<'_>, policy: &Policy, mailbox: i64, mail: &NewMail) -> Res<u64> {
    let live = counts::live(desk, policy, mailbox)?;
    if counts::unsigned(live.waiting + live.leased) < policy.max_inbox {
        return Ok(live.waiting());
    }
    refuse(
        Error::new(
            Kind::Full,
            format!("the mailbox of {} is full: {} messages wait or are held", mail.to, live.waiting + live.leased),
        )
        .hint(format!("try again when {} has read some", mail.to)),
    )
}

/// The message that a request makes, with its thread.
fn write(desk: &Desk<'_>, me: &Me, mail: &NewMail) -> Res<Message> {
    let id = MessageId::at(desk.now, mail.random);
    let thread = match mail.reply_to {
        Some(first) => thread_of(desk, first)?.unwrap_or(first),
        None => id,
    };
    Ok(Message {
        id,
        from: me.name.clone(),
        to: mail.to.clone(),
        body: mail.body.clone(),
        timestamp: desk.now,
        reply_to: mail.reply_to,
        thread,
        via: mail.via,
        urgent: mail.urgent,
        deliveries: None,
        receipt: None,
        lease_until: None,
    })
}

fn thread_of(desk: &Desk<'_>, id: MessageId) -> Res<Option<MessageId>> {
    let mut query = desk.sql.prepare_cached("SELECT thread FROM mail WHERE id = ?1")?;
    let thread = query.query_row([id.to_bytes()], |row| Ok(entry::id(row.get_ref(0)?))).optional()?;
    Ok(thread.flatten())
}

/// Puts a message at the end of a mailbox's queue.
fn store(desk: &Desk<'_>, policy: &Policy, mailbox: i64, message: &Message) -> Res<()> {
    let seq = desk.count(|numbers| {
        numbers.sent += 1;
        numbers.last_mail += 1;
        numbers.last_mail
    });
    let mut insert = desk.sql.prepare_cached(
        "INSERT INTO mail (seq, mailbox, state, rank, due_at, expires, urgent, id, sender, recipient, sent_at,
         reply_to, thread, via, sum, body) VALUES (?1, ?2, 0, ?1, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    insert.execute(params![
        seq,
        mailbox,
        desk.now.plus(policy.ttl).0,
        message.urgent,
        message.id.to_bytes(),
        message.from.as_str(),
        message.to.as_str(),
        message.timestamp.0,
        message.reply_to.map(MessageId::to_bytes),
        message.thread.to_bytes(),
        entry::via_text(message.via),
        sum::of_message(message),
        message.body.as_str(),
    ])?;
    hist::add(desk, seq, message)?;
    due::Tally::default().enter(entry::Stage::Waiting, message.urgent).post(desk, mailbox)
}

/// What is known of the agent that a message goes to.
fn recipient(desk: &Desk<'_>, presence: &Presence, mail: &NewMail, target: Option<&Named>) -> Recipient {
    let primary = target.map_or(&mail.to, |target| &target.primary);
    match presence.seen(primary).map(|seen| seen.state(desk.now)) {
        Some(State::Working) => Recipient::Working,
        Some(State::Idle) => Recipient::Idle,
        Some(State::Offline) => Recipient::Offline,
        None if target.is_some_and(|target| target.holder.is_some()) => Recipient::Offline,
        None => Recipient::Unknown,
    }
}
