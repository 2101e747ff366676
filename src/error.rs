//! The one error type: a kind that decides exit code and HTTP status, what was being done and why
//! it failed, and what to do next. It knows no front end and no store.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// A result of postino.
pub type Result<T> = std::result::Result<T, Error>;

/// What sort of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A bad argument, name, body or setting.
    Usage,
    /// What was asked for does not exist.
    NotFound,
    /// The wait ended without a result, or there is nothing.
    TimedOut,
    /// The mailbox is full.
    Full,
    /// The idempotency key was used for something else, or two changes contradict each other.
    Conflict,
    /// The receipt belongs to a delivery that is over.
    Stale,
    /// A live session holds the name.
    NameHeld,
    /// This session held the name and lost it to another one.
    NameLost,
    /// The store is being moved, or has moved; see the hint.
    Moving,
    /// Not allowed to.
    Denied,
    /// The store did not answer, or its answer was lost.
    Unreachable,
    /// Anything else.
    Other,
}

impl Kind {
    /// The exit code of a command that fails so (SPEC §4).
    pub fn exit_code(self) -> u8 {
        self.codes().0
    }

    /// The HTTP status of a request that fails so (SPEC §7).
    pub fn status(self) -> u16 {
        self.codes().1
    }

    /// The exit code and the HTTP status, side by side so that they cannot drift apart.
    fn codes(self) -> (u8, u16) {
        match self {
            Kind::Usage => (2, 400),
            Kind::NotFound => (3, 404),
            Kind::TimedOut => (4, 404),
            Kind::Full => (5, 429),
            Kind::Conflict | Kind::Stale | Kind::NameHeld | Kind::NameLost | Kind::Moving => (5, 409),
            Kind::Denied => (6, 403),
            Kind::Unreachable => (7, 503),
            Kind::Other => (1, 500),
        }
    }

    /// The kind as it stands in JSON errors.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Usage => "usage",
            Kind::NotFound => "notFound",
            Kind::TimedOut => "timedOut",
            Kind::Full => "full",
            Kind::Conflict => "conflict",
            Kind::Stale => "stale",
            Kind::NameHeld => "nameHeld",
            Kind::NameLost => "nameLost",
            Kind::Moving => "moving",
            Kind::Denied => "denied",
            Kind::Unreachable => "unreachable",
            Kind::Other => "other",
        }
    }
}

/// A failure: what was being done and why it failed, in lower case, and what to do next.
#[derive(Debug)]
pub struct Error {
    /// What sort of failure it is.
    pub kind: Kind,
    /// What was being done and why it failed; no secrets, no library's own words.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The detail for a log; never shown to a user unasked.
    pub source: Option<anyhow::Error>,
}

impl Error {
    /// A failure without hint or source.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), hint: None, source: None }
    }

    /// The same failure, saying what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure, keeping its cause for a log.
    pub fn because(mut self, source: impl Into<anyhow::Error>) -> Error {
        self.source = Some(source.into());
        self
    }
}

/// A failure as it stands in JSON, the same on stderr and over HTTP (SPEC §7): its source stays out.
#[derive(Debug, Serialize)]
pub struct Failure<'a> {
    ok: bool,
    error: Reason<'a>,
}

#[derive(Debug, Serialize)]
struct Reason<'a> {
    kind: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Failure<'a> {
    /// An error, with what is wrong about single fields of a request where that is known.
    pub fn of(error: &'a Error, fields: &'a BTreeMap<String, String>) -> Failure<'a> {
        let Error { kind, message, hint, source: _ } = error;
        let fields = Some(fields).filter(|fields| !fields.is_empty());
        Failure { ok: false, error: Reason { kind: kind.as_str(), message, hint: hint.as_deref(), fields } }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
