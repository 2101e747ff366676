//! What broadcasts promise: in order, once for each reader, a cursor that is no index, honest losses.

use std::time::Duration;

use super::words::{broadcast_ids, generation, name, process, seen};
use super::world::World;
use crate::model::{BroadcastKind, MessageId, State, Via};
use crate::store::NewBroadcast;

/// Announces `count` things.
fn announce_many(w: &World, who: &str, count: usize) -> Vec<MessageId> {
    (0..count).map(|n| w.announce(who, &format!("word {n}"))).collect()
}

pub(super) fn unseen_words_come_in_order_and_once(w: World) {
    let words = announce_many(&w, "ann", 5);
    let feed = w.listen("bob");
    assert_eq!((broadcast_ids(&feed.items), feed.unseen, feed.total, feed.missed), (words, 0, 5, 0));
    let again = w.listen("bob");
    assert_eq!((again.items.len(), again.unseen, again.total), (0, 0, 5));
    let next = w.announce("bea", "next");
    assert_eq!(broadcast_ids(&w.listen("bob").items), [next]);
    assert_eq!(w.listen("cem").items.len(), 6, "each reader has a cursor");
}

pub(super) fn a_broadcast_is_kept_whole(w: World) {
    let word = NewBroadcast { via: Via::Http, ..w.word("a\0b \u{1f4e3}\n\u{1b}[1m") };
    let (id, created) = w.ask("ann", |store, step| store.broadcast(step, &word)).unwrap();
    let at = w.now();
    assert!(created);
    assert_eq!(id, MessageId::at(at, word.random));
    w.pass(9);
    let shown = w.listen("bob").items.remove(0);
    assert_eq!((shown.id, shown.from, shown.body), (id, name("ann"), word.body));
    assert_eq!((shown.timestamp, shown.kind, shown.via), (at, BroadcastKind::Announcement, Via::Http));
}

pub(super) fn looking_without_advancing_leaves_the_cursor(w: World) {
    let words = announce_many(&w, "ann", 3);
    for _ in 0..2 {
        assert_eq!(broadcast_ids(&w.feed("bob", false, false, 2).items), words[..2]);
    }
    assert_eq!(w.check("bob").unseen, 3);
    w.feed("bob", true, false, 100);
    assert_eq!(broadcast_ids(&w.listen("bob").items), words);
}

pub(super) fn pages_follow_each_other_without_gap(w: World) {
    let words = announce_many(&w, "ann", 120);
    for (from, to) in [(0, 50), (50, 100), (100, 120)] {
        let feed = w.feed("bob", false, true, 50);
        assert_eq!(broadcast_ids(&feed.items), words[from..to]);
        assert_eq!((feed.unseen, feed.total), (120 - u64::try_from(to).unwrap(), 120));
    }
    assert!(w.listen("bob").items.is_empty());
}

pub(super) fn own_words_are_not_unseen_and_do_not_stop_a_page(w: World) {
    let foreign = w.announce("ann", "one");
    announce_many(&w, "bob", 3);
    let later = w.announce("ann", "two");
    let feed = w.feed("bob", false, true, 2);
    assert_eq!((broadcast_ids(&feed.items), feed.unseen, feed.total), (vec![foreign, later], 0, 5));
}

pub(super) fn own_words_stay_own_after_a_rename(w: World) {
    w.announce("ann", "my own");
    w.rename("ann", "ada").unwrap();
    assert_eq!(w.check("ada").unseen, 0);
    assert!(w.listen("ada").items.is_empty());
    w.announce("ada", "mine too");
    assert_eq!(w.check("ada").unseen, 0);
    assert_eq!(w.listen("bob").items.len(), 2);
}

pub(super) fn the_cursor_goes_along_with_a_rename(w: World) {
    announce_many(&w, "ann", 3);
    w.feed("bob", false, true, 2);
    w.rename("bob", "rob").unwrap();
    assert_eq!(w.check("rob").unseen, 1);
    assert_eq!(w.listen("rob").items.len(), 1);
}

pub(super) fn a_new_agent_sees_all_that_are_alive(mut w: World) {
    w.policy.ttl = Duration::from_secs(60);
    announce_many(&w, "ann", 2);
    w.pass(61);
    w.policy.ttl = Duration::from_secs(3_600);
    let words = announce_many(&w, "ann", 3);
    assert_eq!(w.check("new").unseen, 3);
    let feed = w.listen("new");
    assert_eq!((broadcast_ids(&feed.items), feed.total), (words, 3));
}

pub(super) fn a_new_holder_of_an_old_name_hears_what_its_first_holder_said(w: World) {
    let first = w.session("ann", &process(1));
    w.announce(&first, "before the rename");
    w.rename(&first, "ada").unwrap();
    w.end(super::words::session("ada", generation(&first)));
    let second = w.session("ann", &process(2));
    assert_eq!(w.check(&second).unseen, 1, "it was another mailbox's word");
}

pub(super) fn the_cap_drops_the_oldest_and_says_who_missed_what(mut w: World) {
    w.policy.max_broadcasts = 5;
    w.announce("ann", "seen");
    w.listen("bob");
    w.announce("bob", "own words are never missed");
    let words = announce_many(&w, "ann", 8);
    assert_eq!(w.check("bob").unseen, 5);
    let feed = w.listen("bob");
    assert_eq!((broadcast_ids(&feed.items), feed.missed, feed.total), (words[3..].to_vec(), 3, 5));
    assert_eq!(w.stats().trimmed, 5);
    let next = w.announce("ann", "next");
    let feed = w.listen("bob");
    assert_eq!((broadcast_ids(&feed.items), feed.missed, feed.unseen), (vec![next], 0, 0));
}

pub(super) fn who_was_there_misses_what_the_cap_drops(mut w: World) {
    w.policy.max_broadcasts = 2;
    w.announce("ann", "before bob");
    let bob = seen("bob", State::Idle);
    assert_eq!(w.check(&bob).unseen, 1);
    announce_many(&w, "ann", 4);
    let feed = w.listen(&bob);
    assert_eq!((feed.items.len(), feed.missed), (2, 3));
    assert_eq!(w.listen("new").missed, 0, "who comes later sees what is left");
}

pub(super) fn what_was_seen_is_not_missed_when_it_is_trimmed(mut w: World) {
    w.policy.max_broadcasts = 3;
    announce_many(&w, "ann", 3);
    w.listen("bob");
    let words = announce_many(&w, "ann", 3);
    let feed = w.listen("bob");
    assert_eq!((broadcast_ids(&feed.items), feed.missed), (words, 0));
}

pub(super) fn the_cursor_is_no_index(mut w: World) {
    w.policy.max_broadcasts = 4;
    announce_many(&w, "ann", 4);
    w.feed("bob", false, true, 2);
    let words = announce_many(&w, "ann", 2);
    let feed = w.listen("bob");
    assert_eq!((feed.items.len(), feed.missed), (4, 0), "the two that were trimmed had been seen");
    assert_eq!(broadcast_ids(&feed.items)[2..], words);
}

pub(super) fn expired_words_are_neither_seen_nor_missed(mut w: World) {
    w.announce("ann", "to have a cursor");
    w.listen("bob");
    w.policy.ttl = Duration::from_secs(60);
    announce_many(&w, "ann", 3);
    w.pass(61);
    let word = w.announce("ann", "alive");
    let feed = w.listen("bob");
    assert_eq!((broadcast_ids(&feed.items), feed.missed, feed.total, feed.unseen), (vec![word], 0, 2, 0));
    assert_eq!(w.feed("bob", true, false, 100).items.len(), 2);
}

pub(super) fn five_hundred_announcements_and_apart_a_hundred_notices_are_kept(w: World) {
    let words = announce_many(&w, "ann", 503);
    let notices: Vec<MessageId> = (0..105).map(|_| w.notice("ann", "a notice")).collect();
    assert_eq!(w.store.census().unwrap().broadcasts, 600);
    assert_eq!((w.stats().broadcasts, w.stats().trimmed), (500, 3));
    assert_eq!(broadcast_ids(&w.feed("bob", true, false, 100).items), notices[5..]);
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.extend(broadcast_ids(&w.listen("bob").items));
    }
    assert_eq!(seen, words[3..], "notices push no announcement out");
}

pub(super) fn notices_are_shown_and_never_counted(w: World) {
    let notice = w.notice("ann", "ann has arrived");
    let word = w.announce("ann", "hear this");
    assert_eq!(w.check("bob").unseen, 1);
    let all = w.feed("bob", true, false, 100);
    assert_eq!((broadcast_ids(&all.items), all.total, all.unseen), (vec![notice, word], 1, 1));
    assert_eq!(all.items[0].kind, BroadcastKind::Notice);
    let feed = w.listen("bob");
    assert_eq!((broadcast_ids(&feed.items), feed.total), (vec![word], 1));
}

pub(super) fn all_shows_the_newest_own_ones_too_and_can_advance(w: World) {
    let foreign = announce_many(&w, "ann", 4);
    let own = w.announce("bob", "my own");
    let all = w.feed("bob", true, false, 2);
    assert_eq!((broadcast_ids(&all.items), all.unseen, all.total), (vec![foreign[3], own], 4, 5));
    let all = w.feed("bob", true, true, 2);
    assert_eq!((broadcast_ids(&all.items), all.unseen), (vec![foreign[3], own], 0), "to the newest there is");
    assert_eq!(w.check("bob").unseen, 0);
    assert!(w.listen("bob").items.is_empty());
}

pub(super) fn clearing_leaves_cursors_valid_and_nothing_missed(w: World) {
    announce_many(&w, "ann", 3);
    w.notice("ann", "a notice");
    w.feed("bob", false, true, 1);
    assert_eq!(w.ask("ann", |store, step| store.clear_broadcasts(step)).unwrap(), 4);
    assert_eq!((w.check("bob").unseen, w.stats().broadcasts), (0, 0));
    let word = w.announce("ann", "after");
    for who in ["bob", "new"] {
        let feed = w.listen(who);
        assert_eq!((broadcast_ids(&feed.items), feed.missed, feed.total), (vec![word], 0, 1));
    }
    assert_eq!(w.ask("ann", |store, step| store.clear_broadcasts(step)).unwrap(), 1);
    assert_eq!(w.ask("ann", |store, step| store.clear_broadcasts(step)).unwrap(), 0);
}
