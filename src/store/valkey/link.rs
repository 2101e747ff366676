//! One connection to the server that holds postino's keys: opened when first needed, followed through clusters and
//! fail-overs, reopened once when it was lost and nothing can have happened twice. It knows no script and no key.
//!
//! The redis crate's own set-up sends AUTH and SELECT in a trip of their own, and its cluster and Sentinel clients
//! repeat requests whose outcome is unknown or wait without a limit; so it is used for the protocol and TLS alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Connection, RedisError, Value};

use super::address::{self, Address, Node, Shape};
use super::dial::{authenticate, connect, greet, set_timeouts, timed_out};
use super::request::{Answer, Request};
use super::trouble;
use crate::error::{Error, Result};

/// How often a cluster may send a request elsewhere before that counts as a failure.
const MAX_HOPS: u32 = 5;
/// How long an idle connection is trusted with a step that cannot be repeated: the server may have gone meanwhile.
const TRUST: Duration = Duration::from_secs(1);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    pub(super) command: Duration,
    pub(super) deadline: Option<Instant>,
}

/// A connection that is open.
struct Live {
    connection: Connection,
    node: Node,
    greeted: bool,
    used: Instant,
}

/// A way to the server.
pub(super) struct Link {
    address: Arc<Address>,
    limits: Limits,
    live: Option<Live>,
    home: Option<Node>,
}

/// What a request has been through.
#[derive(Default)]
struct Turn {
    /// Whether its connection was open before it came.
    kept: bool,
    /// Whether it was tried again on a new connection.
    reopened: bool,
    /// Whether a try of it was written and lost.
    doubtful: bool,
    /// How often a cluster sent it on.
    hops: u32,
    /// Whether the next node must be told that it was sent there for once.
    asking: bool,
}

/// How a trip failed.
enum Failure {
    /// The connection: whether the request was written whole, and why.
    Lost(bool, RedisError),
    /// The server sends us to another node, perhaps for this one request.
    Elsewhere(Node, bool),
    /// The server is no primary any more.
    Demoted(RedisError),
    /// The server refuses the credentials or the database.
    Refused(RedisError),
}

impl Link {
    pub(super) fn new(address: Arc<Address>, limits: Limits) -> Link {
        Link { address, limits, live: None, home: None }
    }

    /// Sends a request and waits for its replies; errors inside the replies are the caller's.
    pub(super) fn ask(&mut self, request: &Request<'_>) -> Result<Answer> {
        let start = Instant::now();
        let full = start + self.limits.connect + self.limits.command + request.patience;
        let until = self.limits.deadline.map_or(full, |deadline| deadline.min(full));
        if !request.harmless && self.live.as_ref().is_some_and(|live| live.used.elapsed() > TRUST) {
            self.live = None;
        }
        let mut turn = Turn { doubtful: request.doubtful, ..Turn::default() };
        loop {
            turn.kept = self.live.is_some();
            self.open(until).map_err(|error| request.in_doubt(error, turn.doubtful))?;
            match self.trip(request, until, std::mem::take(&mut turn.asking)) {
                Ok(values) => return Ok(Answer { values, doubtful: turn.doubtful }),
                Err(failure) => {
                    self.live = None;
                    self.recover(failure, request, &mut turn, until)?;
                }
            }
        }
    }

    /// Makes ready for another trip where one does no harm, and fails where it would.
    fn recover(&mut self, failure: Failure, request: &Request<'_>, turn: &mut Turn, until: Instant) -> Result<()> {
        match failure {
            Failure::Elsewhere(node, asking) if turn.hops < MAX_HOPS => {
                turn.hops += 1;
                turn.asking = asking;
                self.live = Some(self.dial(&node, until).map_err(|error| request.in_doubt(error, turn.doubtful))?);
                if !asking {
                    self.home = Some(node);
                }
            }
            Failure::Elsewhere(..) => {
                let circles = trouble::unreachable(&self.address, "the cluster sends requests in circles");
                return Err(request.in_doubt(circles, turn.doubtful));
            }
            Failure::Demoted(_) if !turn.reopened && self.address.shape != Shape::Single => {
                turn.reopened = true;
                self.home = None;
            }
            Failure::Demoted(error) | Failure::Refused(error) => {
                return Err(request.in_doubt(trouble::refused(&self.address, &error), turn.doubtful));
            }
            Failure::Lost(written, error) => {
                self.home = None;
                turn.doubtful |= written;
                let harmless = !written || request.harmless;
                if !(turn.kept && harmless && !turn.reopened) || trouble::is_timeout(&error) {
                    return Err(self.lost(turn.doubtful, &error, request));
                }
                turn.reopened = true;
            }
        }
        Ok(())
    }

    fn lost(&self, doubtful: bool, error: &RedisError, request: &Request<'_>) -> Error {
        let why = trouble::cause(error);
        match request.doubt {
            Some(doubt) if doubtful => trouble::unknown(&self.address, why, doubt, request.harmless),
            Some(_) | None => trouble::unreachable(&self.address, why),
        }
        .because(error.clone())
    }

    /// Writes the request, after the credentials on a fresh connection, in one write; then reads reply after reply.
    fn trip(
        &mut self,
        request: &Request<'_>,
        until: Instant,
        asking: bool,
    ) -> std::result::Result<Vec<Value>, Failure> {
        let mut packed = Vec::new();
        let mut greetings = 0;
        let Some(live) = &mut self.live else { return Err(Failure::Lost(false, closed())) };
        if !live.greeted {
            greetings = greet(&self.address, &mut packed);
        }
        if asking {
            redis::cmd("ASKING").write_packed_command(&mut packed);
            greetings += 1;
        }
        packed.extend_from_slice(request.packed);
        let longest = self.limits.command + request.patience;
        let written =
            set_timeouts(&live.connection, until, longest).and_then(|()| live.connection.send_packed_command(&packed));
        written.map_err(|error| Failure::Lost(false, error))?;
        let mut values = Vec::with_capacity(request.replies);
        for n in 0..greetings + request.replies {
            let value = set_timeouts(&live.connection, until, longest).and_then(|()| live.connection.recv_response());
            let value = value.map_err(|error| Failure::Lost(true, error))?;
            match trouble::error_of(&value) {
                Some(error) if n < greetings => return Err(Failure::Refused(error)),
                Some(error) => {
                    if let Some(failure) = diversion(&live.node, error) {
                        return Err(failure);
                    }
                }
                None => {}
            }
            if n >= greetings {
                values.push(value);
            }
        }
        live.greeted = true;
        live.used = Instant::now();
        Ok(values)
    }

    /// Opens a connection if none is open.
    fn open(&mut self, until: Instant) -> Result<()> {
        if self.live.is_some() {
            return Ok(());
        }
        if let Some(home) = self.home.clone() {
            if let Ok(live) = self.dial(&home, until) {
                self.live = Some(live);
                return Ok(());
            }
            self.home = None;
        }
        self.live = Some(match &self.address.shape {
            Shape::Single | Shape::Cluster => self.first_of(until, Link::dial)?,
            Shape::Sentinel(name) => self.first_of(until, |link, node, until| link.primary(node, name, until))?,
        });
        Ok(())
    }

    /// The first of the address's nodes with which `connect` succeeds; the last failure when none.
    fn first_of(&self, until: Instant, connect: impl Fn(&Link, &Node, Instant) -> Result<Live>) -> Result<Live> {
        let mut failure = trouble::unreachable(&self.address, "it names no server");
        for node in &self.address.nodes {
            match connect(self, node, until) {
                Ok(live) => return Ok(live),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Asks a Sentinel for the primary of this name and connects to it.
    fn primary(&self, sentinel: &Node, name: &str, until: Instant) -> Result<Live> {
        let mut live = self.dial(sentinel, until)?;
        let mut question = Vec::new();
        redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(name).write_packed_command(&mut question);
        let mut answer = self.consult(&mut live.connection, &question, 1, until)?;
        if trouble::error_of(&answer).is_some_and(|error| error.code() == Some("NOAUTH")) {
            let mut packed = Vec::new();
            let greetings = authenticate(&self.address, &mut packed);
            packed.extend_from_slice(&question);
            answer = self.consult(&mut live.connection, &packed, greetings + 1, until)?;
        }
        if let Some(error) = trouble::error_of(&answer) {
            return Err(trouble::refused(&self.address, &error));
        }
        let place = redis::from_redis_value::<Option<(String, u16)>>(answer).ok().flatten();
        match place {
            Some((host, port)) => self.dial(&Node::Tcp(host, port), until),
            None => Err(trouble::unreachable(&self.address, &format!("its Sentinel knows no primary {name:?}"))),
        }
    }

    /// A question outside the usual trip: the last of its replies.
    fn consult(&self, connection: &mut Connection, packed: &[u8], replies: usize, until: Instant) -> Result<Value> {
        let mut ask = || {
            set_timeouts(connection, until, self.limits.connect)?;
            connection.send_packed_command(packed)?;
            let mut last = Value::Nil;
            for _ in 0..replies {
                last = connection.recv_response()?;
            }
            Ok(last)
        };
        ask().map_err(|error: RedisError| trouble::unreachable(&self.address, trouble::cause(&error)).because(error))
    }

    /// Connects to one server, without a word to it yet.
    fn dial(&self, node: &Node, until: Instant) -> Result<Live> {
        let limit = self.limits.connect.min(until.saturating_duration_since(Instant::now()));
        let fail = |error: RedisError| trouble::unreachable(&self.address, trouble::cause(&error)).because(error);
        if limit.is_zero() {
            return Err(fail(timed_out()));
        }
        if self.address.tls {
            // One provider a process; another part may have installed the same one before.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let connection = connect(node, self.address.tls, limit).map_err(fail)?;
        Ok(Live { connection, node: node.clone(), greeted: false, used: Instant::now() })
    }
}

/// What a server's error says about where the request should have gone.
fn diversion(node: &Node, error: RedisError) -> Option<Failure> {
    match trouble::code_of(&error) {
        Some(code @ ("MOVED" | "ASK")) => {
            let place = error.redirect_node().map(|(place, _)| place)?;
            let (host, port) = place.rsplit_once(':')?;
            let host = match (host, node) {
                ("" | "?", Node::Tcp(host, _)) => host.as_str(),
                (host, Node::Tcp(..) | Node::Unix(_)) => host,
            };
            let bracketed = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
            Some(Failure::Elsewhere(address::node(&bracketed, 0)?, code == "ASK"))
        }
        Some("READONLY" | "MASTERDOWN") => Some(Failure::Demoted(error)),
        Some("NOAUTH") => Some(Failure::Refused(error)),
        Some(_) | None => None,
    }
}

fn closed() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::NotConnected).into()
}
