//! How the server does: what it is, what "accepted" means on it, whether it may evict, how its clock differs.

use std::time::Duration;

use redis::Value;

use super::Valkey;
use super::reply;
use super::request::Request;
use super::trouble;
use crate::error::Result;
use crate::model::Millis;
use crate::store::{Durability, Health};

/// Asks in one trip. What this user may not ask is left unknown.
pub(super) fn health(store: &Valkey, now: Millis) -> Result<Health> {
    let mut packed = Vec::new();
    // The first command names a key, so that a cluster answers from the node that holds it.
    redis::cmd("EVAL").arg("return redis.call('TIME')").arg(1).arg(&store.meta_key).write_packed_command(&mut packed);
    redis::cmd("INFO").write_packed_command(&mut packed);
    for setting in ["appendonly", "appendfsync", "maxmemory-policy", "maxmemory"] {
        redis::cmd("CONFIG").arg("GET").arg(setting).write_packed_command(&mut packed);
    }
    let request = Request::looking(&packed, 6, Duration::ZERO);
    let replies = store.ask(&request)?.values;
    if let Some(error) = replies.first().and_then(trouble::error_of) {
        return Err(trouble::refused(&store.address, &error));
    }
    Ok(read(replies, now))
}

/// Reads the answers: the time, INFO, and the settings in the order that they were asked for.
pub(super) fn read(replies: Vec<Value>, now: Millis) -> Health {
    let mut replies = replies.into_iter();
    let time = replies.next().unwrap_or(Value::Nil);
    let info = replies.next().and_then(|value| reply::text(value).ok().flatten()).unwrap_or_default();
    let mut settings = replies.map(setting);
    let mut next = || settings.next().flatten();
    let (appendonly, appendfsync, policy, maxmemory) = (next(), next(), next(), next());
    let policy = policy.or_else(|| told(&info, "maxmemory_policy"));
    let maxmemory = maxmemory.or_else(|| told(&info, "maxmemory"));
    let may_evict = maxmemory.as_deref() != Some("0");
    Health {
        server: server(&info),
        durability: durability(appendonly.as_deref(), appendfsync.as_deref()),
        eviction: policy.filter(|policy| may_evict && policy != "noeviction"),
        clock_skew_ms: milliseconds(time).map_or(0, |time| time.saturating_sub(now.0)),
    }
}

/// The value in an answer of CONFIG GET; nothing when it was refused.
fn setting(answer: Value) -> Option<String> {
    let texts: Vec<String> = redis::from_redis_value(answer).ok()?;
    texts.into_iter().nth(1)
}

/// What INFO says of something.
fn told(info: &str, what: &str) -> Option<String> {
    info.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':')).map(|value| value.trim().to_owned())
}

fn server(info: &str) -> String {
    match (told(info, "valkey_version"), told(info, "redis_version")) {
        (Some(version), _) => format!("valkey {version}"),
        (None, Some(version)) => format!("redis {version}"),
        (None, None) => "redis or valkey of unknown version".to_owned(),
    }
}

fn durability(appendonly: Option<&str>, appendfsync: Option<&str>) -> Durability {
    match (appendonly, appendfsync) {
        (Some("yes"), Some("always")) => Durability::Always,
        (Some("yes"), Some("everysec")) => Durability::Everysec,
        (Some(_), Some(_)) => Durability::None,
        (_, None) | (None, _) => Durability::Unknown,
    }
}

fn milliseconds(time: Value) -> Option<i64> {
    let (seconds, micros): (i64, i64) = redis::from_redis_value(time).ok()?;
    seconds.checked_mul(1_000)?.checked_add(micros / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_with_their_version() {
        assert_eq!(server("# Server\r\nredis_version:7.0.15\r\n"), "redis 7.0.15");
        assert_eq!(server("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n"), "valkey 8.0.1");
    }

    #[test]
    fn a_clock_that_cannot_be_is_no_clock() {
        let time = |seconds: i64| Value::Array(vec![Value::Int(seconds), Value::Int(5_000)]);
        assert_eq!(milliseconds(time(7)), Some(7_005));
        assert_eq!(milliseconds(time(i64::MAX)), None);
        assert_eq!(read(vec![time(i64::MIN / 1_000)], Millis(i64::MAX)).clock_skew_ms, i64::MIN);
    }

    #[test]
    fn durability_is_what_the_server_syncs() {
        assert_eq!(durability(Some("no"), Some("everysec")), Durability::None);
        assert_eq!(durability(Some("yes"), Some("everysec")), Durability::Everysec);
        assert_eq!(durability(Some("yes"), Some("always")), Durability::Always);
        assert_eq!(durability(Some("yes"), Some("no")), Durability::None);
        assert_eq!(durability(None, None), Durability::Unknown);
    }
}
