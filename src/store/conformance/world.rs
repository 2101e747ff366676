//! A world to test in: one fresh store, a clock that only the test moves, and short words for long
//! requests. It knows no promise; the modules beside it do.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::words::{Who, name, receipts, session};
use crate::error::Result;
use crate::model::{BroadcastKind, Cursor, Event, EventType, Generation, Message, MessageId, Millis, Receipt, Via};
use crate::store::{
    Actor, AgentInfo, Batch, BroadcastQuery, Claim, Feed, HistoryQuery, Holder, NewBroadcast, NewMail, News, Pick,
    Policy, Record, Renamed, Sent, Settle, Settled, Standing, Stats, Step, Store,
};

/// When every world begins: far enough in the future that no server's own clock expires what a test's clock keeps.
const DAWN: Millis = Millis(2_208_988_800_000);

/// Opens one more handle to the world's store.
pub(super) type Opener = Arc<dyn Fn() -> Box<dyn Store> + Send + Sync>;

/// Makes a fresh world; none when its sort of server is not installed.
pub(super) type Maker = fn() -> Option<World>;

/// How to make more worlds.
#[derive(Clone, Copy)]
pub(super) struct Makers {
    /// One of the same sort.
    pub(super) same: Maker,
    /// One of each other sort.
    pub(super) others: &'static [Maker],
}

/// One fresh store with its clock.
pub(super) struct World {
    /// The handle under test.
    pub(super) store: Box<dyn Store>,
    /// The limits that the next steps go by.
    pub(super) policy: Policy,
    /// How to make a world of the same sort, and of each other sort there is.
    pub(super) makers: Makers,
    opener: Opener,
    clock: Arc<AtomicI64>,
    counter: Arc<AtomicU64>,
}

impl World {
    /// A world around a store that holds nothing yet.
    pub(super) fn new(opener: Opener, makers: Makers) -> World {
        let policy =
            Policy { ttl: Duration::from_secs(24 * 3600), max_inbox: 1_000, max_broadcasts: 500, max_deliveries: 5 };
        let (clock, counter) = (Arc::new(AtomicI64::new(DAWN.0)), Arc::new(AtomicU64::new(1)));
        World { store: opener(), policy, makers, opener, clock, counter }
    }

    /// The same world through a handle of its own, as another process has it.
    pub(super) fn again(&self) -> World {
        World {
            store: (self.opener)(),
            policy: self.policy,
            makers: self.makers,
            opener: Arc::clone(&self.opener),
            clock: Arc::clone(&self.clock),
            counter: Arc::clone(&self.counter),
        }
    }

    /// What time it is.
    pub(super) fn now(&self) -> Millis {
        Millis(self.clock.load(Ordering::SeqCst))
    }

    /// Lets so many seconds pass.
    pub(super) fn pass(&self, seconds: u64) {
        self.pass_millis(i64::try_from(seconds * 1_000).unwrap());
    }

    /// Lets so many milliseconds pass; fewer than none turn the clock back.
    pub(super) fn pass_millis(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets this world's clock to another one's time, and never gives out a number again that the other gave out.
    pub(super) fn follow(&self, other: &World) {
        self.clock.store(other.now().0, Ordering::SeqCst);
        self.counter.fetch_max(other.fresh(), Ordering::SeqCst);
    }

    /// A number that was not given out before.
    pub(super) fn fresh(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    /// Random-looking bits that were not given out before.
    pub(super) fn random(&self) -> u128 {
        u128::from(self.fresh()).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }

    /// Runs one verb as `who`.
    pub(super) fn ask<T>(&self, who: impl Who, verb: impl FnOnce(&dyn Store, &Step<'_>) -> T) -> T {
        let actor = who.actor();
        verb(&*self.store, &Step { by: &actor, now: self.now(), policy: &self.policy })
    }

    /// A plain message, to be varied by struct update.
    pub(super) fn mail(&self, to: &str, body: &str) -> NewMail {
        NewMail {
            to: name(to),
            body: body.parse().unwrap(),
            reply_to: None,
            once: None,
            urgent: false,
            via: Via::Cli,
            random: self.random(),
        }
    }

    /// Sends what `mail` made.
    pub(super) fn post(&self, who: impl Who, mail: &NewMail) -> Result<Sent> {
        self.ask(who, |store, step| store.send(step, mail))
    }

    /// Sends a plain message that must be accepted.
    pub(super) fn send(&self, who: impl Who, to: &str, body: &str) -> MessageId {
        let sent = self.post(who, &self.mail(to, body)).unwrap();
        assert!(sent.created);
        sent.id
    }

    /// Sends `count` plain messages, oldest first.
    pub(super) fn send_many(&self, who: impl Who, to: &str, count: usize) -> Vec<MessageId> {
        let actor = who.actor();
        (0..count).map(|n| self.send(&actor, to, &format!("message {n}"))).collect()
    }

    /// Sends an urgent message.
    pub(super) fn urge(&self, who: impl Who, to: &str, body: &str) -> MessageId {
        self.post(who, &NewMail { urgent: true, ..self.mail(to, body) }).unwrap().id
    }

    /// Answers a message.
    pub(super) fn reply(&self, who: impl Who, to: &str, reply_to: MessageId) -> MessageId {
        self.post(who, &NewMail { reply_to: Some(reply_to), ..self.mail(to, "answer") }).unwrap().id
    }

    /// Leases by `pick` for so many seconds.
    pub(super) fn try_lease(&self, who: impl Who, pick: Pick, seconds: u64) -> Result<Batch> {
        let nonce = self.fresh().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.ask(who, |store, step| store.lease(step, pick, Duration::from_secs(seconds), nonce))
    }

    /// Leases up to `limit` messages from the head for a minute.
    pub(super) fn lease(&self, who: impl Who, limit: u32) -> Vec<Message> {
        self.try_lease(who, Pick::Head(limit), 60).unwrap().messages
    }

    /// Leases everything there is, a hundred at a time.
    pub(super) fn lease_all(&self, who: impl Who) -> Vec<Message> {
        let actor = who.actor();
        let mut all = Vec::new();
        loop {
            let batch = self.lease(&actor, 100);
            if batch.is_empty() {
                return all;
            }
            all.extend(batch);
        }
    }

    /// Shows up to `limit` messages from the head.
    pub(super) fn peek(&self, who: impl Who, limit: u32) -> Batch {
        self.ask(who, |store, step| store.peek(step, limit)).unwrap()
    }

    /// Settles deliveries.
    pub(super) fn settle(&self, who: impl Who, receipts: &[Receipt], what: Settle) -> Settled {
        self.ask(who, |store, step| store.settle(step, receipts, what)).unwrap()
    }

    /// Acknowledges leased messages, all of which must still be held.
    pub(super) fn ack(&self, who: impl Who, messages: &[Message]) {
        let receipts = receipts(messages);
        assert_eq!(self.settle(who, &receipts, Settle::Ack), Settled { done: receipts, stale: vec![] });
    }

    /// Gives leased messages back, all of which must still be held.
    pub(super) fn give_back(&self, who: impl Who, messages: &[Message]) {
        let receipts = receipts(messages);
        assert_eq!(self.settle(who, &receipts, Settle::Release), Settled { done: receipts, stale: vec![] });
    }

    /// Takes one message of the head: leases and acknowledges it.
    pub(super) fn take(&self, who: impl Who) -> Message {
        let actor = who.actor();
        let mut messages = self.lease(&actor, 1);
        self.ack(&actor, &messages);
        messages.remove(0)
    }

    /// Makes dead letters of all that waits for `who`, by one delivery each.
    pub(super) fn kill_all(&self, who: impl Who) {
        let actor = who.actor();
        let strict = Policy { max_deliveries: 1, ..self.policy };
        loop {
            let batch = self.lease(&actor, 100);
            if batch.is_empty() {
                return;
            }
            let step = Step { by: &actor, now: self.now(), policy: &strict };
            let settled = self.store.settle(&step, &receipts(&batch), Settle::Release).unwrap();
            assert_eq!(settled.done.len(), batch.len());
        }
    }

    /// What is new for `who`.
    pub(super) fn check(&self, who: impl Who) -> News {
        self.ask(who, |store, step| store.check(step)).unwrap()
    }

    /// A plain announcement, to be varied by struct update.
    pub(super) fn word(&self, body: &str) -> NewBroadcast {
        NewBroadcast {
            body: body.parse().unwrap(),
            kind: BroadcastKind::Announcement,
            once: None,
            via: Via::Cli,
            random: self.random(),
        }
    }

    /// Announces something to everybody.
    pub(super) fn announce(&self, who: impl Who, body: &str) -> MessageId {
        self.ask(who, |store, step| store.broadcast(step, &self.word(body))).unwrap().0
    }

    /// Broadcasts a notice.
    pub(super) fn notice(&self, who: impl Who, body: &str) -> MessageId {
        let notice = NewBroadcast { kind: BroadcastKind::Notice, ..self.word(body) };
        self.ask(who, |store, step| store.broadcast(step, &notice)).unwrap().0
    }

    /// Asks for broadcasts.
    pub(super) fn feed(&self, who: impl Who, all: bool, advance: bool, limit: u32) -> Feed {
        self.ask(who, |store, step| store.broadcasts(step, &BroadcastQuery { all, advance, limit, room: None }))
            .unwrap()
    }

    /// Reads up to 100 unseen announcements.
    pub(super) fn listen(&self, who: impl Who) -> Feed {
        self.feed(who, false, true, 100)
    }

    /// Claims `wish` for `holder`.
    pub(super) fn claim(&self, wish: &str, holder: &Holder) -> Claim {
        self.claim_from(wish, holder, None)
    }

    /// Claims `wish` for `holder`, knowing that `gone` is dead.
    pub(super) fn claim_from(&self, wish: &str, holder: &Holder, gone: Option<Generation>) -> Claim {
        self.ask(wish, |store, step| store.claim(step, &name(wish), holder, gone)).unwrap()
    }

    /// A session that holds `wish`.
    pub(super) fn session(&self, wish: &str, holder: &Holder) -> Actor {
        match self.claim(wish, holder) {
            Claim::Granted(generation) => session(wish, generation),
            Claim::Held(holder) => panic!("{wish} is held by {holder:?}"),
        }
    }

    /// Ends a claim.
    pub(super) fn end(&self, who: impl Who) {
        let actor = who.actor();
        let Standing::Session(generation) = actor.standing else { panic!("{actor:?} is no session") };
        self.ask(&actor, |store, step| store.release(step, generation)).unwrap();
    }

    /// Renames `who`.
    pub(super) fn rename(&self, who: impl Who, to: &str) -> Result<Renamed> {
        self.ask(who, |store, step| store.rename(step, &name(to), None))
    }

    /// Counts of the whole workspace.
    pub(super) fn stats(&self) -> Stats {
        self.ask("auditor", |store, step| store.stats(step)).unwrap()
    }

    /// What is known of one agent.
    pub(super) fn agent(&self, wanted: &str) -> Option<AgentInfo> {
        let page = self.ask("auditor", |store, step| store.agents(step, 1_000, None)).unwrap();
        page.items.into_iter().find(|agent| agent.name == name(wanted))
    }

    /// A message by its id.
    pub(super) fn find(&self, id: MessageId) -> Option<Record> {
        self.ask("auditor", |store, step| store.find(step, id)).unwrap()
    }

    /// The past, newest first.
    pub(super) fn history(&self, query: &HistoryQuery) -> Vec<Record> {
        self.ask("auditor", |store, step| store.history(step, query)).unwrap()
    }

    /// The dead letters of `who`, newest first.
    pub(super) fn dead(&self, who: impl Who) -> Vec<MessageId> {
        let dead = self.ask(who, |store, step| store.dead(step, 1_000)).unwrap();
        dead.into_iter().map(|letter| letter.id).collect()
    }

    /// Where the event stream ends now.
    pub(super) fn mark(&self) -> Cursor {
        self.ask("auditor", |store, step| store.events(step, None, 1)).unwrap().cursor
    }

    /// Every event after `mark`.
    pub(super) fn events(&self, mark: &Cursor) -> Vec<Event> {
        let page = self.ask("auditor", |store, step| store.events(step, Some(mark), 10_000)).unwrap();
        assert!(!page.reset, "events were lost");
        page.events
    }

    /// The ids of the events of one type after `mark`.
    pub(super) fn events_of(&self, mark: &Cursor, kind: EventType) -> Vec<MessageId> {
        self.events(mark).into_iter().filter(|event| event.kind == kind).filter_map(|event| event.id).collect()
    }
}
