//! Waiting for mail, broadcasts or events by a blocking read on a connection of its own. It knows no message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::Value;

use super::Valkey;
use super::link::{Link, Request};
use super::reply::Row;
use super::script;
use super::trouble;
use super::verb::Verb;
use crate::error::Result;
use crate::model::AgentName;
use crate::store::{Scope, Waiter};

/// How long one blocking read lasts: after it the waiter looks whether its streams are still the right ones.
const SLICE: Duration = Duration::from_secs(10);

/// A waiter with its own connection.
pub(super) struct StreamWaiter {
    store: Valkey,
    name: Option<AgentName>,
    /// The streams that tell, each with the last id seen in it.
    places: Vec<(String, String)>,
    /// Whether the streams may be others by now.
    doubtful: bool,
}

/// A waiter for changes from now on.
pub(super) fn waiter(store: &Valkey, scope: &Scope) -> Result<Box<dyn Waiter>> {
    let name = match scope {
        Scope::Mail(name) => Some(name.clone()),
        Scope::Events => None,
    };
    let link = Link::new(Arc::clone(&store.address), store.limits);
    let mut waiter = StreamWaiter { store: store.on(link), name, places: Vec::new(), doubtful: false };
    waiter.places = waiter.look()?;
    Ok(Box::new(waiter))
}

impl StreamWaiter {
    /// The streams that tell of what is waited for, and where they end now.
    fn look(&self) -> Result<Vec<(String, String)>> {
        let verb = Verb::plain(&self.store, &script::WAKE, None).maybe(self.name.as_ref());
        let mut row = verb.row()?;
        let mut places = Vec::new();
        while !row.is_empty() {
            places.push((row.text()?, row.text()?));
        }
        Ok(places)
    }

    /// One blocking read; whether something happened.
    fn read(&mut self, longest: Duration) -> Result<bool> {
        let mut read = redis::cmd("XREAD");
        // Zero would block for good.
        read.arg("COUNT").arg(1).arg("BLOCK").arg(longest.as_millis().max(1).to_string()).arg("STREAMS");
        for (stream, _) in &self.places {
            read.arg(stream);
        }
        for (_, last) in &self.places {
            read.arg(last);
        }
        let packed = read.get_packed_command();
        let request = Request { packed: &packed, replies: 1, doubt: None, patience: longest };
        let replies = self.store.ask(&request)?;
        let answer = replies.into_iter().next().unwrap_or(Value::Nil);
        if let Some(error) = trouble::error_of(&answer) {
            return Err(trouble::refused(&self.store.address, &error));
        }
        if answer == Value::Nil {
            return Ok(false);
        }
        self.note(Row::of(answer)?)?;
        Ok(true)
    }

    /// Notes where the streams of an answer end.
    fn note(&mut self, mut answer: Row) -> Result<()> {
        while !answer.is_empty() {
            let mut entry = answer.row()?;
            let stream = entry.text()?;
            for mut item in entry.rows()? {
                let id = item.text()?;
                if let Some(place) = self.places.iter_mut().find(|(known, _)| *known == stream) {
                    place.1 = id;
                }
            }
        }
        Ok(())
    }
}

impl Waiter for StreamWaiter {
    fn wait(&mut self, until: Instant) -> Result<()> {
        loop {
            if self.doubtful {
                let places = self.look()?;
                self.doubtful = false;
                // Other streams, or streams that went on meanwhile: something may have changed.
                if places != self.places {
                    self.places = places;
                    return Ok(());
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let happened = self.read(left.min(SLICE))?;
            self.doubtful = true;
            if happened {
                return Ok(());
            }
        }
    }
}
