//! Live events: a client asks once, and is told as things happen. Each has a thread that writes to its socket, so that a stalled
//! one holds up nobody; what is to be written comes from the hub.
//!
//! A client that says what it saw last gets what it missed, or a `reset` when that is no longer known.

mod frame;
mod hub;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use tiny_http::Request;

use self::frame::{Frame, HEARTBEAT, RETRY};
pub(crate) use self::hub::Hub;
use self::hub::Seat;
use super::Site;
use super::answer::Answer;
use super::call::PERSON;
use super::head::Head;
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Cursor, State, Via};
use crate::ops::{self, Ctx, EVENTS_LIMIT, WatchResponse};
use crate::store::{Actor, Sighting, Standing, Store};

/// How long a client hears nothing at most.
const SILENCE: Duration = Duration::from_secs(15);
/// How long to wait before the store is asked again for what a client missed.
const AGAIN: Duration = Duration::from_millis(500);
/// A writer needs little room.
const STACK: usize = 128 << 10;

/// What a client asks for.
struct Wish {
    /// What it saw last, if it said so; `Some(None)` for something that is no place in the stream.
    after: Option<Option<Cursor>>,
    /// Who looks, when it is the page.
    page: Option<AgentName>,
}

/// Takes a request for live events over; its guards have passed it, and it has no body.
pub(super) fn open(site: &Arc<Site>, hub: &Arc<Hub>, request: Request) {
    let wish = match wish(&Head::of(&request)) {
        Ok(wish) => wish,
        Err(error) => return refuse(request, Answer::of(&error)),
    };
    if request.method().as_str() == "HEAD" {
        let _ = request.into_writer().write_all(&Answer::stream());
        return;
    }
    let Some(seat) = hub.join(site, wish.page.clone()) else {
        let error = Error::new(Kind::Unreachable, "too many clients listen to live events").hint("try again later");
        return refuse(request, Answer::of(&error));
    };
    let site = Arc::clone(site);
    // Without a thread for it the request is dropped, which answers it with a failure.
    let _ = std::thread::Builder::new().name("listener".to_owned()).stack_size(STACK).spawn(move || {
        let mut client = Client { site: &site, writer: request.into_writer(), seen: seat.at.clone() };
        // Who is gone needs no answer.
        let _ = client.serve(&seat, wish.after);
    });
}

fn refuse(request: Request, answer: Answer) {
    // Whether it arrives is the asker's affair.
    let _ = answer.send(request);
}

fn wish(head: &Head<'_>) -> Result<Wish> {
    let query = head.query().unwrap_or_default();
    let given = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let last = head.header("Last-Event-ID").or_else(|| given("after")).filter(|text| !text.is_empty());
    let page = given("page").map(str::parse).transpose()?;
    Ok(Wish { after: last.map(|text| text.parse().ok()), page })
}

impl Site {
    /// The context of nobody in particular, who looks and leaves no trace.
    fn onlooker<'a>(&'a self, store: &'a dyn Store) -> Result<Ctx<'a>> {
        let actor = Actor { name: PERSON.parse()?, standing: Standing::Named, sighting: None };
        let (policy, lease, machine) = (self.policy, self.lease, self.desk.machine());
        Ok(Ctx { store, actor, via: Via::Gui, policy, lease, machine })
    }
}

/// The context of somebody who looks at a page: alive, and idle.
fn reader<'a>(ctx: &Ctx<'a>, host: &str, name: AgentName) -> Ctx<'a> {
    let (client, host, project) = ("page".to_owned(), host.to_owned(), String::new());
    let sighting = Some(Sighting { state: Some(State::Idle), client, host, project });
    Ctx { actor: Actor { name, standing: Standing::Named, sighting }, ..*ctx }
}

/// A client that listens.
struct Client<'a> {
    site: &'a Site,
    writer: Box<dyn Write + Send>,
    /// Where in the stream it is.
    seen: Option<Cursor>,
}

impl Client<'_> {
    /// Writes until the client is gone, was dropped, or the server ends.
    fn serve(&mut self, seat: &Seat, after: Option<Option<Cursor>>) -> io::Result<()> {
        self.writer.write_all(&Answer::stream())?;
        self.writer.write_all(RETRY.as_bytes())?;
        match after {
            Some(Some(cursor)) => self.catch_up(cursor)?,
            // Something was seen, but nobody knows what.
            Some(None) => self.catch_up(Cursor { epoch: "00000000".to_owned(), number: 0 })?,
            None => {
                let place = self.seen.as_ref().map(Frame::place);
                place.iter().try_for_each(|place| self.writer.write_all(place.text.as_bytes()))?;
            }
        }
        self.writer.flush()?;
        loop {
            match seat.frames.recv_timeout(SILENCE) {
                Ok(frame) => {
                    self.tell(&frame)?;
                    // What came meanwhile goes into the same write.
                    seat.frames.try_iter().try_for_each(|frame| self.tell(&frame))?;
                }
                Err(RecvTimeoutError::Timeout) => self.writer.write_all(HEARTBEAT.as_bytes())?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.writer.flush()?;
        }
    }

    fn tell(&mut self, frame: &Frame) -> io::Result<()> {
        if frame.is_known(self.seen.as_ref()) {
            return Ok(());
        }
        if frame.at.is_some() {
            self.seen.clone_from(&frame.at);
        }
        self.writer.write_all(frame.text.as_bytes())
    }

    /// Writes what happened after a cursor. While the store is away it waits, and the client hears that somebody is there.
    fn catch_up(&mut self, after: Cursor) -> io::Result<()> {
        self.seen = Some(after);
        let mut heard = Instant::now();
        loop {
            match self.missed() {
                Ok(page) => {
                    Frame::page(&page).iter().try_for_each(|frame| self.tell(frame))?;
                    self.seen = Some(page.cursor);
                    if page.events.len() < EVENTS_LIMIT as usize {
                        return Ok(());
                    }
                }
                Err(_) => {
                    if heard.elapsed() > SILENCE {
                        self.writer.write_all(HEARTBEAT.as_bytes())?;
                        heard = Instant::now();
                    }
                    self.writer.flush()?;
                    std::thread::sleep(AGAIN);
                }
            }
        }
    }

    /// The next page after what the client has.
    fn missed(&self) -> Result<WatchResponse> {
        let store = self.site.desk.store()?;
        let page = ops::events(&self.site.onlooker(&*store)?, self.seen.as_ref());
        page.or_else(|error| {
            self.site.desk.recover(&store, error)?;
            ops::events(&self.site.onlooker(&*self.site.desk.store()?)?, self.seen.as_ref())
        })
    }
}
