//! The rules, one function each. They know the evidence and say what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Delivery, Evidence, Letter, Used, id_of};
use super::{Rule, Verdict};
use crate::history::Moment;

/// Applies all of them.
pub(super) fn apply(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    nothing_is_lost(evidence, verdict);
    nothing_is_made_up(evidence, verdict);
    nothing_comes_after_its_ack(evidence, verdict);
    every_duplicate_has_a_reason(evidence, verdict);
    first_deliveries_are_in_order(evidence, verdict);
    receipts_work_while_they_hold(evidence, verdict);
    counts_add_up(evidence, verdict);
}

/// Every accepted message was seen or is a dead letter, and in the end was acknowledged or still lies there.
fn nothing_is_lost(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    let kept_unseen = evidence.rest.waiting + evidence.rest.leased + evidence.rest.expired;
    let mut missing = Vec::new();
    for (body, letter) in &evidence.letters {
        for id in &letter.ids {
            let (dead, seen) = (evidence.rest.dead.contains_key(id), evidence.deliveries.contains_key(id));
            let settled = dead || (seen && evidence.may_be_acked(id));
            if !settled {
                missing
                    .push(format!("{body:?} ({id}) was accepted and {}", if seen { "vanished" } else { "never seen" }));
            }
        }
        let seen = || evidence.deliveries.values().flatten().any(|delivery| delivery.seen.body == *body);
        verdict.forgotten += u64::from(letter.forgettable && letter.ids.is_empty() && !seen());
    }
    // What still waits unread when a run had to stop is told by its count alone.
    if missing.len() as u64 > kept_unseen {
        verdict.lost += missing.len() as u64 - kept_unseen;
        missing.into_iter().for_each(|what| verdict.breach(Rule::Lost, what));
    }
}

/// Whatever was delivered was sent so: this body, to this mailbox, under one id.
fn nothing_is_made_up(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for delivery in evidence.deliveries.values().flatten() {
        let seen = &delivery.seen;
        if !delivery.undone {
            ids.entry(&seen.body).or_default().insert(&seen.id);
        }
        match evidence.letters.get(&seen.body) {
            Some(letter) if !letter.possible => {
                verdict.breach(Rule::Unexpected, format!("{:?} was refused, and delivered all the same", seen.body));
            }
            Some(letter) if letter.to != delivery.mailbox => {
                verdict.breach(Rule::Unexpected, format!("{:?} was delivered to {}", seen.body, delivery.mailbox));
            }
            Some(Letter { ids, .. }) if ids.is_empty() || ids.contains(&seen.id) || delivery.undone => {}
            Some(_) => verdict.breach(Rule::Unexpected, format!("{:?} came under another id: {}", seen.body, seen.id)),
            None => verdict.breach(Rule::Unexpected, format!("nobody sent {:?} ({})", seen.body, seen.id)),
        }
    }
    for (id, body) in &evidence.rest.dead {
        ids.entry(body).or_default().insert(id);
        if evidence.letters.get(body).is_none_or(|letter| !letter.possible) {
            verdict.breach(Rule::Unexpected, format!("nobody sent the dead letter {body:?} ({id})"));
        }
    }
    for (body, letter) in &evidence.letters {
        if letter.ids.len() > 1 || letter.created > 1 {
            verdict.breach(Rule::Doubled, format!("{body:?} was accepted twice: {:?}", letter.ids));
        }
    }
    for (body, ids) in ids.into_iter().filter(|(_, ids)| ids.len() > 1) {
        verdict.breach(Rule::Doubled, format!("{body:?} was stored under {ids:?}"));
    }
}

/// No read that began after an ack was done is handed that message, and only one delivery of it was acknowledged.
fn nothing_comes_after_its_ack(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    for (id, deliveries) in &evidence.deliveries {
        let acks = evidence.acks(id);
        let Some((done, by)) = acks.iter().min() else { continue };
        for late in deliveries.iter().filter(|delivery| delivery.begin > *done) {
            let body = &late.seen.body;
            verdict.breach(Rule::AfterAck, format!("{body:?} was delivered at {} after its ack at {done}", late.end));
        }
        if acks.len() > 1 {
            verdict.breach(Rule::AfterAck, format!("{id} was acknowledged by {by} and again: {acks:?}"));
        }
    }
}

/// Of two deliveries in a row the first had run out or was given back; one that nobody saw went to a reader that was
/// cut off.
fn every_duplicate_has_a_reason(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    for (id, deliveries) in &evidence.deliveries {
        verdict.duplicates += deliveries.len() as u64 - 1;
        for pair in deliveries.windows(2) {
            let (first, second) = (&pair[0], &pair[1]);
            if first.undone {
                continue;
            }
            if first.seen.deliveries == second.seen.deliveries {
                verdict
                    .breach(Rule::Doubled, format!("delivery {} of {id} went to two readers", first.seen.deliveries));
            } else if second.end < ends(evidence, first, second) {
                let (n, end) = (second.seen.deliveries, second.end);
                let until = first.begin + first.hold;
                verdict.breach(
                    Rule::Early,
                    format!("delivery {n} of {id} came at {end}, the one before held until {until}"),
                );
            }
        }
        if let Some(last) = deliveries.last() {
            let unseen = last.seen.deliveries.saturating_sub(deliveries.len() as u64);
            let blind = evidence.blind.get(&last.mailbox).into_iter().flatten().filter(|begin| **begin < last.end);
            if unseen > blind.count() as u64 {
                verdict.breach(Rule::Early, format!("{unseen} deliveries of {id} went to nobody"));
            }
        }
    }
}

/// When a delivery was over at the earliest, those before the second one that nobody saw included.
fn ends(evidence: &Evidence<'_>, first: &Delivery, second: &Delivery) -> Moment {
    let back = |used: &&super::evidence::Use| !used.acks && used.result != Used::Stale && used.begin < second.end;
    if evidence.terms.clock_turned || evidence.uses_of(first).iter().any(|used| back(&used)) {
        return 0;
    }
    let holds = second.seen.deliveries.saturating_sub(first.seen.deliveries);
    (first.begin + first.hold * holds).saturating_sub(evidence.terms.slack_ms * 1000)
}

/// Of two messages to one mailbox, the one accepted before the other was sent is first delivered first.
fn first_deliveries_are_in_order(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    let mut boxes: BTreeMap<&str, Vec<(&Letter, &Delivery)>> = BTreeMap::new();
    for deliveries in evidence.deliveries.values() {
        let Some(first) = deliveries.first().filter(|first| first.seen.deliveries == 1) else { continue };
        if let Some(letter) = evidence.letters.get(&first.seen.body) {
            boxes.entry(&first.mailbox).or_default().push((letter, first));
        }
    }
    for letters in boxes.values_mut() {
        letters.sort_by_key(|(letter, _)| letter.begin);
        let mut accepted: Vec<_> = letters.iter().filter_map(|(l, d)| l.accepted.map(|at| (at, *d))).collect();
        accepted.sort_by_key(|(at, _)| *at);
        let mut earlier = accepted.into_iter().peekable();
        // The one sent before whose first delivery is the latest.
        let mut latest: Option<&Delivery> = None;
        for (letter, delivery) in letters.iter() {
            while let Some((_, before)) = earlier.next_if(|(at, _)| *at < letter.begin) {
                if latest.is_none_or(|known| (known.begin, known.place) < (before.begin, before.place)) {
                    latest = Some(before);
                }
            }
            if let Some(before) = latest.filter(|before| is_before(delivery, before)) {
                let (late, soon) = (&before.seen.body, &delivery.seen.body);
                verdict.breach(Rule::Order, format!("{soon:?} was delivered before {late:?}, which was sent earlier"));
            }
        }
    }
}

/// Whether one delivery was over before the other began, or stands before it in one answer.
fn is_before(one: &Delivery, other: &Delivery) -> bool {
    let same_answer = (one.begin, one.end) == (other.begin, other.end);
    one.end < other.begin || (same_answer && one.place < other.place)
}

/// A receipt works until its lease runs out and no longer, and never for a delivery that another one replaced.
fn receipts_work_while_they_hold(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    let slack = evidence.terms.slack_ms * 1000;
    for (receipt, uses) in &evidence.uses {
        let deliveries = evidence.deliveries.get(id_of(receipt)).map_or(&[][..], Vec::as_slice);
        let Some(own) = deliveries.iter().find(|delivery| delivery.seen.receipt.as_ref() == Some(receipt)) else {
            verdict.breach(Rule::Unexpected, format!("nobody was handed the receipt {receipt}"));
            continue;
        };
        if own.undone || evidence.terms.clock_turned {
            continue;
        }
        for used in uses {
            // Who asks again after an unknown outcome is told what the first call did.
            let again = uses.iter().any(|other| other.begin < used.begin);
            let replaced = deliveries.iter().any(|d| d.seen.deliveries > own.seen.deliveries && d.end < used.begin);
            let over = used.begin > own.end + own.hold + slack;
            if used.result == Used::Done && !again && (replaced || over) {
                verdict.breach(Rule::Receipt, format!("{receipt} worked at {} after its delivery was over", used.end));
            }
            let held = used.end + slack < own.begin + own.hold;
            if used.result == Used::Stale && held && !again && evidence.terms.undone.is_empty() {
                verdict.breach(Rule::Receipt, format!("{receipt} was refused at {} while it held", used.end));
            }
        }
    }
}

/// Accepted = taken + waiting + leased + expired + dead + deleted, and the first two agree with the clients.
fn counts_add_up(evidence: &Evidence<'_>, verdict: &mut Verdict) {
    let rest = evidence.rest;
    let dead = rest.dead.len() as u64;
    let found = rest.taken + rest.waiting + rest.leased + rest.expired + dead + rest.deleted;
    if rest.sent != found {
        verdict.breach(Rule::Count, format!("{} accepted, {found} accounted for: {rest:?}", rest.sent));
    }
    let letters = evidence.letters.values();
    let sure = letters.clone().filter(|letter| !letter.ids.is_empty()).count() as u64;
    let possible = letters.filter(|letter| letter.possible).count() as u64;
    if !(sure..=possible).contains(&rest.sent) {
        verdict.breach(Rule::Count, format!("the store accepted {}, the clients sent {sure} to {possible}", rest.sent));
    }
    let ids = || evidence.deliveries.keys();
    let acked = ids().filter(|id| !evidence.acks(id).is_empty()).count() as u64;
    let perhaps = ids().filter(|id| evidence.may_be_acked(id)).count() as u64;
    if !(acked..=perhaps).contains(&rest.taken) {
        verdict.breach(Rule::Count, format!("the store saw {} taken, the clients {acked} to {perhaps}", rest.taken));
    }
}
