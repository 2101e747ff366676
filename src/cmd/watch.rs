//! `postino watch`.

use std::time::{Duration, Instant};

use serde_json::json;

use super::app::App;
use super::pause::Pause;
use super::{Outcome, call, open, text};
use crate::error::Error;
use crate::model::{AgentName, Cursor, Event, EventType};
use crate::ops::{WatchResponse, Watcher};
use crate::output::{Output, Stop, Style};

/// How long one wait for events lasts at most.
const WAIT: Duration = Duration::from_secs(3_600);

const EXAMPLES: &str = "\
Examples:
  postino watch
  postino watch --json | jq -r 'select(.type == \"message.sent\") | .to'
  postino watch --json --after 5f0c21aa-1042";

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Begin after this event, instead of now
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
}

/// Prints events as they happen, until it is interrupted or nobody reads. An outage of the store leaves no gap.
pub fn run(app: &mut App, out: &Output, args: Args) -> Outcome {
    app.waiting();
    out.end_when_closed();
    // The first look does not wait: from here on the place in the stream is known.
    let (mut watcher, first) = call(app, out, |ctx| {
        let mut watcher = Watcher::new(ctx, args.after.clone())?;
        let first = watcher.next(ctx, Instant::now())?;
        Ok((watcher, first))
    })?;
    print(out, &first)?;
    let mut pause = Pause::new();
    loop {
        let page = open(app, out).and_then(|ctx| watcher.next(&ctx, Instant::now() + WAIT));
        match page {
            Ok(page) => {
                pause.reset();
                print(out, &page)?;
            }
            Err(error) => watcher = again(app, out, &mut pause, &watcher, error)?,
        }
    }
}

/// A new watcher at the old one's place, once the store is back; in the new store when it has moved.
fn again(
    app: &mut App,
    out: &Output,
    pause: &mut Pause,
    watcher: &Watcher,
    mut error: Error,
) -> Result<Watcher, Error> {
    loop {
        pause.outlive(app, error, None, out)?;
        match open(app, out).and_then(|ctx| Watcher::new(&ctx, watcher.cursor().cloned())) {
            Ok(watcher) => return Ok(watcher),
            Err(again) => error = again,
        }
    }
}

fn print(out: &Output, page: &WatchResponse) -> Result<(), Stop> {
    if page.reset {
        // The place to go on from if this line is the last that gets through: before the first event told.
        let number = page.events.first().map_or(page.cursor.number, |event| event.cursor.number.saturating_sub(1));
        let cursor = Cursor { epoch: page.cursor.epoch.clone(), number };
        let reset = json!({ "type": "reset", "cursor": cursor });
        out.answer(&reset, |_, style| format!("{}\n", style.bad("reset: some events before this are not known")))?;
    }
    for event in &page.events {
        out.answer(event, line)?;
    }
    Ok(())
}

fn line(event: &Event, style: &Style) -> String {
    let name = |name: &Option<AgentName>| name.as_ref().map(|name| style.name(name));
    let (first, second) = match event.kind {
        EventType::Renamed => (name(&event.agent), name(&event.to)),
        EventType::Sent
        | EventType::Leased
        | EventType::Taken
        | EventType::Released
        | EventType::Expired
        | EventType::Dead => (name(&event.from), name(&event.to).or_else(|| name(&event.agent))),
        EventType::Broadcast | EventType::Online | EventType::Offline | EventType::Cleared => {
            (name(&event.from).or_else(|| name(&event.agent)), None)
        }
    };
    let route = first.into_iter().chain(second).collect::<Vec<_>>().join(" -> ");
    let id = event.id.map(|id| format!("  {}", style.dim(id))).unwrap_or_default();
    format!("{}  {:<17}  {route}{id}\n", text::moment(event.at), event.kind.as_str())
}
