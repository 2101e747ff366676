//! Checks of the store: whether it answers, what it promises, and what waits in it.

use std::path::PathBuf;

use super::{Exam, Finding, Patient, quoted};
use crate::choice::By;
use crate::error::{Error, Kind};
use crate::ops::{self, DeadRequest};
use crate::store::address::Address;
use crate::store::{Durability, Phase};

/// A store that takes this long answers no hook in time, in milliseconds.
const TOO_SLOW: f64 = 200.0;
/// A store that takes this long can be felt, in milliseconds.
const SLOW: f64 = 50.0;
/// Clocks may differ by this much, in milliseconds.
const SKEW: i64 = 2_000;
/// A write-ahead log this long slows every opener down, in bytes.
const LONG_LOG: u64 = 16 << 20;

/// The store answers, in time for hooks.
pub(super) fn reachable(patient: &Patient<'_>) -> Exam {
    let health = patient.asked().as_ref().map_err(|error| unreachable(patient, error))?;
    let chosen = patient.app.chosen().map_err(|error| Finding::failed(&error))?;
    let what =
        format!("{} at {}, {:.1} ms ({})", health.store.server, chosen.address, health.latency_ms, chosen.reason);
    let mend = "postino store move URL";
    Ok(match health.latency_ms {
        slow if slow > TOO_SLOW => Finding::broken(format!("{what}: too slow for hooks"), mend),
        slow if slow > SLOW => Finding::warning(what, mend),
        _ => Finding::ok(what),
    })
}

/// A store that does not answer: on this machine it is started, elsewhere one looks whether it can be reached at all.
fn unreachable(patient: &Patient<'_>, error: &Error) -> Finding {
    let address = patient.app.chosen().map(|chosen| chosen.address.to_string()).unwrap_or_default();
    let port = ["redis://127.0.0.1:", "redis://localhost:", "valkey://127.0.0.1:", "valkey://localhost:"];
    let port = port.iter().find_map(|place| address.strip_prefix(place)).and_then(|rest| rest.split('/').next());
    match (error.kind, port) {
        (Kind::Unreachable, Some(port)) => {
            let mend = format!("redis-server --port {port} --appendonly yes --daemonize yes");
            Finding::broken(error.message.clone(), mend)
        }
        (Kind::Unreachable, None) if address.contains("://") => {
            Finding::broken(error.message.clone(), format!("{} ping", redis_cli(patient)))
        }
        (_, _) => Finding::failed(error),
    }
}

/// What "accepted" means.
pub(super) fn durability(patient: &Patient<'_>) -> Exam {
    let cli = redis_cli(patient);
    Ok(match patient.health()?.store.durability {
        Durability::Fsync | Durability::Always => Finding::ok("accepted means on disk"),
        Durability::Everysec => Finding::ok("accepted means in memory, and on disk within a second"),
        Durability::None => Finding::warning(
            "accepted means in memory: a crash of the server loses mail",
            format!("{cli} config set appendonly yes"),
        ),
        Durability::Unknown => {
            Finding::warning("the server does not say what accepted means", format!("{cli} config get appendonly"))
        }
    })
}

/// The server drops no mail when memory is short.
pub(super) fn eviction(patient: &Patient<'_>) -> Exam {
    Ok(match &patient.health()?.store.eviction {
        None => Finding::ok("nothing is dropped when memory is short"),
        Some(policy) => Finding::broken(
            format!("the server may drop mail when memory is short: maxmemory-policy is {policy}"),
            format!("{} config set maxmemory-policy noeviction", redis_cli(patient)),
        ),
    })
}

/// A password goes encrypted, or not over a network.
pub(super) fn password(patient: &Patient<'_>) -> Exam {
    let chosen = patient.app.chosen().map_err(|_| Finding::skipped("no store is in use"))?;
    if !chosen.address.sends_password_in_clear() {
        return Ok(Finding::ok("none goes over a network in clear"));
    }
    let what = format!("the password of {} goes over the network in clear", chosen.address);
    let mend = match place(patient) {
        Place::Config(file) => format!(r#"sed -i 's/^\( *valkey_url *= *"[a-z]*\)/\1s/' {}"#, quoted(&file)),
        Place::Variable | Place::Elsewhere => {
            r#"export POSTINO_VALKEY_URL="$(printf %s "$POSTINO_VALKEY_URL" | sed 's/^[a-z]*/&s/')""#.to_owned()
        }
    };
    Ok(Finding::warning(what, mend))
}

/// The store's clock and this one agree: leases and times are told by the store's.
pub(super) fn clock(patient: &Patient<'_>) -> Exam {
    let skew = patient.health()?.store.clock_skew_ms;
    if skew.abs() <= SKEW {
        return Ok(Finding::ok(format!("{skew} ms apart from the store's")));
    }
    let what = format!(
        "the store's clock is {:.1} s {}",
        skew.unsigned_abs() as f64 / 1000.0,
        if skew > 0 { "ahead" } else { "behind" }
    );
    Ok(Finding::warning(what, "sudo timedatectl set-ntp true"))
}

/// The store is not on its way elsewhere.
pub(super) fn moving(patient: &Patient<'_>) -> Exam {
    patient.health()?;
    let store = patient.app.store().map_err(|error| Finding::failed(&error))?;
    Ok(match store.phase(crate::cmd::now()).map_err(|error| Finding::failed(&error))? {
        Phase::Open => Finding::ok("it stays where it is"),
        Phase::Moving(_) => Finding::warning("it is being moved: whoever writes is refused meanwhile", "postino store"),
        Phase::Filling(_) => Finding::broken("a move into it was cut off half way", "postino store move URL"),
        Phase::Moved(_, url) => {
            Finding::broken(format!("it has moved to {url}"), format!("export POSTINO_VALKEY_URL='{url}'"))
        }
    })
}

/// The embedded store's log is short enough to be read by each process that opens it alone.
pub(super) fn log_size(patient: &Patient<'_>) -> Exam {
    let chosen = patient.app.chosen().map_err(|_| Finding::skipped("no store is in use"))?;
    let Address::Embedded(file) = &chosen.address else { return Ok(Finding::skipped("the store is a server")) };
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    let size = std::fs::metadata(log).map_or(0, |meta| meta.len());
    let what = format!("the write-ahead log has {} KB", size >> 10);
    let mend = format!("sqlite3 {} 'PRAGMA wal_checkpoint(TRUNCATE)'", quoted(file));
    Ok(if size > LONG_LOG { Finding::warning(what, mend) } else { Finding::ok(what) })
}

/// The own mailbox has room.
pub(super) fn mailbox(patient: &Patient<'_>) -> Exam {
    patient.health()?;
    let news = patient.app.ctx().and_then(|ctx| ops::check(&ctx)).map_err(|error| Finding::failed(&error))?;
    let most = patient.app.settings.policy.max_inbox;
    let what = format!("{} of at most {most} messages wait for {}", news.unread_messages, news.agent);
    Ok(match news.unread_messages {
        full if full >= most => Finding::broken(format!("{what}: it takes no more"), "postino read --limit 100"),
        many if many >= most - most / 10 => Finding::warning(what, "postino read --limit 100"),
        _ => Finding::ok(what),
    })
}

/// No mail was given up.
pub(super) fn dead_letters(patient: &Patient<'_>) -> Exam {
    patient.health()?;
    let ctx = patient.app.ctx().map_err(|error| Finding::failed(&error))?;
    let all = ops::stats(&ctx).map_err(|error| Finding::failed(&error))?.dead;
    let own = ops::dead_list(&ctx, &DeadRequest::default()).map_err(|error| Finding::failed(&error))?.items.len();
    Ok(match (own, all) {
        (0, 0) => Finding::ok("none"),
        (0, all) => Finding::ok(format!("{all}, none of them {}'s", ctx.actor.name)),
        (own, _) => Finding::warning(format!("{own} for {}", ctx.actor.name), "postino dead list"),
    })
}

/// Mail arrives: a throw-away agent writes to itself.
pub(super) fn delivery(patient: &Patient<'_>) -> Exam {
    patient.health()?;
    let proven = patient.app.ctx().and_then(|ctx| ops::prove(&ctx));
    Ok(match proven {
        Ok(()) => Finding::ok("a message was sent, announced, read and acknowledged"),
        Err(error) if error.kind == Kind::Moving => Finding::skipped("the store is being moved"),
        Err(error) => Finding::failed(&error),
    })
}

/// Where the store's address stands.
enum Place {
    Variable,
    Config(PathBuf),
    Elsewhere,
}

fn place(patient: &Patient<'_>) -> Place {
    let settings = &patient.app.settings;
    let is_set = patient.app.chosen().is_ok_and(|chosen| {
        settings.store.as_ref().is_some_and(|(url, _)| chosen.by == By::Setting && chosen.address.secret() == *url)
    });
    match patient.app.variable("POSTINO_VALKEY_URL") {
        Some(_) if is_set => Place::Variable,
        None if is_set => Place::Config(settings.dirs.config.join("config.toml")),
        Some(_) | None => Place::Elsewhere,
    }
}

/// How one talks to the server by hand. A password is not shown: the shell is told where it stands.
fn redis_cli(patient: &Patient<'_>) -> String {
    let Ok(chosen) = patient.app.chosen() else { return "redis-cli".to_owned() };
    let shown = chosen.address.to_string();
    match place(patient) {
        Place::Variable if chosen.address.secret() != shown => r#"redis-cli -u "$POSTINO_VALKEY_URL""#.to_owned(),
        Place::Config(file) if chosen.address.secret() != shown => {
            format!(r#"redis-cli -u "$(sed -n 's/^ *valkey_url *= *"\(.*\)".*/\1/p' {})""#, quoted(&file))
        }
        Place::Variable | Place::Config(_) | Place::Elsewhere => format!("redis-cli -u '{shown}'"),
    }
}
