//! The verbs of a move: marking, reading everything out, filling. It knows no rule that a script keeps.

use std::time::Duration;

use super::Valkey;
use super::parcels;
use super::reply;
use super::script;
use super::verb::Verb;
use crate::error::{Error, Kind, Result};
use crate::model::Millis;
use crate::store::{Census, MoveToken, Parcel, ParcelPage, Phase};

/// The sorts of an export, in their order.
const SORTS: [&str; 7] = ["mailboxes", "names", "mail", "announcements", "notices", "keys", "counters"];
/// How many parcels one script takes in.
const PARCELS: usize = 100;

fn moving<'a>(store: &'a Valkey, now: Option<Millis>, what: &str, token: &str) -> Verb<'a> {
    Verb::plain(store, &script::MOVING, now).arg(what).arg(token)
}

pub(super) fn phase(store: &Valkey, now: Millis) -> Result<Phase> {
    let mut row = moving(store, Some(now), "phase", "").row()?;
    let (phase, token, url) = (row.text()?, row.maybe_text()?, row.maybe_text()?);
    let token = MoveToken(token.unwrap_or_default());
    match phase.as_str() {
        "open" => Ok(Phase::Open),
        "moving" => Ok(Phase::Moving(token)),
        "filling" => Ok(Phase::Filling(token)),
        "moved" => Ok(Phase::Moved(token, url.unwrap_or_default())),
        _ => Err(reply::strange("its phase is not known")),
    }
}

pub(super) fn mark(store: &Valkey, now: Millis, token: &MoveToken, hold: Duration) -> Result<()> {
    moving(store, Some(now), "mark", &token.0).span(hold).run().map(drop)
}

pub(super) fn unmark(store: &Valkey, token: &MoveToken) -> Result<()> {
    moving(store, None, "unmark", &token.0).run().map(drop)
}

pub(super) fn done(store: &Valkey, now: Millis, token: &MoveToken, url: &str) -> Result<()> {
    moving(store, Some(now), "done", &token.0).arg(url).run().map(drop)
}

pub(super) fn fill_start(store: &Valkey, token: &MoveToken) -> Result<()> {
    moving(store, None, "fill_start", &token.0).run()?;
    let mut place = "0".to_owned();
    loop {
        let verb = Verb::plain(store, &script::WIPE, None).arg(token.0.as_str()).arg(place.as_str());
        place = reply::text(verb.arg(pattern(&store.meta_key)).run()?)?.unwrap_or_default();
        if place == "0" {
            return Ok(());
        }
    }
}

/// A pattern for every key beside `meta`, with what is special in patterns escaped.
fn pattern(meta_key: &str) -> String {
    let mut pattern = String::new();
    for c in meta_key.strip_suffix("meta").unwrap_or_default().chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "*"
}

pub(super) fn fill_done(store: &Valkey, token: &MoveToken) -> Result<()> {
    moving(store, None, "fill_done", &token.0).run().map(drop)
}

/// Counts what an export carries, so that both sides of a move count the same.
pub(super) fn census(store: &Valkey) -> Result<Census> {
    let mut row = Verb::plain(store, &script::CENSUS, None).row()?;
    let mut census = Census { names: row.number()?, keys: row.number()?, ..Census::default() };
    for sort in ["mail", "announcements", "notices"] {
        let mut place = Some(start_of(sort).to_owned());
        while let Some(after) = place {
            let (parcels, next) = page(store, sort, &after, true)?;
            let count = u64::try_from(parcels.len()).unwrap_or(u64::MAX);
            if sort == "mail" {
                census.messages += count
            } else {
                census.broadcasts += count
            }
            place = next;
        }
    }
    Ok(census)
}

pub(super) fn export(store: &Valkey, from: Option<&str>) -> Result<ParcelPage> {
    let (sort, after) = from.and_then(|page| page.split_once(' ')).unwrap_or((SORTS[0], start_of(SORTS[0])));
    let Some(index) = SORTS.iter().position(|known| *known == sort) else {
        return Err(Error::new(Kind::Usage, format!("{sort:?} is no page of an export")));
    };
    let (parcels, next) = page(store, sort, after, false)?;
    let next = match next {
        Some(place) => Some(format!("{sort} {place}")),
        None => SORTS.get(index + 1).map(|next| format!("{next} {}", start_of(next))),
    };
    Ok(ParcelPage { parcels, next })
}

/// A page of one sort, without what cannot be read, and the place to go on behind.
fn page(store: &Valkey, sort: &str, after: &str, counts: bool) -> Result<(Vec<Parcel>, Option<String>)> {
    let verb = Verb::plain(store, &script::EXPORT, None).arg(sort).arg(after);
    let mut row = verb.arg(if counts { "1" } else { "" }).row()?;
    let parcels = row.rows()?.into_iter().filter_map(|row| parcels::read(sort, row).ok()).collect();
    Ok((parcels, row.maybe_text()?))
}

/// The place before the first entry of a sort.
fn start_of(sort: &str) -> &'static str {
    match sort {
        "names" => "",
        "mail" | "announcements" | "notices" => "-inf",
        _ => "0",
    }
}

pub(super) fn fill(store: &Valkey, token: &MoveToken, parcels: &[Parcel]) -> Result<()> {
    // Also without parcels the token is judged.
    for chunk in parcels.chunks(PARCELS).chain(parcels.is_empty().then_some(parcels)) {
        let mut verb = Verb::plain(store, &script::FILL, None).arg(token.0.as_str());
        for parcel in chunk {
            let (sort, values) = parcels::packed(parcel);
            verb = verb.arg(sort).number(values.len());
            verb = values.into_iter().fold(verb, Verb::arg);
        }
        verb.run()?;
    }
    Ok(())
}
