//! What a claim promises: at most one live session a name, and a loser that is refused everywhere.

use super::verbs::{Verb, assert_each};
use super::words::{Who, generation, guessed, ids, kind, name, process, receipts, seen, session};
use super::world::World;
use crate::error::Kind;
use crate::model::{EventType, Generation, Recipient, State};
use crate::store::{Actor, Claim, Holder, Settle};

const DAY: u64 = 24 * 3_600;

pub(super) fn a_name_has_one_live_session(w: World) {
    let Claim::Granted(first) = w.claim("bob", &process(1)) else { panic!("nobody held it") };
    let Claim::Held(holder) = w.claim("bob", &process(2)) else { panic!("granted twice") };
    assert_eq!(holder, Holder { generation: first, ..process(1) });
    assert!(matches!(w.claim("Bob", &process(2)), Claim::Granted(_)));
}

pub(super) fn the_same_process_keeps_its_claim(w: World) {
    let first = w.claim("bob", &process(1));
    w.pass(3_600);
    assert_eq!(w.claim("bob", &Holder { generation: Generation(99), ..process(1) }), first);
}

pub(super) fn a_process_is_known_by_host_pid_and_start(w: World) {
    w.claim("bob", &process(1));
    let other_host = Holder { host_id: "boot-2/pid-1".to_owned(), ..process(1) };
    let reused_pid = Holder { started: 4_712, ..process(1) };
    for other in [other_host, reused_pid] {
        assert!(matches!(w.claim("bob", &other), Claim::Held(_)), "{other:?}");
    }
}

pub(super) fn a_later_claim_has_a_higher_number(w: World) {
    let mut last = Generation(0);
    for pid in 1..5 {
        let bob = w.session("bob", &process(pid));
        assert!(generation(&bob) > last);
        last = generation(&bob);
        assert!(generation(&w.session(&format!("other-{pid}"), &process(100 + pid))) > last);
        w.end(&bob);
    }
}

pub(super) fn an_ended_claim_frees_the_name_with_the_mail_that_waits(w: World) {
    let first = w.session("bob", &process(1));
    let id = w.send("ann", "bob", "a note for tomorrow's session");
    w.end(&first);
    let second = w.session("bob", &process(2));
    assert_eq!(ids(&w.lease(&second, 10)), [id]);
}

pub(super) fn a_claim_of_one_that_is_gone_is_replaced(w: World) {
    let first = w.session("bob", &process(1));
    let id = w.send("ann", "bob", "waits");
    let wrong = Generation(generation(&first).0 + 7);
    assert!(matches!(w.claim_from("bob", &process(2), Some(wrong)), Claim::Held(_)));
    let Claim::Granted(second) = w.claim_from("bob", &process(2), Some(generation(&first))) else {
        panic!("the holder was gone")
    };
    assert!(second > generation(&first));
    assert_eq!(ids(&w.lease(session("bob", second), 10)), [id]);
}

pub(super) fn a_claim_ends_after_a_day_of_silence(w: World) {
    w.check(seen(w.session("bob", &process(1)), State::Idle));
    w.pass(DAY - 1);
    assert!(matches!(w.claim("bob", &process(2)), Claim::Held(_)));
    w.pass(2);
    assert_eq!(w.ask("ann", |store, step| store.holder(step, &name("bob"))).unwrap(), None);
    assert!(matches!(w.claim("bob", &process(2)), Claim::Granted(_)));
}

pub(super) fn a_claim_without_any_sign_of_life_ends_after_a_day_too(w: World) {
    w.claim("bob", &process(1));
    w.pass(DAY - 1);
    assert!(matches!(w.claim("bob", &process(2)), Claim::Held(_)));
    w.pass(2);
    assert!(matches!(w.claim("bob", &process(2)), Claim::Granted(_)));
}

pub(super) fn signs_of_life_keep_a_claim(w: World) {
    let bob = w.session("bob", &process(1));
    for _ in 0..3 {
        w.pass(DAY - 60);
        w.check(seen(&bob, State::Idle));
    }
    w.pass(DAY - 60);
    assert!(matches!(w.claim("bob", &process(2)), Claim::Held(_)));
}

pub(super) fn a_silent_holder_that_nobody_replaced_goes_on(w: World) {
    let bob = w.session("bob", &process(1));
    w.pass(3 * DAY);
    w.check(seen(&bob, State::Idle));
    assert!(matches!(w.claim("bob", &process(2)), Claim::Held(_)), "it is live again");
}

pub(super) fn who_lost_a_name_is_refused_by_every_verb(w: World) {
    let old = w.session("bob", &process(1));
    w.send("ann", "bob", "for the new one");
    let Claim::Granted(new) = w.claim_from("bob", &process(2), Some(generation(&old))) else { panic!("held") };
    let mark = w.mark();
    assert_each(&w, &seen(&old, State::Idle), |_| Some(Kind::NameLost));
    assert!(w.events(&mark).is_empty(), "a refused step does nothing");
    assert_eq!(w.agent("bob").and_then(|bob| bob.last_seen), None, "and shows no life");
    assert_eq!(w.check(session("bob", new)).unread, 1);
}

pub(super) fn a_claim_from_a_store_that_was_lost_counts_for_nothing(w: World) {
    let check = |who: &Actor| kind(w.ask(who, |store, step| store.check(step)));
    // Any number that a store which counts from one would give again.
    let old: Vec<Actor> = (1..5).map(|number| session("bob", Generation(number))).collect();
    assert!(old.iter().all(|old| check(old) == Some(Kind::NameLost)), "nobody holds it here");
    let bob = w.session("bob", &process(1));
    for old in &old {
        assert_eq!(check(old), Some(Kind::NameLost));
        w.end(old);
    }
    assert!(matches!(w.claim("bob", &process(2)), Claim::Held(_)), "it was another one that ended");
    assert_eq!(check(&bob), None);
}

pub(super) fn who_lost_a_name_cannot_settle_what_it_leased(w: World) {
    let old = w.session("bob", &process(1));
    w.send("ann", "bob", "hello");
    let leased = receipts(&w.lease(&old, 1));
    let Claim::Granted(new) = w.claim_from("bob", &process(2), Some(generation(&old))) else { panic!("held") };
    let refused = w.ask(&old, |store, step| store.settle(step, &leased, Settle::Ack));
    assert_eq!(kind(refused), Some(Kind::NameLost));
    w.pass(61);
    assert_eq!(w.lease(session("bob", new), 1)[0].id, leased[0].id);
}

pub(super) fn a_guessed_name_that_is_held_may_look_but_not_take(w: World) {
    let holder = w.session("bob", &process(1));
    w.send("ann", "bob", "hello");
    let refused = |verb: &Verb| verb.takes.then_some(Kind::NameHeld);
    assert_each(&w, &guessed("bob", None), refused);
    assert_each(&w, &guessed("bob", Some(Generation(generation(&holder).0 + 7))), refused);
    assert_eq!(w.check(&holder).unread, 1);
}

pub(super) fn a_guessed_name_may_do_everything_when_no_live_session_holds_it(w: World) {
    assert_each(&w, &guessed("free", None), |_| None);
    let gone = w.session("gone", &process(1));
    assert_each(&w, &guessed("gone", Some(generation(&gone))), |_| None);
    w.end(w.session("ended", &process(2)));
    assert_each(&w, &guessed("ended", None), |_| None);
    w.claim("silent", &process(3));
    w.pass(DAY + 1);
    assert_each(&w, &guessed("silent", None), |_| None);
}

pub(super) fn a_name_given_outright_may_do_everything(w: World) {
    w.claim("bob", &process(1));
    assert_each(&w, &"bob".actor(), |_| None);
}

pub(super) fn the_holder_itself_may_do_everything(w: World) {
    let bob = w.session("bob", &process(1));
    assert_each(&w, &bob, |_| None);
}

pub(super) fn holders_are_the_live_claims(w: World) {
    let holders = |w: &World| {
        let mut live = w.ask("ann", |store, step| store.holders(step)).unwrap();
        live.sort_by_key(|holder| holder.generation);
        live
    };
    assert_eq!(holders(&w), []);
    let bob = w.session("bob", &process(1));
    let cem = w.session("cem", &process(2));
    w.rename(&cem, "cat").unwrap();
    let expected = [(1, generation(&bob)), (2, generation(&cem))];
    assert_eq!(holders(&w), expected.map(|(pid, generation)| Holder { generation, ..process(pid) }));
    w.end(&bob);
    assert_eq!(holders(&w), [Holder { generation: generation(&cem), ..process(2) }]);
    w.pass(DAY + 1);
    assert_eq!(holders(&w), []);
    assert_eq!(w.ask("ann", |store, step| store.holder(step, &name("bob"))).unwrap(), None);
}

pub(super) fn an_ended_session_is_offline_and_announced(w: World) {
    let bob = w.session("bob", &process(1));
    w.check(seen(&bob, State::Working));
    let mark = w.mark();
    w.end(&bob);
    let event = w.events(&mark).into_iter().find(|event| event.kind == EventType::Offline).unwrap();
    assert_eq!((event.agent, event.at), (Some(name("bob")), w.now()));
    let info = w.agent("bob").unwrap();
    assert_eq!((info.online, info.state), (false, State::Offline));
    assert_eq!(w.post("ann", &w.mail("bob", "hello")).unwrap().recipient, Recipient::Offline);
    let mark = w.mark();
    w.end(&bob);
    assert_eq!(w.events(&mark), [], "an end that had come already is no error and no event");
}

pub(super) fn a_name_that_only_forwarded_gets_a_new_mailbox_when_claimed(w: World) {
    w.rename("bob", "rob").unwrap();
    let robs = w.send("ann", "bob", "forwarded");
    let bob = w.session("bob", &process(1));
    let bobs = w.send("ann", "bob", "for the new bob");
    assert_eq!(ids(&w.lease(&bob, 10)), [bobs]);
    assert_eq!(ids(&w.lease("rob", 10)), [robs]);
}

pub(super) fn the_old_name_of_one_that_is_gone_is_granted_with_a_new_mailbox(w: World) {
    let bob = w.session("bob", &process(1));
    w.rename(&bob, "rob").unwrap();
    let robs = w.send("ann", "bob", "forwarded");
    assert!(matches!(w.claim("bob", &process(2)), Claim::Held(_)));
    let Claim::Granted(new) = w.claim_from("bob", &process(2), Some(generation(&bob))) else {
        panic!("the holder was gone")
    };
    let bobs = w.send("ann", "bob", "for the new bob");
    assert_eq!(ids(&w.lease(session("bob", new), 10)), [bobs]);
    assert_eq!(ids(&w.lease("rob", 10)), [robs]);
}

pub(super) fn the_old_names_of_one_that_is_gone_forward_no_longer_once_its_name_is_taken(w: World) {
    let bob = w.session("bob", &process(1));
    w.rename(&bob, "rob").unwrap();
    let kept = w.send("ann", "bob", "forwarded while it lived");
    let Claim::Granted(new) = w.claim_from("rob", &process(2), Some(generation(&bob))) else {
        panic!("the holder was gone")
    };
    let bobs = w.send("ann", "bob", "for the next bob");
    assert_eq!(ids(&w.lease(session("rob", new), 10)), [kept]);
    assert_eq!(ids(&w.lease("bob", 10)), [bobs]);
}
