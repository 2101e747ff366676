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
pub(super) fn unknown(address: &Address, why: &str, doubt: &str) -> Error {
    let message = format!("lost Valkey at {}: {why}; the outcome is unknown: {doubt}", address.shown);
    Error::new(Kind::Unreachable, message).hint(
        "look with `postino history` before you repeat it; a send or broadcast may be repeated with the same --key",
    )
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

/// What the server refused to do, by the code that its error begins with.
pub(super) fn refused(address: &Address, error: &RedisError) -> Error {
    let detail = error.detail().unwrap_or_default();
    let code = code_of(error).unwrap_or_default();
    let at = &address.shown;
    let say = |kind, text: String, hint: &str| Error::new(kind, text).hint(hint);
    let answer = match code {
        "NOAUTH" | "WRONGPASS" => denied(address, "the password is wrong or missing"),
        "NOPERM" => denied(address, "this user may not run what postino needs"),
        _ if detail.contains("The user executing the script") || detail.contains("NOPERM") => {
            denied(address, "this user may not run what postino needs")
        }
        "LOADING" => say(Kind::Unreachable, format!("Valkey at {at} is loading its data"), "try again in a moment"),
        "READONLY" => say(
            Kind::Unreachable,
            format!("Valkey at {at} is a replica that takes no writes"),
            "point POSTINO_VALKEY_URL at the primary, or use redis+sentinel:// or redis+cluster://",
        ),
        "CLUSTERDOWN" | "TRYAGAIN" => say(
            Kind::Unreachable,
            format!("the cluster of {at} does not serve postino's slot now"),
            "try again in a moment; `redis-cli cluster info` shows its state",
        ),
        "MASTERDOWN" => say(
            Kind::Unreachable,
            format!("Valkey at {at} is a replica that lost its primary"),
            "try again when the primary is back or another one is promoted",
        ),
        "OOM" => say(
            Kind::Other,
            format!("Valkey at {at} is out of memory; nothing was stored"),
            "raise its maxmemory, or remove what is not needed",
        ),
        "MISCONF" | "NOREPLICAS" => say(
            Kind::Other,
            format!("Valkey at {at} takes no writes now; nothing was stored"),
            "it cannot save to disk or lacks replicas; its log says which",
        ),
        "BUSY" => say(Kind::Unreachable, format!("Valkey at {at} is busy with a script"), "try again in a moment"),
        _ if code == "ERR" && detail.contains("unauthenticated") => denied(address, "the password is wrong or missing"),
        _ if code == "ERR" && detail.contains("AUTH") => denied(address, "it asks for no password"),
        _ if code == "ERR" && (detail.contains("DB index") || detail.contains("SELECT")) => {
            say(Kind::Usage, format!("Valkey at {at} has no such database"), "use another number after the last /")
        }
        _ => say(Kind::Other, format!("Valkey at {at} refused a step"), "`postino doctor` looks for the reason"),
    };
    answer.because(error.clone())
}

fn denied(address: &Address, why: &str) -> Error {
    Error::new(Kind::Denied, format!("Valkey at {} lets nobody in: {why}", address.shown))
        .hint("set user and password in POSTINO_VALKEY_URL: redis://user:password@host:port")
}

/// A script's refusal: its kind and details.
pub(super) fn refusal(kind: &str, details: &[String]) -> Error {
    let first = details.first().map_or("", String::as_str);
    let say = |kind, text: String, hint: &str| Error::new(kind, text).hint(hint);
    match kind {
        "wrongtype" => say(
            Kind::Other,
            format!("the key {first} in Valkey is not of the type that postino stores there"),
            "something else wrote it; look at it with redis-cli and remove it",
        ),
        "garbled" => {
            let second = details.get(1).map_or("", String::as_str);
            say(
                Kind::Other,
                format!("the entry {second:?} of the key {first} in Valkey cannot be read"),
                "something else wrote it; look at it with redis-cli and remove it",
            )
        }
        "schema" => say(
            Kind::Other,
            format!("the store was written by another version of postino (schema {first}, this one knows 1)"),
            "install the newest postino",
        ),
        "moved" => say(Kind::Moving, "the store has moved".to_owned(), &format!("it is at {first} now")),
        "moving" => say(Kind::Moving, "the store is being moved".to_owned(), "try again in a moment"),
        "filling" => say(Kind::Moving, "the store is being filled by a move".to_owned(), "try again in a moment"),
        "namelost" => say(
            Kind::NameLost,
            format!("another session holds the name {first} now"),
            "`postino whoami` shows this session's name",
        ),
        "nameheld" => say(Kind::NameHeld, format!("a live session holds the name {first}"), "use --agent NAME"),
        "full" => say(
            Kind::Full,
            format!("the mailbox is full: {first} messages wait or are held there"),
            "try again when some of them were read",
        ),
        "conflict" => say(
            Kind::Conflict,
            format!("the key {first:?} was used for something else"),
            "use another --key, or repeat exactly what it was used for",
        ),
        "same" => say(Kind::Conflict, format!("the name is {first} already"), "`postino whoami` shows it"),
        "notfound" => say(Kind::NotFound, format!("there is no message {first} here"), "`postino history` lists them"),
        "marklost" => say(Kind::Moving, "the store is not marked for this move".to_owned(), "start the move again"),
        "occupied" => say(
            Kind::Conflict,
            "the store to move to is not empty".to_owned(),
            "use another address, database or POSTINO_KEY_PREFIX",
        ),
        "notfilling" => {
            say(Kind::Conflict, "the store is not open for this move's parcels".to_owned(), "start the move again")
        }
        _ => Error::new(Kind::Other, format!("the store refused a step: {kind}")).hint("run `postino doctor`"),
    }
}

/// The error inside a reply, if it is one.
pub(super) fn error_of(value: &Value) -> Option<RedisError> {
    if let Value::ServerError(error) = value { Some(error.clone().into()) } else { None }
}
