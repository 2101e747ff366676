//! Everything in the store as parcels, out and in. It knows the tables, not why they move.

use rusqlite::{Row, params};

use super::desk::Desk;
use super::due::unsigned;
use super::entry::{self, Entry, Stage};
use super::fail::{Res, refuse};
use super::names;
use super::presence::Presence;
use super::{broadcasts, hist};
use crate::error::{Error, Kind};
use crate::model::{AgentName, Broadcast, MessageId, Millis, Standing};
use crate::store::{Holder, Parcel, ParcelPage, Record, Stats};

/// How many rows a page holds.
const PAGE: i64 = 200;

/// The parts of an export, in order; a page's `next` is a part's name, a colon, and the last row shown.
const PARTS: [&str; 6] = ["mailboxes", "names", "mail", "broadcasts", "keys", "counters"];

/// A page of everything.
pub(super) fn page(desk: &Desk<'_>, page: Option<&str>) -> Res<ParcelPage> {
    let (part, last) = page.unwrap_or("mailboxes:").split_once(':').unwrap_or_default();
    let Some(place) = PARTS.iter().position(|known| *known == part) else {
        return refuse(Error::new(Kind::Usage, "that is no page of an export").hint("start the export anew"));
    };
    let after = last.parse().unwrap_or(i64::MIN);
    let (parcels, last) = match part {
        "mailboxes" => mailboxes(desk, after)?,
        "names" => all_names(desk)?,
        "mail" => mail(desk, after)?,
        "broadcasts" => all_broadcasts(desk, after)?,
        "keys" => keys(desk, after)?,
        _ => (vec![counters(desk)], None),
    };
    let next = match last {
        Some(last) => Some(format!("{part}:{last}")),
        None => PARTS.get(place + 1).map(|part| format!("{part}:")),
    };
    Ok(ParcelPage { parcels, next })
}
