//! What can go wrong on the way to a server and in it, in postino's own words. It opens and sends nothing.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use redis::{RedisError, Value};

use super::address::Address;
use crate::error::{Error, Kind};

/// The server did not answer, for this reason.
pub(super) fn unreachable(address: &Address, why: &str) -> Error {
    Error::new(Kind::Unreachable, format!("cannot reach Valkey at {}: {why}", address.shown))
        .hint("start it, or point POSTINO_VALKEY_URL somewhere else; `postino store` shows what is in use")
}

/// The request was written and its answer was lost; `doubt` says what may or may not have happened.
pub(super) fn unknown(address: &Address, why: &str, doubt: &str, harmless: bool) -> Error {
    let message = format!("lost Valkey at {}: {why}; the outcome is unknown: {doubt}", address.shown);
    Error::new(Kind::Unreachable, message).hint(before_repeating(harmless))
}

/// A failure that does not tell what came of an earlier try.
pub(super) fn in_doubt(error: Error, doubt: &str, harmless: bool) -> Error {
    let message = format!("{}; an earlier try was lost, so the outcome is unknown: {doubt}", error.message);
    Error { kind: Kind::Unreachable, message, ..error }.hint(before_repeating(harmless))
}

fn before_repeating(harmless: bool) -> &'static str {
    if harmless {
        "try again in the same words: to repeat it does no harm"
    } else {
        "look with `postino history` before you repeat it; a send or broadcast may be repeated with the same --key"
    }
}

/// What the system's kinds of failure mean here.
const CAUSES: [(io::ErrorKind, &str); 12] = [
    (io::ErrorKind::ConnectionRefused, "connection refused"),
    (io::ErrorKind::NotFound, "there is no such socket"),
    (io::ErrorKind::PermissionDenied, "permission denied"),
    (io::ErrorKind::TimedOut, "no answer in time"),
    (io::ErrorKind::WouldBlock, "no answer in time"),
    (io::ErrorKind::HostUnreachable, "the network does not lead there"),
    (io::ErrorKind::NetworkUnreachable, "the network does not lead there"),
    (io::ErrorKind::ConnectionReset, "the connection was lost"),
    (io::ErrorKind::ConnectionAborted, "the connection was lost"),
    (io::ErrorKind::BrokenPipe, "the connection was lost"),
    (io::ErrorKind::NotConnected, "the connection was lost"),
    (io::ErrorKind::UnexpectedEof, "the connection was lost"),
];

/// Why a connection failed or was lost.
pub(super) fn cause(error: &RedisError) -> &'static str {
    let Some(error) = io_error(error) else {
        return "its answer was no answer of a Valkey or Redis server";
    };
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls_cause(tls);
    }
    match CAUSES.iter().find(|(kind, _)| *kind == error.kind()) {
        Some((_, words)) => words,
        None if error.to_string().contains("lookup") => "its host name cannot be resolved",
        None => "the connection failed",
    }
}

/// Whether the time for an answer ran out.
pub(super) fn is_timeout(error: &RedisError) -> bool {
    error.is_timeout()
}

fn io_error(error: &RedisError) -> Option<&io::Error> {
    let source = error.source()?;
    let shared = source.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>();
    shared.and_then(|shared| shared.downcast_ref()).or_else(|| source.downcast_ref())
}

fn tls_cause(error: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Certificate;
    let rustls::Error::InvalidCertificate(why) = error else { return "the TLS handshake failed" };
    if matches!(why, Certificate::UnknownIssuer | Certificate::BadSignature) {
        "its certificate is signed by nobody who is trusted here"
    } else if matches!(why, Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) {
        "its certificate is for another name"
    } else if matches!(why, Certificate::Expired | Certificate::ExpiredContext { .. }) {
        "its certificate has expired"
    } else {
        "its certificate is not valid"
    }
}

/// The code that an error begins with. Older servers hide it behind the script's place: `@user_script: 7: -OOM …`.
pub(super) fn code_of(error: &RedisError) -> Option<&str> {
    let code = error.code()?;
    if !code.starts_with('@') {
        return Some(code);
    }
    let hidden = error.detail().and_then(|detail| detail.split_once(": -")).map(|(_, rest)| rest);
    hidden.and_then(|rest| rest.split(' ').next()).or(Some(code))
}

/// What to do when the server does not let postino in.
const CREDENTIALS: &str = "set user and password in POSTINO_VALKEY_URL: redis://user:password@host:port";
/// What to do about what passes by itself.
const SOON: &str = "try again in a moment";

/// What a server's error means: its code, or words in its text; our kind, what to say of the server, what to do.
const REFUSALS: [(&str, Kind, &str, &str); 21] = [
    ("NOAUTH", Kind::Denied, "lets nobody in: the password is wrong or missing", CREDENTIALS),
    ("WRONGPASS", Kind::Denied, "lets nobody in: the password is wrong or missing", CREDENTIALS),
    ("unauthenticated", Kind::Denied, "lets nobody in: the password is wrong or missing", CREDENTIALS),
    ("AUTH", Kind::Denied, "lets nobody in: it asks for no password", CREDENTIALS),
    ("DENIED", Kind::Denied, "lets nobody in: it is in protected mode", CREDENTIALS),
    ("NOPERM", Kind::Denied, "lets nobody in: this user may not run what postino needs", CREDENTIALS),
    ("The user executing", Kind::Denied, "lets nobody in: this user may not run what postino needs", CREDENTIALS),
    ("ACL failure", Kind::Denied, "lets nobody in: this user may not run what postino needs", CREDENTIALS),
    ("DB index", Kind::Usage, "has no such database", "use another number after the last /"),
    ("LOADING", Kind::Unreachable, "is loading its data", SOON),
    ("BUSY", Kind::Unreachable, "is busy with a script", SOON),
    ("UNBLOCKED", Kind::Unreachable, "has another role now", SOON),
    ("CLUSTERDOWN", Kind::Unreachable, "is of a cluster that does not serve postino's slot now", SOON),
    ("TRYAGAIN", Kind::Unreachable, "is of a cluster that is moving postino's slot", SOON),
    ("MASTERDOWN", Kind::Unreachable, "is a replica that lost its primary", SOON),
    ("max number of clients", Kind::Unreachable, "takes no more clients", "raise its maxclients"),
    (
        "READONLY",
        Kind::Unreachable,
        "is a replica that takes no writes",
        "point POSTINO_VALKEY_URL at the primary, or use redis+sentinel:// or redis+cluster://",
    ),
    ("OOM", Kind::Other, "is out of memory; nothing was stored", "raise its maxmemory, or remove what is not needed"),
    ("MISCONF", Kind::Other, "cannot save to disk; nothing was stored", "its log says why"),
    ("NOREPLICAS", Kind::Other, "has too few replicas; nothing was stored", "bring its replicas back"),
    ("", Kind::Other, "refused a step", "`postino doctor` looks for the reason"),
];

/// What the server refused to do.
pub(super) fn refused(address: &Address, error: &RedisError) -> Error {
    let detail = error.detail().unwrap_or_default();
    let code = code_of(error).unwrap_or_default();
    // The code tells before the text does; the last row fits every text.
    let by_code = REFUSALS.iter().find(|(sign, ..)| *sign == code);
    let by_text = || REFUSALS.iter().find(|(sign, ..)| detail.contains(sign));
    let (_, kind, text, hint) = by_code.or_else(by_text).unwrap_or(&REFUSALS[REFUSALS.len() - 1]);
    Error::new(*kind, format!("Valkey at {} {text}", address.shown)).hint(*hint).because(error.clone())
}

/// What to do about a key that something else wrote.
const FOREIGN: &str = "something else wrote it; look at it with redis-cli and remove it";
/// What to do about a move that another one crossed.
const MOVE_AGAIN: &str = "start the move again";

/// What a script's refusal means: its word; our kind, what to say with `{0}` and `{1}` for details, what to do.
const OUR_REFUSALS: [(&str, Kind, &str, &str); 17] = [
    ("wrongtype", Kind::Other, "the key {0} in Valkey is not of the type that postino stores there", FOREIGN),
    ("garbled", Kind::Other, "the entry {1} of the key {0} in Valkey cannot be read", FOREIGN),
    (
        "schema",
        Kind::Other,
        "the store was written by another version of postino (schema {0}, this one knows 1)",
        "install the newest postino",
    ),
    ("moved", Kind::Moving, "the store has moved to {0}", "use --store {0}"),
    ("moving", Kind::Moving, "the store is being moved", SOON),
    ("filling", Kind::Moving, "the store is being filled by a move", SOON),
    (
        "namelost",
        Kind::NameLost,
        "this session does not hold the name {0} any more",
        "another session took it, or it ended; the next prompt gets a free name",
    ),
    ("nameheld", Kind::NameHeld, "a live session holds the name {0}", "say who you are with --agent NAME"),
    ("namekept", Kind::NameHeld, "a live session holds the name {0}", "choose another name, or end that session first"),
    (
        "full",
        Kind::Full,
        "the mailbox of {0} is full: {1} messages wait or are held",
        "try again when {0} has read some",
    ),
    ("conflict", Kind::Conflict, "the key {0} was already used for something else", "use a new key for a new message"),
    ("same", Kind::Conflict, "the name is {0} already", "nothing is to be done"),
    ("twice", Kind::Other, "there is a message {0} already", "try again: the next one gets another id"),
    ("notfound", Kind::NotFound, "the message {0} is not in this mailbox", "begin at the start, or use an offset"),
    ("marklost", Kind::Moving, "the store is not marked for this move", MOVE_AGAIN),
    (
        "occupied",
        Kind::Conflict,
        "the store to move to is not empty",
        "use another address, database or POSTINO_KEY_PREFIX",
    ),
    ("notfilling", Kind::Conflict, "the store is not open for this move's parcels", MOVE_AGAIN),
];

/// A script's refusal: its word and details.
pub(super) fn refusal(word: &str, details: &[String]) -> Error {
    let detail = |n: usize| details.get(n).map_or("", String::as_str);
    let filled = |text: &str| text.replace("{0}", detail(0)).replace("{1}", detail(1));
    match OUR_REFUSALS.iter().find(|(known, ..)| *known == word) {
        Some((_, kind, text, hint)) => Error::new(*kind, filled(text)).hint(filled(hint)),
        None => Error::new(Kind::Other, "the store refused a step").hint("`postino doctor` looks for the reason"),
    }
}

/// The error inside a reply, if it is one.
pub(super) fn error_of(value: &Value) -> Option<RedisError> {
    if let Value::ServerError(error) = value { Some(error.clone().into()) } else { None }
}
