//! The clients of a run: some send, some read, and each writes down what it does. They go on through every fault, then
//! the mailboxes are drained, and what was written is judged.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::field::{LEASE, Mishap, Post};
use crate::front::{Front, Way};
use crate::history::{self, Call, Moment, Pen, Said, Seen};
use crate::judge::{Rule, Terms, Verdict, judge};

/// How long a client tries to get one message accepted, and how long the draining may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is done, and what befalls those who do it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) senders: u64,
    pub(crate) each: u64,
    pub(crate) readers: u64,
    pub(crate) mailboxes: u64,
    /// In how many of a hundred calls the process is killed.
    pub(crate) kill: u64,
    /// In how many it is stopped for longer than a lease.
    pub(crate) stop: u64,
    /// In how many of a hundred acks the lease is over before.
    pub(crate) late: u64,
    /// The front ends, one client after the other.
    pub(crate) ways: [Way; 3],
}

impl Plan {
    /// Nothing befalls the processes.
    pub(crate) fn calm(full: bool) -> Plan {
        let (senders, each, readers) = if full { (6, 40, 4) } else { (3, 10, 2) };
        Plan { senders, each, readers, mailboxes: 2, kill: 0, stop: 0, late: 3, ways: [Way::Cli; 3] }
    }
}

/// What a fault knows of the run it strikes.
pub(crate) struct Stage<'a> {
    start: Instant,
    accepted: &'a AtomicU64,
    total: u64,
}

impl Stage<'_> {
    /// The time by the clock of the histories.
    pub(crate) fn now(&self) -> Moment {
        u64::try_from(self.start.elapsed().as_micros()).unwrap()
    }

    /// Waits until so many of a hundred messages are accepted or given up.
    pub(crate) fn wait(&self, percent: u64) {
        let until = Instant::now() + PATIENCE;
        while self.accepted.load(Ordering::SeqCst) * 100 < self.total * percent && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// What the clients of a run share.
struct Shared<'a> {
    post: &'a Post,
    plan: Plan,
    accepted: AtomicU64,
    /// Every message was sent: no more mishaps.
    calm: AtomicBool,
    over: AtomicBool,
}

/// Runs the clients while `fault` strikes and heals; it says what the terms were. Then drains and judges.
pub(crate) fn run(post: &Post, plan: Plan, chance: &mut Chance, fault: impl FnOnce(&Stage<'_>) -> Terms) -> Verdict {
    let (logs, start) = (tempfile::tempdir().unwrap(), Instant::now());
    let zero = AtomicU64::new(0);
    let shared = Shared { post, plan, accepted: zero, calm: AtomicBool::new(false), over: AtomicBool::new(false) };
    let pen = |name: &str| Pen::new(logs.path(), name, start);
    let (terms, drained) = std::thread::scope(|scope| {
        let shared = &shared;
        let senders: Vec<_> = (0..plan.senders)
            .map(|n| (n, pen(&format!("sender-{n}")), chance.fork()))
            .map(|(n, pen, chance)| scope.spawn(move || Client::new(shared, n, pen, chance).send_all(n)))
            .collect();
        for n in 0..plan.readers {
            let (pen, chance) = (pen(&format!("reader-{n}")), chance.fork());
            scope.spawn(move || Client::new(shared, n, pen, chance).read_all(n));
        }
        // Whatever fails, the readers must come to an end.
        let _end = SetOnDrop(&shared.over);
        let terms = fault(&Stage { start, accepted: &shared.accepted, total: plan.senders * plan.each });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        shared.calm.store(true, Ordering::SeqCst);
        (terms, drain(post))
    });
    let mailboxes: Vec<String> = (0..plan.mailboxes).map(mailbox).collect();
    let mut verdict = judge(&history::read(logs.path()), &post.rest(&mailboxes), &terms);
    if !drained {
        verdict.breach(Rule::Lost, "the mailboxes could not be drained");
    }
    verdict
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Waits until nothing is left and three leases have passed over that; false when it takes too long.
fn drain(post: &Post) -> bool {
    let until = Instant::now() + PATIENCE;
    let mut empty_since: Option<Instant> = None;
    while Instant::now() < until {
        match (post.left(), empty_since) {
            (Some(0), Some(since)) if since.elapsed() > Duration::from_secs(3 * LEASE) => return true,
            (Some(0), Some(_)) => {}
            (Some(0), None) => empty_since = Some(Instant::now()),
            (Some(_) | None, _) => empty_since = None,
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}

fn mailbox(n: u64) -> String {
    format!("inbox-{n}")
}

/// One client: what it reaches postino by, its file, its chance.
struct Client<'a> {
    shared: &'a Shared<'a>,
    front: Box<dyn Front + 'a>,
    pen: Pen,
    chance: Chance,
    /// How long a call takes on this machine just now, in microseconds.
    usual: u64,
}

impl<'a> Client<'a> {
    fn new(shared: &'a Shared<'a>, number: u64, pen: Pen, chance: Chance) -> Client<'a> {
        let way = shared.plan.ways[number as usize % shared.plan.ways.len()];
        Client { shared, front: way.front(shared.post), pen, chance, usual: 8_000 }
    }

    fn call(&mut self, call: Call) -> Said {
        let (plan, is_calm) = (self.shared.plan, self.shared.calm.load(Ordering::SeqCst));
        // Somewhere between its beginning and a little behind its usual end.
        let after = Duration::from_micros(self.chance.below(self.usual * 5 / 4));
        let pause = Duration::from_millis(LEASE * 1000 + 300);
        let (kill, stop) = (self.chance.below(100) < plan.kill, self.chance.below(100) < plan.stop);
        let mishap = match (is_calm, kill, stop) {
            (false, true, _) => Some(Mishap::Kill(after)),
            (false, false, true) => Some(Mishap::Stop(after, pause)),
            (false, false, false) | (true, _, _) => None,
        };
        let (front, begin) = (&mut self.front, Instant::now());
        let said = self.pen.note(call, |call| front.call(call, mishap));
        if mishap.is_none() {
            let took = u64::try_from(begin.elapsed().as_micros()).unwrap().min(50_000);
            self.usual = (self.usual * 7 + took) / 8;
        }
        said
    }

    /// Sends its messages one by one. What was refused is tried again; what may have been stored only with its key.
    fn send_all(mut self, sender: u64) {
        let plan = self.shared.plan;
        for n in 0..plan.each {
            let from = format!("sender-{sender}");
            let body = format!("{from} message {n} {}", "é\u{1f4ee}\n".repeat(self.chance.below(60) as usize));
            let key = (self.chance.below(3) > 0).then(|| format!("key-{n}"));
            let call = Call::Send { from, to: mailbox(self.chance.below(plan.mailboxes)), body, key: key.clone() };
            let until = Instant::now() + PATIENCE;
            while Instant::now() < until {
                match self.call(call.clone()) {
                    Said::Sent { .. } => break,
                    Said::Unknown { .. } if key.is_none() => break,
                    Said::Unknown { .. } | Said::Refused { .. } => std::thread::sleep(Duration::from_millis(20)),
                    said @ (Said::Mail { .. } | Said::Settled { .. }) => panic!("no answer to a send: {said:?}"),
                }
            }
            self.shared.accepted.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Reads from one mailbox until the run is over.
    fn read_all(mut self, reader: u64) {
        let mailbox = mailbox(reader % self.shared.plan.mailboxes);
        while !self.shared.over.load(Ordering::SeqCst) {
            let takes = self.front.takes() && self.chance.below(3) == 0;
            let call = Call::Read { mailbox: mailbox.clone(), hold_ms: LEASE * 1000, takes };
            let messages = match self.call(call) {
                Said::Mail { messages, .. } => messages,
                Said::Refused { .. } | Said::Unknown { .. } => Vec::new(),
                said @ (Said::Sent { .. } | Said::Settled { .. }) => panic!("no answer to a read: {said:?}"),
            };
            if messages.is_empty() {
                std::thread::sleep(Duration::from_millis(30));
            }
            self.settle(&mailbox, messages);
        }
    }

    /// Acknowledges what it was handed; some is given back, some forgotten, some acknowledged too late.
    fn settle(&mut self, mailbox: &str, messages: Vec<Seen>) {
        let receipts: Vec<String> = messages.into_iter().filter_map(|seen| seen.receipt).collect();
        let is_calm = self.shared.calm.load(Ordering::SeqCst);
        let (acks, dice) = (is_calm || self.chance.below(8) > 0, self.chance.below(100));
        if receipts.is_empty() || (dice < 3 && !is_calm) {
            return;
        }
        if dice >= 100 - self.shared.plan.late && !is_calm {
            std::thread::sleep(Duration::from_millis(LEASE * 1000 + 200));
        }
        self.call(Call::Settle { mailbox: mailbox.to_owned(), receipts, acks });
    }
}
