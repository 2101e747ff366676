//! What `check` promises: live counts at once, the newest of each, and nothing consumed.

use std::time::Duration;

use super::words::{ids, name, seen};
use super::world::World;
use crate::model::{MessageId, State};
use crate::store::{Newest, News, Pick, Policy};

/// The newest, sent by `from`.
fn newest(id: MessageId, from: &str) -> Option<Newest> {
    Some(Newest { id, from: name(from) })
}

/// Nothing is new, whatever has arrived in former times.
fn assert_nothing_new(w: &World, who: &str) {
    let news = w.check(who);
    assert_eq!(news, News { arrivals: news.arrivals, ..News::default() });
}

pub(super) fn nothing_new_is_all_zero_and_makes_no_mailbox(w: World) {
    assert_eq!(w.check("bob"), News::default());
    assert_eq!(w.store.census().unwrap().names, 0);
    assert_eq!((w.agent("bob"), w.stats().agents), (None, 0));
}

pub(super) fn a_check_counts_what_is_new_and_consumes_nothing(w: World) {
    let sent = [w.send("ann", "bob", "one"), w.urge("bea", "bob", "two"), w.send("cem", "bob", "three")];
    let word = w.announce("ann", "hear this");
    let news = News {
        unread: 3,
        urgent: 1,
        unseen: 1,
        newest_message: newest(sent[2], "cem"),
        newest_broadcast: newest(word, "ann"),
        arrivals: 3,
    };
    for _ in 0..3 {
        assert_eq!(w.check("bob"), news);
    }
    assert_eq!(ids(&w.lease("bob", 10)), sent, "urgent mail keeps its place");
}

pub(super) fn leased_mail_is_not_unread_until_it_is_ready_again(w: World) {
    w.urge("ann", "bob", "one");
    let last = w.send("bea", "bob", "two");
    let leased = w.lease("bob", 1);
    let news = w.check("bob");
    assert_eq!((news.unread, news.urgent, news.newest_message), (1, 0, newest(last, "bea")));
    w.give_back("bob", &leased);
    let news = w.check("bob");
    assert_eq!((news.unread, news.urgent), (2, 1));
    w.lease("bob", 10);
    assert_nothing_new(&w, "bob");
    w.pass(61);
    let news = w.check("bob");
    assert_eq!((news.unread, news.urgent, news.newest_message), (2, 1, newest(last, "bea")));
}

pub(super) fn the_newest_message_is_the_last_that_waits(w: World) {
    let sent = [w.send("ann", "bob", "one"), w.send("bea", "bob", "two"), w.send("cem", "bob", "three")];
    let picked = w.try_lease("bob", Pick::One(sent[2]), 60).unwrap();
    assert_eq!(w.check("bob").newest_message, newest(sent[1], "bea"));
    w.give_back("bob", &picked.messages);
    assert_eq!(w.check("bob").newest_message, newest(sent[2], "cem"));
}

pub(super) fn expired_mail_is_not_counted(mut w: World) {
    let kept = w.urge("ann", "bob", "long");
    w.policy.ttl = Duration::from_secs(60);
    w.urge("bea", "bob", "short");
    w.announce("bea", "short");
    w.pass(59);
    assert_eq!((w.check("bob").unread, w.check("bob").unseen), (2, 1));
    w.pass(2);
    let news = w.check("bob");
    assert_eq!((news.unread, news.urgent, news.newest_message), (1, 1, newest(kept, "ann")));
    assert_eq!((news.unseen, news.newest_broadcast), (0, None));
}

pub(super) fn counts_are_right_when_more_than_a_hundred_expire_at_once(mut w: World) {
    let kept = w.send_many("ann", "bob", 3);
    w.policy.ttl = Duration::from_secs(60);
    for n in 0..250 {
        if n % 2 == 0 {
            w.urge("bea", "bob", "short")
        } else {
            w.send("bea", "bob", "short")
        };
    }
    w.pass(61);
    let news = w.check("bob");
    assert_eq!((news.unread, news.urgent, news.newest_message), (3, 0, newest(kept[2], "ann")));
    let peek = w.peek("bob", 2);
    assert_eq!((ids(&peek.messages), peek.remaining), (kept[..2].to_vec(), 1));
    assert_eq!(ids(&w.lease("bob", 100)), kept);
    assert_eq!(w.agent("bob").unwrap().message_count, 0);
    assert_eq!(w.post("ann", &w.mail("bob", "x")).unwrap().waiting, 1);
}

pub(super) fn counts_are_right_when_more_than_a_hundred_leases_run_out_at_once(mut w: World) {
    let sent = w.send_many("ann", "bob", 250);
    w.lease_all("bob");
    w.pass(61);
    let news = w.check("bob");
    assert_eq!((news.unread, news.newest_message), (250, newest(sent[249], "ann")));
    assert_eq!(w.peek("bob", 100).remaining, 150);
    w.lease_all("bob");
    w.policy = Policy { max_deliveries: 2, ..w.policy };
    w.pass(61);
    assert_nothing_new(&w, "bob");
    assert!(w.lease("bob", 100).is_empty(), "all of them are dead");
}

pub(super) fn a_check_refreshes_presence(w: World) {
    assert_eq!(w.agent("bob"), None);
    w.check(seen("bob", State::Working));
    let first = w.agent("bob").unwrap();
    assert_eq!((first.online, first.state, first.last_seen), (true, State::Working, Some(w.now())));
    w.pass(20);
    w.check(seen("bob", None));
    w.pass(20);
    assert!(w.agent("bob").unwrap().online);
}

pub(super) fn notices_and_own_words_are_never_new(w: World) {
    w.notice("ann", "ann has arrived");
    w.announce("bob", "my own");
    assert_nothing_new(&w, "bob");
    assert_eq!(w.check("cem").unseen, 1);
    let word = w.announce("ann", "hear this");
    w.announce("bob", "my own again");
    w.notice("ann", "ann has left");
    let news = w.check("bob");
    assert_eq!((news.unseen, news.newest_broadcast), (1, newest(word, "ann")));
}

pub(super) fn seen_words_are_not_new(w: World) {
    w.announce("ann", "one");
    let two = w.announce("bea", "two");
    w.feed("bob", false, true, 1);
    let news = w.check("bob");
    assert_eq!((news.unseen, news.newest_broadcast), (1, newest(two, "bea")));
    w.listen("bob");
    assert_nothing_new(&w, "bob");
}

pub(super) fn arrivals_count_how_often_mail_became_ready(w: World) {
    let arrivals = |w: &World| w.check("bob").arrivals;
    assert_eq!(arrivals(&w), 0);
    w.send_many("ann", "bob", 3);
    assert_eq!(arrivals(&w), 3);
    let leased = w.lease("bob", 3);
    w.ack("bob", &leased[..1]);
    assert_eq!(arrivals(&w), 3, "reading is no arrival");
    w.give_back("bob", &leased[1..2]);
    assert_eq!(arrivals(&w), 4, "released");
    w.pass(61);
    assert_eq!(arrivals(&w), 5, "run out");
    assert_eq!(w.lease("bob", 10).len(), 2);
    assert_eq!(arrivals(&w), 5, "counted once, whoever looked first");
    w.pass(61);
    w.kill_all("bob");
    assert_eq!(arrivals(&w), 7, "run out again, and then dead");
    w.ask("bob", |store, step| store.dead_retry(step, None)).unwrap();
    assert_eq!(arrivals(&w), 9, "retried");
    w.ask("bob", |store, step| store.clear(step)).unwrap();
    w.announce("ann", "no mail");
    assert_eq!(arrivals(&w), 9, "it never shrinks");
}

pub(super) fn merged_mail_is_an_arrival(w: World) {
    w.send_many("ann", "bob", 2);
    w.send_many("ann", "rob", 3);
    let before = w.check("bob").arrivals;
    w.rename("bob", "rob").unwrap();
    assert!(w.check("rob").arrivals > before);
}

pub(super) fn arrivals_are_counted_when_more_than_a_hundred_run_out_at_once(w: World) {
    w.send_many("ann", "bob", 250);
    w.lease_all("bob");
    w.pass(61);
    assert_eq!(w.check("bob").arrivals, 500);
    w.lease_all("bob");
    assert_eq!(w.check("bob").arrivals, 500);
}
