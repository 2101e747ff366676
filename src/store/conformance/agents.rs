//! What `agents` and presence promise: who is there, in byte order, in pages, without guessing.

use super::verbs::VERBS;
use super::words::{guessed, name, process, seen};
use super::world::World;
use crate::model::{EventType, State};
use crate::store::AgentPage;

/// A page of agents.
fn page(w: &World, limit: u32, after: Option<&str>) -> AgentPage {
    let after = after.map(name);
    w.ask("auditor", |store, step| store.agents(step, limit, after.as_ref())).unwrap()
}

/// The names on a page.
fn names(page: &AgentPage) -> Vec<&str> {
    page.items.iter().map(|agent| agent.name.as_str()).collect()
}

pub(super) fn agents_come_in_byte_order(w: World) {
    for who in ["b", "a.2", "B", "a", "a_1", "a-1", "Zed", "9", "a1", "aa"] {
        w.check(seen(who, State::Idle));
    }
    assert_eq!(names(&page(&w, 100, None)), ["9", "B", "Zed", "a", "a-1", "a.2", "a1", "a_1", "aa", "b"]);
}

pub(super) fn pages_of_agents_follow_each_other(w: World) {
    let all: Vec<String> = (0..25).map(|n| format!("agent-{n:02}")).collect();
    for who in &all {
        w.check(seen(who.as_str(), State::Idle));
    }
    w.pass(31);
    for who in &all[..5] {
        w.check(seen(who.as_str(), State::Idle));
    }
    let (mut shown, mut after) = (Vec::new(), None);
    loop {
        let part = page(&w, 10, after.as_deref());
        assert_eq!((part.total, part.online), (25, 5), "the totals are of all");
        after = part.items.last().map(|agent| agent.name.to_string());
        if part.items.is_empty() {
            break;
        }
        shown.extend(part.items.into_iter().map(|agent| agent.name.to_string()));
    }
    assert_eq!(shown, all);
    assert_eq!(names(&page(&w, 2, Some("agent-10-between"))), ["agent-11", "agent-12"]);
}

pub(super) fn a_thousand_agents_fit_on_one_page(w: World) {
    for n in 0..1_005 {
        w.check(seen(format!("agent-{n:04}").as_str(), State::Idle));
    }
    let first = page(&w, 1_000, None);
    assert_eq!((first.items.len(), first.total, first.online), (1_000, 1_005, 1_005));
    assert_eq!(page(&w, 1_000, Some("agent-0999")).items.len(), 5);
}

pub(super) fn an_agent_is_shown_with_what_it_is_and_does(w: World) {
    w.check(seen("bob", State::Working));
    let at = w.now();
    w.pass(10);
    let bob = w.agent("bob").unwrap();
    assert_eq!((bob.online, bob.state, bob.last_seen), (true, State::Working, Some(at)));
    let told = [bob.client.as_deref(), bob.host.as_deref(), bob.project.as_deref()];
    assert_eq!(told, [Some("claude"), Some("laptop"), Some("webshop")]);
    w.check(seen("bob", State::Idle));
    assert_eq!(w.agent("bob").unwrap().state, State::Idle);
}

pub(super) fn an_agent_is_offline_after_thirty_seconds_of_silence(w: World) {
    w.check(seen("bob", State::Working));
    let at = w.now();
    w.pass(29);
    assert!(w.agent("bob").unwrap().online);
    w.pass(2);
    let bob = w.agent("bob").unwrap();
    assert_eq!((bob.online, bob.state, bob.last_seen), (false, State::Offline, Some(at)));
    assert_eq!((page(&w, 10, None).online, w.stats().online), (0, 0));
    w.check(seen("bob", None));
    assert!(w.agent("bob").unwrap().online);
}

pub(super) fn a_name_that_only_has_mail_is_shown_as_never_seen(w: World) {
    w.send(seen("ann", State::Idle), "nobody", "hello");
    let nobody = w.agent("nobody").unwrap();
    assert_eq!((nobody.online, nobody.state, nobody.last_seen), (false, State::Offline, None));
    assert_eq!((nobody.message_count, nobody.client), (1, None));
    assert_eq!((page(&w, 10, None).total, w.stats().agents), (2, 2));
}

pub(super) fn the_message_count_is_of_live_mail_that_waits(mut w: World) {
    w.send_many("ann", "bob", 3);
    w.policy.ttl = std::time::Duration::from_secs(60);
    w.send_many("ann", "bob", 2);
    w.lease("bob", 1);
    assert_eq!(w.agent("bob").unwrap().message_count, 4);
    w.pass(59);
    w.announce("ann", "no mail");
    assert_eq!(w.agent("bob").unwrap().message_count, 4);
    w.pass(2);
    assert_eq!(w.agent("bob").unwrap().message_count, 3, "two expired, one ready again");
}

pub(super) fn forwarding_names_are_not_shown(w: World) {
    w.send("ann", "bob", "hello");
    w.check(seen("bob", State::Idle));
    w.rename(seen("bob", State::Idle), "rob").unwrap();
    assert_eq!(w.agent("bob"), None);
    let rob = w.agent("rob").unwrap();
    assert_eq!((rob.message_count, rob.online), (1, true));
}

pub(super) fn the_first_sighting_after_silence_is_an_event(w: World) {
    let mark = w.mark();
    let online = |w: &World| w.events(&mark).iter().filter(|event| event.kind == EventType::Online).count();
    w.check(seen("bob", State::Idle));
    let event = w.events(&mark).remove(0);
    assert_eq!((event.kind, event.agent, event.at), (EventType::Online, Some(name("bob")), w.now()));
    w.pass(29);
    w.check(seen("bob", State::Working));
    w.pass(29);
    w.lease(seen("bob", State::Working), 1);
    assert_eq!(online(&w), 1);
    w.pass(31);
    w.check(seen("bob", State::Idle));
    assert_eq!(online(&w), 2);
    w.check("bob");
    w.pass(31);
    w.check("bob");
    assert_eq!(online(&w), 2, "without a sighting nobody is seen");
}

pub(super) fn every_verb_of_an_agent_is_a_sign_of_life(w: World) {
    let bob = seen("bob", State::Working);
    for verb in &VERBS {
        w.pass(31);
        verb.run(&w, &bob).unwrap();
        let page = page(&w, 1_000, None);
        // A rename takes the presence along.
        let online: Vec<_> = page.items.iter().filter(|agent| agent.online).collect();
        assert_eq!(online.len(), 1, "{}", verb.name);
        assert_eq!((online[0].last_seen, online[0].state), (Some(w.now()), State::Working), "{}", verb.name);
        assert!(online[0].name == name("bob") || verb.name == "rename");
    }
}

pub(super) fn nobody_is_seen_under_a_name_that_a_live_session_holds(w: World) {
    let holder = w.session("bob", &process(1));
    w.check(seen(&holder, State::Working));
    let at = w.now();
    w.pass(10);
    w.check(seen("bob", State::Idle));
    w.check(seen(guessed("bob", None), State::Idle));
    let bob = w.agent("bob").unwrap();
    assert_eq!((bob.state, bob.last_seen), (State::Working, Some(at)));
    w.check(seen(&holder, State::Idle));
    assert_eq!(w.agent("bob").unwrap().last_seen, Some(w.now()));
}
