//! The faults, a row of the table each: what strikes, on which stores, and the run that shows it. Whether what happened
//! was right is the judge's business.

mod clock;
mod company;
mod damage;
mod disk_errors;
mod fronts;
mod limits;
mod network;
mod place;
mod power;
mod processes;
mod servers;

use crate::chance::Chance;
use crate::clients::Plan;
use crate::field::{On, Post};
use crate::judge::Verdict;
use crate::server::Server;

/// One run of one fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) on: On,
    /// As much as the table shows, or a smoke of it.
    pub(crate) full: bool,
}

impl Case {
    /// The chance of this run, the same for the same seed.
    pub(crate) fn chance(&self) -> Chance {
        Chance::seeded(self.seed)
    }

    /// As much as a run of this size does where nothing befalls the processes.
    pub(crate) fn plan(&self) -> Plan {
        Plan::calm(self.full)
    }

    /// postino on a store of its own, and the server that it is on.
    pub(crate) fn post(&self) -> (Post, Option<Server>) {
        self.post_with(&[])
    }

    /// The same with these arguments for the server.
    pub(crate) fn post_with(&self, args: &[&str]) -> (Post, Option<Server>) {
        match self.on.server(args) {
            Some(server) => (Post::at(&server.url()), Some(server)),
            None => (Post::embedded(), None),
        }
    }
}

/// A run of a fault; `None` where this machine does not allow it, which it has said loudly.
pub(crate) type Strike = fn(&Case) -> Option<Verdict>;

/// A fault.
pub(crate) struct Fault {
    /// As `POSTINO_FAULT` and the table call it.
    pub(crate) name: &'static str,
    /// What strikes, for the table.
    pub(crate) what: &'static str,
    pub(crate) stores: &'static [On],
    pub(crate) strike: Strike,
}

const EACH: &[On] = &[On::Embedded, On::Redis, On::Valkey];
const FILE: &[On] = &[On::Embedded];
const SERVER: &[On] = &[On::Redis, On::Valkey];

const fn fault(name: &'static str, what: &'static str, stores: &'static [On], strike: Strike) -> Fault {
    Fault { name, what, stores, strike }
}

/// All of them, in the order of the table.
pub(crate) const FAULTS: &[Fault] = &[
    fault("none", "nothing", EACH, processes::none),
    fault("kill", "a quarter of all processes killed at any moment", EACH, processes::kill),
    fault("kill-point", "killed at each system call of a send, a read, an ack", EACH, processes::kill_at_points),
    fault("stop", "a tenth of all processes stopped for longer than a lease", EACH, processes::stop),
    fault("late-ack", "half of all acks come after the lease ran out", EACH, processes::late_ack),
    fault("fronts", "all front ends at once, the web server's and MCP's processes killed", EACH, fronts::killed),
    fault("web-way", "the way to the web server: cut, reset, half closed, slow", EACH, fronts::way_to_web),
    fault("power-lost", "power cut: all that was not synced is gone", FILE, power::lost),
    fault("power-torn", "power cut: unsynced sectors and names there or not, by chance", FILE, power::torn),
    fault(
        "failing-calls",
        "a write, sync, read, open or lock fails (EIO, ENOSPC, EDQUOT, EMFILE)",
        FILE,
        disk_errors::failing_calls,
    ),
    fault("no-threads", "the system gives no thread", EACH, disk_errors::no_threads),
    fault("disk-full", "the file system is full for a while", FILE, place::full_disk),
    fault("read-only", "the file system is read-only for a while", FILE, place::read_only),
    fault("removed", "the directory is removed", FILE, place::removed),
    fault("file-size", "files may not grow beyond a limit", FILE, limits::file_size),
    fault("open-files", "3 to 15 open files", EACH, limits::open_files),
    fault("clock", "the clock is turned by up to an hour before each step", FILE, clock::turned),
    fault("client-clock", "clients whose clocks are an hour off", SERVER, clock::turned_clients),
    fault("newer-store", "a store that a newer postino wrote", EACH, company::newer),
    fault("bit-flips", "one bit of the database turned", FILE, damage::bit_flips),
    fault("truncation", "the database cut off at some length", FILE, damage::truncation),
    fault("blank-pages", "a page of the database blank", FILE, damage::blank_pages),
    fault(
        "crowd",
        "200 processes send 100 messages each, into mailboxes that hold three quarters",
        EACH,
        company::crowd,
    ),
    fault("restart", "the server killed and started again", SERVER, servers::restart),
    fault("shutdown", "SHUTDOWN NOSAVE, each write synced", SERVER, servers::shutdown),
    fault("amnesia", "SHUTDOWN NOSAVE, nothing kept on disk", SERVER, servers::amnesia),
    fault("script-flush", "SCRIPT FLUSH, again and again", SERVER, servers::script_flush),
    fault("maxmemory", "the server's memory is used up", SERVER, servers::maxmemory),
    fault("standstill", "the server stands still", SERVER, servers::standstill),
    fault("failover", "the primary killed, the replica promoted", SERVER, servers::failover),
    fault("black-hole", "the way to the server swallows everything", SERVER, network::black_hole),
    fault("reset", "connections are reset at the first word", SERVER, network::reset),
    fault("half-close", "the request gets through, the answer's side is closed", SERVER, network::half_close),
    fault("dribble", "one byte at a time", SERVER, network::dribble),
    fault("slow", "each answer two seconds late", SERVER, network::slow),
    fault("cut", "cut after the request was carried out, before the answer", SERVER, network::cut),
];
