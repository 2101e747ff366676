//! One connection to the server that holds postino's keys: opened when first needed, followed through clusters and
//! fail-overs, reopened once when it was lost and nothing can have happened twice. It knows no script and no key.
//!
//! The redis crate's own set-up sends AUTH and SELECT in a trip of their own, and its cluster and Sentinel clients
//! repeat requests whose outcome is unknown or wait without a limit; so it is used for the protocol and TLS alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{Connection, RedisError, Value};

use super::address::{self, Address, Node, Shape};
use super::dial::{connect, set_timeouts, timed_out};
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

/// A request: commands, packed one after the other.
pub(super) struct Request<'a> {
    /// The bytes to write.
    pub(super) packed: &'a [u8],
    /// How many replies they bring.
    pub(super) replies: usize,
    /// What may or may not have happened when the reply is lost; `None` when a repetition does no harm.
    pub(super) doubt: Option<&'a str>,
    /// How much longer than usual the answer may take.
    pub(super) patience: Duration,
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
    pub(super) fn ask(&mut self, request: &Request<'_>) -> Result<Vec<Value>> {
        let start = Instant::now();
        let full = start + self.limits.connect + self.limits.command + request.patience;
        let until = self.limits.deadline.map_or(full, |deadline| deadline.min(full));
        if request.doubt.is_some() && self.live.as_ref().is_some_and(|live| live.used.elapsed() > TRUST) {
            self.live = None;
        }
        let (mut hops, mut reopened, mut asking) = (0, false, false);
        loop {
            let kept = self.live.is_some();
            self.open(until)?;
            let failure = match self.trip(request, until, asking) {
                Ok(values) => return Ok(values),
                Err(failure) => failure,
            };
            asking = false;
            self.live = None;
            match failure {
                Failure::Elsewhere(node, ask) if hops < MAX_HOPS => {
                    hops += 1;
                    asking = ask;
                    self.live = Some(self.dial(&node, until)?);
                    if !ask {
                        self.home = Some(node);
                    }
                }
                Failure::Demoted(_) if !reopened && self.address.shape != Shape::Single => {
                    reopened = true;
                    self.home = None;
                }
                Failure::Lost(written, error) => {
                    self.home = None;
                    let harmless = !written || request.doubt.is_none();
                    if !(kept && harmless && !reopened) || trouble::is_timeout(&error) {
                        return Err(self.lost(written, &error, request.doubt));
                    }
                    reopened = true;
                }
                Failure::Elsewhere(..) => {
                    return Err(trouble::unreachable(&self.address, "the cluster sends requests in circles"));
                }
                Failure::Demoted(error) | Failure::Refused(error) => {
                    return Err(trouble::refused(&self.address, &error));
                }
            }
        }
    }

    fn lost(&self, written: bool, error: &RedisError, doubt: Option<&str>) -> Error {
        let why = trouble::cause(error);
        match doubt {
            Some(doubt) if written => trouble::unknown(&self.address, why, doubt),
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
        let not_written = |error| Failure::Lost(false, error);
        set_timeouts(&live.connection, until, longest).map_err(not_written)?;
        live.connection.send_packed_command(&packed).map_err(not_written)?;
        let mut values = Vec::with_capacity(request.replies);
        for n in 0..greetings + request.replies {
            set_timeouts(&live.connection, until, longest).map_err(|error| Failure::Lost(true, error))?;
            let value = live.connection.recv_response().map_err(|error| Failure::Lost(true, error))?;
            if n < greetings {
                if let Some(error) = trouble::error_of(&value) {
                    return Err(Failure::Refused(error));
                }
                live.greeted = true;
                continue;
            }
            if let Some(failure) = trouble::error_of(&value).and_then(|error| diversion(&live.node, error)) {
                return Err(failure);
            }
            values.push(value);
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

/// Writes what a fresh connection must hear first, and returns how many replies that brings.
fn greet(address: &Address, packed: &mut Vec<u8>) -> usize {
    let mut replies = authenticate(address, packed);
    if address.database != 0 {
        redis::cmd("SELECT").arg(address.database).write_packed_command(packed);
        replies += 1;
    }
    replies
}

fn authenticate(address: &Address, packed: &mut Vec<u8>) -> usize {
    let Some(password) = &address.password else { return 0 };
    redis::cmd("AUTH").arg(address.user.as_deref()).arg(password).write_packed_command(packed);
    1
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
