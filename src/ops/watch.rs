//! Events as they happen.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Ctx;
use crate::error::Result;
use crate::model::{Cursor, Event};
use crate::store::{Scope, Waiter};

/// Events handed out at once at most.
pub const EVENTS_LIMIT: u32 = 500;

/// Events after a cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchResponse {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Where to go on.
    pub cursor: Cursor,
    /// True when what came right after the given cursor is no longer known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// The events there are after a cursor, without waiting: the oldest 500. Fewer than that means that there are no more now.
pub fn events(ctx: &Ctx<'_>, after: Option<&Cursor>) -> Result<WatchResponse> {
    let page = ctx.step(|step| ctx.store.events(step, after, EVENTS_LIMIT))?;
    Ok(WatchResponse { events: page.events, cursor: page.cursor, reset: page.reset })
}

/// A watcher that keeps its place and its connection between calls.
pub struct Watcher {
    waiter: Box<dyn Waiter>,
    cursor: Option<Cursor>,
}

impl Watcher {
    /// A watcher behind `after`, or behind the newest event.
    pub fn new(ctx: &Ctx<'_>, after: Option<Cursor>) -> Result<Watcher> {
        let waiter = ctx.store.waiter(&Scope::Events)?;
        Ok(Watcher { waiter, cursor: after })
    }

    /// The place in the stream; `None` before the first call of `next` on a watcher without a start.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// The next events; an empty list when `until` passes first. Complete from the cursor on, or `reset`.
    pub fn next(&mut self, ctx: &Ctx<'_>, until: Instant) -> Result<WatchResponse> {
        loop {
            let page = events(ctx, self.cursor.as_ref())?;
            self.cursor = Some(page.cursor.clone());
            if !page.events.is_empty() || page.reset || ctx.machine.instant() >= until {
                return Ok(page);
            }
            self.waiter.wait(until.min(ctx.machine.instant() + super::LOOK))?;
        }
    }
}
