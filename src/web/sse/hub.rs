//! The one watcher of the store for all clients of live events: it reads the stream once, formats each event once, and puts it
//! into every client's queue. A client that is a full queue behind is dropped, and nobody waits for it.
//!
//! It watches only while somebody listens. It knows no sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use super::frame::Frame;
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Cursor, State};
use crate::ops::{self, AgentsRequest, Ctx, WatchResponse, Watcher};
use crate::web::Site;

/// How many frames may wait for one client.
const QUEUE: usize = 256;
/// How many clients there may be.
const CLIENTS: usize = 1_024;
/// How often presence is compared.
const PRESENCE: Duration = Duration::from_secs(5);
/// How often the presence of who looks at a page is written anew.
const SIGN: Duration = Duration::from_secs(10);
/// The pause after a failure, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// The clients and the place in the stream.
pub(crate) struct Hub {
    listeners: Mutex<Listeners>,
    room: usize,
}

#[derive(Default)]
struct Listeners {
    clients: Vec<Client>,
    /// Where in the stream everybody is; `None` until the first look.
    at: Option<Cursor>,
    /// Whether a thread watches.
    watched: bool,
    /// Whether the server ends.
    closed: bool,
    last: u64,
}

struct Client {
    id: u64,
    queue: SyncSender<Frame>,
    page: Option<AgentName>,
}

/// A client's end of its queue.
pub(super) struct Seat {
    /// The frames to send, in order; it ends when the client was dropped or the server ends.
    pub(super) frames: Receiver<Frame>,
    /// Where in the stream the first of them comes after; `None` when a frame will tell.
    pub(super) at: Option<Cursor>,
    hub: Arc<Hub>,
    id: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.lock().clients.retain(|client| client.id != self.id);
    }
}

/// What the watcher remembers between looks.
#[derive(Default)]
struct Memory {
    states: Option<BTreeMap<AgentName, State>>,
    compared: Option<Instant>,
    signed: Option<Instant>,
}

impl Hub {
    /// A hub without clients, for no more than this many.
    pub(crate) fn with_room(room: usize) -> Hub {
        Hub { listeners: Mutex::default(), room: room.min(CLIENTS) }
    }

    fn lock(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a client, who gets everything from now on. `None` when all places are taken.
    pub(super) fn join(self: &Arc<Hub>, site: &Arc<Site>, page: Option<AgentName>) -> Option<Seat> {
        let mut all = self.lock();
        if all.closed || all.clients.len() >= self.room {
            return None;
        }
        let (queue, frames) = sync_channel(QUEUE);
        all.last += 1;
        let id = all.last;
        all.clients.push(Client { id, queue, page });
        let at = all.at.clone();
        if !all.watched {
            let (hub, site) = (Arc::clone(self), Arc::clone(site));
            all.watched = Builder::new().name("hub".to_owned()).spawn(move || hub.watch(&site)).is_ok();
        }
        drop(all);
        Some(Seat { frames, at, hub: Arc::clone(self), id })
    }

    /// Ends every client's stream, and lets no new one in.
    pub(crate) fn close(&self) {
        let mut all = self.lock();
        all.closed = true;
        all.clients.clear();
    }

    /// Watches until nobody listens.
    fn watch(&self, site: &Site) {
        let (mut memory, mut pause) = (Memory::default(), PAUSES.0);
        while !self.rest() {
            let began = Instant::now();
            if let Err(error) = self.follow(site, &mut memory) {
                if began.elapsed() > PAUSES.1 {
                    pause = PAUSES.0;
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSES.1);
                // What could not be done about it now may be done at the next attempt.
                drop(error);
            }
        }
    }

    /// Whether nobody listens any more; then the next client starts at the newest event of its time.
    fn rest(&self) -> bool {
        let mut all = self.lock();
        if all.clients.is_empty() {
            (all.watched, all.at) = (false, None);
        }
        all.clients.is_empty()
    }

    /// Follows the stream until nobody listens, or the store fails.
    fn follow(&self, site: &Site, memory: &mut Memory) -> Result<()> {
        let store = site.desk.store()?;
        let followed = self.follow_in(site, &site.onlooker(&*store)?, memory);
        followed.or_else(|error| site.desk.recover(&store, error))
    }

    fn follow_in(&self, site: &Site, ctx: &Ctx<'_>, memory: &mut Memory) -> Result<()> {
        let at = self.lock().at.clone();
        let mut watcher = Watcher::new(ctx, at)?;
        let mut until = Instant::now();
        while !self.lock().clients.is_empty() {
            let page = watcher.next(ctx, until)?;
            self.spread_page(&page);
            self.compare(ctx, memory)?;
            self.sign(site, ctx, memory)?;
            until = Instant::now() + PRESENCE;
        }
        Ok(())
    }

    /// Gives a page of the stream to everybody.
    fn spread_page(&self, page: &WatchResponse) {
        let mut all = self.lock();
        let first = all.at.replace(page.cursor.clone()).is_none().then(|| Frame::place(&page.cursor));
        all.spread(first.into_iter().chain(Frame::page(page)).collect());
    }

    /// Tells everybody whose presence changed since the last look.
    fn compare(&self, ctx: &Ctx<'_>, memory: &mut Memory) -> Result<()> {
        if memory.compared.is_some_and(|compared| compared.elapsed() < PRESENCE) {
            return Ok(());
        }
        let mut states = BTreeMap::new();
        let mut frames = Vec::new();
        let mut after = None;
        loop {
            let page = ops::agents(ctx, &AgentsRequest { limit: None, after })?;
            for agent in &page.items {
                states.insert(agent.name.clone(), agent.state);
                if memory.states.as_ref().is_some_and(|old| old.get(&agent.name) != Some(&agent.state)) {
                    frames.extend(Frame::agent(agent));
                }
            }
            after = page.items.last().map(|agent| agent.name.clone());
            if after.is_none() || states.len() as u64 >= page.total {
                break;
            }
        }
        (memory.states, memory.compared) = (Some(states), Some(Instant::now()));
        self.lock().spread(frames);
        Ok(())
    }

    /// Writes the presence of everybody who looks at a page.
    fn sign(&self, site: &Site, ctx: &Ctx<'_>, memory: &mut Memory) -> Result<()> {
        let pages: BTreeSet<AgentName> = self.lock().clients.iter().filter_map(|client| client.page.clone()).collect();
        if pages.is_empty() || memory.signed.is_some_and(|signed| signed.elapsed() < SIGN) {
            return Ok(());
        }
        for name in pages {
            match ops::check(&super::reader(ctx, &site.host, name)) {
                // A session that holds the name is present by itself.
                Ok(_) | Err(Error { kind: Kind::NameHeld, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        memory.signed = Some(Instant::now());
        Ok(())
    }
}

impl Listeners {
    /// Puts frames into every queue; whoever has no room for one is dropped.
    fn spread(&mut self, frames: Vec<Frame>) {
        for frame in frames {
            self.clients.retain(|client| client.queue.try_send(frame.clone()).is_ok());
        }
    }
}
