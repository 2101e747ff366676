//! Carries a world from store to store as `postino store move` does, and looks at everything that must go along.

use std::time::Duration;

use super::words::{once, seen};
use super::world::World;
use crate::model::{AgentName, Millis, State};
use crate::store::{
    BroadcastQuery, Census, DeadLetter, Feed, From, HistoryQuery, Holder, Listing, MoveToken, NewBroadcast, NewMail,
    News, Record, Stats,
};

/// The names that take part.
pub(super) const NAMES: [&str; 6] = ["ann", "bob", "rob", "cem", "dan", "eve"];
/// How long a mark holds.
pub(super) const HOLD: Duration = Duration::from_secs(60);

/// A token of this move.
pub(super) fn token(text: &str) -> MoveToken {
    MoveToken(text.to_owned())
}

/// Everything of a workspace that can be seen, without events and presence.
#[derive(Debug, PartialEq)]
pub(super) struct Sight {
    pub(super) history: Vec<Record>,
    pub(super) agents: Vec<(AgentName, u64, Option<Millis>)>,
    pub(super) mailboxes: Vec<(Listing, Vec<DeadLetter>, News, Feed, Feed)>,
    pub(super) holders: Vec<Holder>,
    pub(super) stats: Stats,
    pub(super) census: Census,
}

/// Looks at everything, and changes nothing.
pub(super) fn look(w: &World) -> Sight {
    let feed = |who: &str, all| {
        w.ask(who, |s, step| s.broadcasts(step, &BroadcastQuery { all, advance: false, limit: 100, room: None }))
            .unwrap()
    };
    let mailbox = |who: &&str| {
        let listing = w.ask(*who, |s, step| s.list(step, 200, From::Offset(0))).unwrap();
        let dead = w.ask(*who, |s, step| s.dead(step, 100)).unwrap();
        (listing, dead, w.check(*who), feed(who, false), feed(who, true))
    };
    let agents = w.ask("auditor", |s, step| s.agents(step, 1_000, None)).unwrap().items;
    let mut holders = w.ask("auditor", |s, step| s.holders(step)).unwrap();
    holders.sort_by_key(|holder| holder.generation);
    Sight {
        history: w.history(&HistoryQuery { limit: 200, ..HistoryQuery::default() }),
        agents: agents.into_iter().map(|agent| (agent.name, agent.message_count, agent.last_seen)).collect(),
        mailboxes: NAMES.iter().map(mailbox).collect(),
        holders,
        stats: w.stats(),
        census: w.store.census().unwrap(),
    }
}

/// Fills a world with something of every sort.
pub(super) fn furnish(w: &World) {
    w.check(seen("ann", State::Idle));
    w.send_many("ann", "cem", 30);
    w.send_many("ann", "dan", 3);
    w.kill_all("dan");
    let question = w.urge("ann", "bob", "a question \u{1f4ec} with\0everything\n");
    w.reply("bob", "ann", question);
    w.post("ann", &NewMail { once: once("kept", 1), ..w.mail("eve", "with a key") }).unwrap();
    let word = NewBroadcast { once: once("said", 1), ..w.word("with a key") };
    w.ask("ann", |s, step| s.broadcast(step, &word)).unwrap();
    w.announce("bob", "by bob");
    w.notice("ann", "ann is here");
    w.feed("cem", false, true, 1);
    let mut small = w.again();
    small.policy.max_broadcasts = 2;
    small.announce("dan", "pushes the first out, which eve and bob have not seen");
    w.ack("cem", &w.lease("cem", 2));
    w.give_back("cem", &w.lease("cem", 3));
    w.pass(31);
}

/// Moves `from` to `to` as `postino store move` does; the counts must be equal before the switch.
pub(super) fn carry(from: &World, to: &World, name: &str) {
    to.follow(from);
    from.store.move_mark(from.now(), &token(name), HOLD).unwrap();
    to.store.fill_start(&token(name)).unwrap();
    copy(from, to, name, usize::MAX);
    assert_eq!(from.store.census().unwrap(), to.store.census().unwrap());
    from.store.move_done(from.now(), &token(name), "redis://elsewhere:6379").unwrap();
    to.store.fill_done(&token(name)).unwrap();
}

/// Carries at most so many pages over.
pub(super) fn copy(from: &World, to: &World, name: &str, pages: usize) {
    let mut next: Option<String> = None;
    for _ in 0..pages {
        let page = from.store.export(next.as_deref()).unwrap();
        to.store.fill(&token(name), &page.parcels).unwrap();
        next = page.next;
        if next.is_none() {
            return;
        }
    }
}

/// A fresh store of each sort that is there, the other sorts first.
pub(super) fn others(w: &World) -> Vec<World> {
    w.makers.others.iter().chain([&w.makers.same]).filter_map(|make| make()).collect()
}
