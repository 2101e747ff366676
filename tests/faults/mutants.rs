//! The judge judged: it finds nothing in the histories of a mailbox that keeps its promises, and finds each of eight
//! ways to break one, whatever the seed.

use std::collections::BTreeSet;

use crate::history::{Call, Op, Said, Seen};
use crate::judge::{Rest, Rule, Terms, judge};
use crate::perfect;

/// How many histories each way is tried on.
const SEEDS: u64 = 100;

/// What was played.
struct Played {
    ops: Vec<Op>,
    rest: Rest,
}

/// Spoils a history; false when it has nothing in it to spoil so.
type Spoil = fn(&mut Played) -> bool;

/// Each way to break a promise, and the rule that must notice.
const MUTANTS: [(&str, Rule, Spoil); 8] = [
    ("a message is dropped", Rule::Lost, drop_one),
    ("one delivery goes to two readers", Rule::Doubled, double),
    ("two messages change places", Rule::Order, reorder),
    ("an acknowledged message comes again", Rule::AfterAck, resurrect),
    ("a message comes under a foreign id", Rule::Unexpected, foreign_id),
    ("a message comes again before its lease is over", Rule::Early, early),
    ("a dead letter is lost", Rule::Lost, lose_dead_letter),
    ("a stale receipt works", Rule::Receipt, stale_ack),
];

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    for seed in 1..=SEEDS {
        let (ops, rest) = perfect::history(seed);
        let verdict = judge(&ops, &rest, &Terms::default());
        assert!(verdict.breaches.is_empty(), "seed {seed}: {:#?}", verdict.breaches);
        assert!(verdict.ok > 0 && verdict.info > 0 && verdict.duplicates > 0, "seed {seed}: {verdict:?}");
    }
}

#[test]
fn each_way_to_break_a_promise_is_found() {
    for (name, rule, spoil) in MUTANTS {
        let mut spoiled = 0;
        for seed in 1..=SEEDS {
            let (ops, rest) = perfect::history(seed);
            let mut played = Played { ops, rest };
            if spoil(&mut played) {
                spoiled += 1;
                let verdict = judge(&played.ops, &played.rest, &Terms::default());
                assert!(verdict.breaks(rule), "{name}, seed {seed}: {:#?}", verdict.breaches);
            }
        }
        assert!(spoiled >= SEEDS / 4, "{name}: only {spoiled} of {SEEDS} histories could be spoiled");
    }
}

/// The messages of a read.
fn messages(op: &mut Op) -> Option<&mut Vec<Seen>> {
    match &mut op.said {
        Said::Mail { messages, .. } => Some(messages),
        Said::Sent { .. } | Said::Settled { .. } | Said::Refused { .. } | Said::Unknown { .. } => None,
    }
}

/// Where a message was seen last: the read's place in the history, and the message.
fn seen_last(ops: &mut [Op], fits: impl Fn(&Seen) -> bool) -> Option<(usize, Seen)> {
    let found = |(at, op): (usize, &mut Op)| Some((at, messages(op)?.iter().find(|seen| fits(seen))?.clone()));
    ops.iter_mut().enumerate().rev().find_map(found)
}

/// The ids that were accepted for certain.
fn sent(ops: &[Op]) -> BTreeSet<String> {
    let accepted = |op: &Op| match &op.said {
        Said::Sent { id, .. } => Some(id.clone()),
        Said::Mail { .. } | Said::Settled { .. } | Said::Refused { .. } | Said::Unknown { .. } => None,
    };
    ops.iter().filter_map(accepted).collect()
}

/// The id of a message that was accepted and acknowledged for certain, and which call did the latter.
fn acked(ops: &[Op]) -> Option<(usize, String)> {
    let sent = sent(ops);
    ops.iter().enumerate().find_map(|(at, op)| match (&op.call, &op.said) {
        (Call::Settle { acks: true, .. }, Said::Settled { done, .. }) => {
            let id = done.first()?.split('.').next()?.to_owned();
            sent.contains(&id).then_some((at, id))
        }
        (Call::Settle { .. } | Call::Send { .. } | Call::Read { .. }, _) => None,
    })
}

/// Adds a read behind the one at `after`, of this message as it comes again.
fn read_again(ops: &mut Vec<Op>, after: usize, seen: &Seen, deliveries: u64) {
    let (id, body) = (seen.id.clone(), seen.body.clone());
    let again = Seen { receipt: Some(format!("{id}.again")), id, body, deliveries };
    let call = Call::Read { mailbox: "inbox".to_owned(), hold_ms: 1_000, takes: false };
    let begin = ops[after].end + 10;
    ops.push(Op { begin, end: begin + 20, call, said: Said::Mail { messages: vec![again], sure: true } });
}

fn drop_one(Played { ops, .. }: &mut Played) -> bool {
    let Some((_, id)) = acked(ops) else { return false };
    ops.retain(|op| !matches!(&op.call, Call::Settle { receipts, .. } if receipts[0].starts_with(&format!("{id}."))));
    ops.iter_mut().filter_map(messages).for_each(|messages| messages.retain(|seen| seen.id != id));
    true
}

fn double(Played { ops, .. }: &mut Played) -> bool {
    let Some((at, seen)) = seen_last(ops, |_| true) else { return false };
    read_again(ops, at, &seen, seen.deliveries);
    true
}

fn reorder(Played { ops, .. }: &mut Played) -> bool {
    let accepted = |ops: &[Op], body: &str| {
        let sent = |op: &&Op| matches!((&op.call, &op.said), (Call::Send { body: sent, .. }, Said::Sent { .. }) if sent == body);
        ops.iter().any(|op| sent(&op))
    };
    for at in 0..ops.len() {
        let firsts: Vec<usize> = match messages(&mut ops[at]) {
            Some(messages) => (0..messages.len()).filter(|n| messages[*n].deliveries == 1).collect(),
            None => continue,
        };
        if let [one, other, ..] = firsts[..] {
            let body = messages(&mut ops[at]).unwrap()[one].body.clone();
            if accepted(ops, &body) {
                messages(&mut ops[at]).unwrap().swap(one, other);
                return true;
            }
        }
    }
    false
}

fn resurrect(Played { ops, .. }: &mut Played) -> bool {
    let Some((at, id)) = acked(ops) else { return false };
    let Some((_, seen)) = seen_last(ops, |seen| seen.id == id) else { return false };
    read_again(ops, at, &seen, seen.deliveries + 1);
    true
}

fn foreign_id(Played { ops, .. }: &mut Played) -> bool {
    let sent = sent(ops);
    let Some((at, seen)) = seen_last(ops, |seen| sent.contains(&seen.id)) else { return false };
    let messages = messages(&mut ops[at]).unwrap();
    messages.iter_mut().filter(|other| other.id == seen.id).for_each(|other| other.id = "id-foreign".to_owned());
    true
}

fn early(Played { ops, .. }: &mut Played) -> bool {
    // One that nobody gives back, so that nothing explains it.
    let given_back = |ops: &[Op], id: &str| {
        ops.iter()
            .any(|op| matches!(&op.call, Call::Settle { receipts, acks: false, .. } if receipts[0].starts_with(id)))
    };
    let free: Vec<Op> = ops.clone();
    let Some((at, seen)) = seen_last(ops, |seen| !given_back(&free, &format!("{}.", seen.id))) else { return false };
    read_again(ops, at, &seen, seen.deliveries + 1);
    true
}

fn lose_dead_letter(Played { ops, rest }: &mut Played) -> bool {
    let sent = sent(ops);
    // An ack of which nobody knows what came of it would explain its absence.
    let doubtful = |id: &str| {
        ops.iter().any(|op| match (&op.call, &op.said) {
            (Call::Settle { receipts, .. }, Said::Unknown { .. }) => receipts[0].starts_with(&format!("{id}.")),
            (Call::Settle { .. } | Call::Send { .. } | Call::Read { .. }, _) => false,
        })
    };
    let Some(id) = rest.dead.keys().find(|id| sent.contains(*id) && !doubtful(id)).cloned() else { return false };
    // The count goes with it, so that only its own absence can tell.
    rest.sent -= 1;
    rest.dead.remove(&id).is_some()
}

fn stale_ack(Played { ops, .. }: &mut Played) -> bool {
    for op in ops.iter_mut() {
        if let Said::Settled { done, stale } = &mut op.said
            && !stale.is_empty()
        {
            std::mem::swap(done, stale);
            return true;
        }
    }
    false
}
