//! What a store should do, said as simply as possible: lists in memory, everything looked at anew each time.
//!
//! It knows names without claims, one policy, and times that never meet (see `sequences`).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{MessageId, Millis, Receipt};
use crate::store::{Policy, Settle};

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Waiting,
    Leased(u64, Millis),
    Taken(u64),
    Dead,
    Expired,
    Deleted,
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) id: MessageId,
    pub(super) mailbox: usize,
    pub(super) rank: i64,
    pub(super) urgent: bool,
    pub(super) deliveries: u32,
    pub(super) expires: Millis,
    pub(super) place: Place,
}

/// An announcement.
#[derive(Clone, Debug)]
struct Word {
    id: MessageId,
    author: usize,
    expires: Millis,
    trimmed: bool,
}

/// What a mailbox knows of the broadcasts: how many were seen, and how many of these it was told as missed.
#[derive(Clone, Copy, Debug, Default)]
struct Reader {
    cursor: usize,
    missed: u64,
}

/// What was seen of the broadcasts.
#[derive(Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) items: Vec<MessageId>,
    pub(super) unseen: u64,
    pub(super) total: u64,
    pub(super) missed: u64,
}

/// The whole workspace.
pub(super) struct Model {
    pub(super) now: Millis,
    pub(super) policy: Policy,
    pub(super) mail: Vec<Mail>,
    names: BTreeMap<String, usize>,
    primary: BTreeMap<usize, String>,
    readers: Vec<Reader>,
    words: Vec<Word>,
    keys: BTreeMap<(String, u8), (u128, MessageId, Millis)>,
}

impl Model {
    /// An empty workspace.
    pub(super) fn new(now: Millis, policy: Policy) -> Model {
        let (names, primary, keys) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Model { now, policy, mail: vec![], names, primary, readers: vec![], words: vec![], keys }
    }

    /// Lets time pass, and moves what is due.
    pub(super) fn pass(&mut self, span: Duration) {
        self.now = self.now.plus(span);
        let (now, most) = (self.now, self.policy.max_deliveries);
        for mail in &mut self.mail {
            if matches!(mail.place, Place::Leased(_, until) if until <= now) {
                mail.place = if mail.deliveries >= most { Place::Dead } else { Place::Waiting };
            }
            if mail.place == Place::Waiting && mail.expires <= now {
                mail.place = Place::Expired;
            }
        }
    }

    /// The mailbox of a name, made when it is new.
    fn mailbox(&mut self, name: &str) -> usize {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        self.readers.push(Reader::default());
        self.names.insert(name.to_owned(), self.readers.len() - 1);
        self.primary.insert(self.readers.len() - 1, name.to_owned());
        self.readers.len() - 1
    }

    /// Whether a name only forwards.
    pub(super) fn forwards(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|mailbox| self.primary[mailbox] != name)
    }

    /// The mail of a name in one sort of places, in queue order.
    pub(super) fn at(&self, name: &str, place: impl Fn(Place) -> bool) -> Vec<&Mail> {
        let mailbox = self.names.get(name);
        let mut found: Vec<&Mail> =
            self.mail.iter().filter(|mail| Some(&mail.mailbox) == mailbox && place(mail.place)).collect();
        found.sort_by_key(|mail| mail.rank);
        found
    }

    /// The mail that waits for a name, in queue order.
    pub(super) fn waiting(&self, name: &str) -> Vec<&Mail> {
        self.at(name, |place| place == Place::Waiting)
    }

    /// The mail that waits for a name or is held, in queue order.
    pub(super) fn present(&self, name: &str) -> Vec<&Mail> {
        self.at(name, |place| matches!(place, Place::Waiting | Place::Leased(..)))
    }

    /// The message with an id.
    fn with_id(&mut self, id: MessageId) -> Option<&mut Mail> {
        self.mail.iter_mut().find(|mail| mail.id == id)
    }

    /// Sends; gives id and whether it was created, or the failure `full` or `conflict`.
    pub(super) fn send(
        &mut self,
        from: &str,
        to: &str,
        id: MessageId,
        urgent: bool,
        key: Option<(u8, u128)>,
    ) -> Result<(MessageId, bool), &'static str> {
        let expires = self.now.plus(self.policy.ttl);
        if let Some((key, fingerprint)) = key {
            match self.keys.get(&(from.to_owned(), key)) {
                Some((known, first, until)) if *until > self.now => {
                    return if *known == fingerprint { Ok((*first, false)) } else { Err("conflict") };
                }
                Some(_) | None => {}
            }
        }
        if self.present(to).len() as u64 >= self.policy.max_inbox {
            return Err("full");
        }
        if let Some((key, fingerprint)) = key {
            self.keys.insert((from.to_owned(), key), (fingerprint, id, expires));
        }
        let (mailbox, rank) = (self.mailbox(to), self.mail.len() as i64 * 1_000);
        self.mail.push(Mail { id, mailbox, rank, urgent, deliveries: 0, expires, place: Place::Waiting });
        Ok((id, true))
    }

    /// Leases up to `limit` from the head; gives ids and deliveries.
    pub(super) fn lease(&mut self, who: &str, limit: usize, hold: Duration, nonce: u64) -> Vec<(MessageId, u32)> {
        let until = self.now.plus(hold);
        let head: Vec<MessageId> = self.waiting(who).iter().take(limit).map(|mail| mail.id).collect();
        head.iter().filter_map(|id| self.with_id(*id).map(|mail| hand_over(mail, nonce, until))).collect()
    }

    /// Settles; gives for each receipt whether it was carried out.
    pub(super) fn settle(&mut self, who: &str, receipts: &[Receipt], what: Settle) -> Vec<bool> {
        let (mailbox, now, most) = (self.names.get(who).copied(), self.now, self.policy.max_deliveries);
        let judge = |receipt: &Receipt, mail: &mut Mail| match (mail.place, what) {
            (Place::Taken(nonce), Settle::Ack) => nonce == receipt.nonce,
            (Place::Leased(nonce, _), _) if nonce == receipt.nonce => {
                mail.place = match what {
                    Settle::Ack => Place::Taken(nonce),
                    Settle::Extend(hold) => Place::Leased(nonce, now.plus(hold)),
                    Settle::Release if mail.deliveries >= most => Place::Dead,
                    Settle::Release if mail.expires <= now => Place::Expired,
                    Settle::Release => Place::Waiting,
                };
                true
            }
            (_, _) => false,
        };
        let own = |mail: &&mut Mail, id| mail.id == id && Some(mail.mailbox) == mailbox;
        let each = |receipt: &Receipt| {
            self.mail.iter_mut().find(|mail| own(mail, receipt.id)).is_some_and(|mail| judge(receipt, mail))
        };
        receipts.iter().map(each).collect()
    }

    /// Puts all dead letters back.
    pub(super) fn retry(&mut self, who: &str) -> u64 {
        let expires = self.now.plus(self.policy.ttl);
        let dead: Vec<MessageId> = self.at(who, |place| place == Place::Dead).iter().map(|mail| mail.id).collect();
        for id in &dead {
            let mail = self.with_id(*id).unwrap();
            (mail.place, mail.deliveries, mail.expires) = (Place::Waiting, 0, expires);
        }
        dead.len() as u64
    }

    /// Deletes mail of `who` at a place; gives how many.
    pub(super) fn delete(&mut self, who: &str, chosen: impl Fn(&Mail) -> bool) -> u64 {
        let ids: Vec<MessageId> =
            self.at(who, |_| true).into_iter().filter(|mail| chosen(mail)).map(|mail| mail.id).collect();
        ids.iter().for_each(|id| self.with_id(*id).unwrap().place = Place::Deleted);
        ids.len() as u64
    }

    /// Renames a name that does not forward; gives how many waited or were held under the new one.
    pub(super) fn rename(&mut self, who: &str, to: &str) -> Result<u64, &'static str> {
        if who == to {
            return Err("conflict");
        }
        let merged = if self.forwards(to) { 0 } else { self.present(to).len() as u64 };
        let mine = self.mailbox(who);
        let theirs = if self.forwards(to) { None } else { self.names.get(to).copied() };
        if let Some(theirs) = theirs {
            self.merge(mine, theirs);
        }
        self.names.insert(to.to_owned(), mine);
        self.primary.insert(mine, to.to_owned());
        Ok(merged)
    }

    /// Puts what lies in `theirs` before what lies in `mine`; the names and words of `theirs` go along.
    fn merge(&mut self, mine: usize, theirs: usize) {
        let ranks = |mailbox: usize| self.mail.iter().filter(move |m| m.mailbox == mailbox).map(|m| m.rank);
        let shift = match (ranks(mine).min(), ranks(theirs).max()) {
            (Some(lowest), Some(highest)) => lowest - highest - 1,
            (_, _) => 0,
        };
        for mail in self.mail.iter_mut().filter(|mail| mail.mailbox == theirs) {
            (mail.mailbox, mail.rank) = (mine, mail.rank + shift);
        }
        self.words.iter_mut().filter(|word| word.author == theirs).for_each(|word| word.author = mine);
        self.names.values_mut().filter(|mailbox| **mailbox == theirs).for_each(|mailbox| *mailbox = mine);
    }

    /// Announces.
    pub(super) fn announce(&mut self, who: &str, id: MessageId) {
        let author = self.mailbox(who);
        self.words.push(Word { id, author, expires: self.now.plus(self.policy.ttl), trimmed: false });
        let live: Vec<usize> = (0..self.words.len()).filter(|n| self.alive(&self.words[*n])).collect();
        let surplus = live.len().saturating_sub(usize::try_from(self.policy.max_broadcasts).unwrap());
        for n in &live[..surplus] {
            self.words[*n].trimmed = true;
            let author = self.words[*n].author;
            for (mailbox, reader) in self.readers.iter_mut().enumerate() {
                reader.missed += u64::from(reader.cursor <= *n && mailbox != author);
            }
        }
    }

    /// Whether an announcement can be seen.
    fn alive(&self, word: &Word) -> bool {
        !word.trimmed && word.expires > self.now
    }

    /// Announcements by their number.
    fn live(&self) -> impl Iterator<Item = (usize, &Word)> {
        self.words.iter().enumerate().filter(|(_, word)| self.alive(word))
    }

    /// The unseen announcements of a name.
    pub(super) fn unseen(&self, who: &str) -> Vec<(usize, MessageId)> {
        let mailbox = self.names.get(who).copied();
        let cursor = mailbox.map_or(0, |mailbox| self.readers[mailbox].cursor);
        let new = |(n, word): &(usize, &Word)| *n >= cursor && Some(word.author) != mailbox;
        self.live().filter(new).map(|(n, word)| (n, word.id)).collect()
    }

    /// Reads announcements.
    pub(super) fn listen(&mut self, who: &str, all: bool, limit: usize) -> Heard {
        let mailbox = self.mailbox(who);
        let shown: Vec<(usize, MessageId)> = if all {
            let live: Vec<_> = self.live().map(|(n, word)| (n, word.id)).collect();
            live[live.len().saturating_sub(limit)..].to_vec()
        } else {
            self.unseen(who).into_iter().take(limit).collect()
        };
        let (end, reader) = (self.words.len(), &mut self.readers[mailbox]);
        let last = if all { Some(end) } else { shown.last().map(|(n, _)| n + 1) };
        reader.cursor = reader.cursor.max(last.unwrap_or(0));
        let missed = std::mem::take(&mut reader.missed);
        let unseen = self.unseen(who).len() as u64;
        let items = shown.into_iter().map(|(_, id)| id).collect();
        Heard { items, unseen, total: self.live().count() as u64, missed }
    }
}

/// One more delivery of a message.
fn hand_over(mail: &mut Mail, nonce: u64, until: Millis) -> (MessageId, u32) {
    mail.deliveries += 1;
    mail.place = Place::Leased(nonce, until);
    (mail.id, mail.deliveries)
}
