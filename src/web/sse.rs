//! Live events: a client asks once, and is told as things happen. Each has a thread that writes to its socket, so that a stalled
//! one holds up nobody; what is to be written comes from the hub.
//!
//! A client that says what it saw last gets what it missed, or a `reset` when that is no longer known.

mod frame;
mod hub;
mod stream;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use tiny_http::Request;

use self::frame::{Frame, HEARTBEAT, RETRY};
pub(crate) use self::hub::Hub;
use self::hub::Seat;
use self::stream::Stream;
use super::Site;
use super::answer::Answer;
use super::call::PERSON;
use super::head::Head;
use super::lane::Lane;
use super::way;
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

/// Takes a request for live events over, with its connection; its guards have passed it, and it has no body. Gives the connection
/// back when there are none for it.
pub(super) fn open(
    site: &Arc<Site>,
    hub: &Arc<Hub>,
    (request, lane): (Request, Lane),
    cors: Option<String>,
) -> Option<Lane> {
    let refuse = |request: Request, error: &Error, lane: Lane| {
        // Whether it arrives is the asker's affair.
        let _ = way::with(Answer::of(error), cors.clone()).send(request);
        Some(lane)
    };
    let wish = match wish(&Head::of(&request)) {
        Ok(wish) => wish,
        Err(error) => return refuse(request, &error, lane),
    };
    let head = way::with(Answer::stream(), cors.clone());
    if request.method().as_str() == "HEAD" {
        let mut stream = Stream::of(request);
        let _ = stream.begin(&head).and_then(|()| stream.flush());
        return Some(lane);
    }
    let Some(seat) = hub.join(site, wish.page.clone()) else {
        let error = Error::new(Kind::Unreachable, "too many clients listen to live events").hint("try again later");
        return refuse(request, &error, lane);
    };
    let site = Arc::clone(site);
    let turn = (request, lane);
    // Without a thread for it the request is dropped, which answers it with a failure.
    let _ = std::thread::Builder::new().name("listener".to_owned()).stack_size(STACK).spawn(move || {
        let (request, lane) = turn;
        // What the client asks behind them is dropped when they end.
        let _lane = lane;
        let mut client = Client { site: &site, writer: Stream::of(request), seen: None };
        // Who is gone needs no answer.
        let _ = client.serve(&head, &seat, wish.after);
    });
    None
}

fn wish(head: &Head<'_>) -> Result<Wish> {
    let undecoded = || Error::new(Kind::Usage, "the request's query cannot be read").hint("percent-encode it as UTF-8");
    let query = head.query().ok_or_else(undecoded)?;
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
    writer: Stream,
    /// Where in the stream it is.
    seen: Option<Cursor>,
}

impl Client<'_> {
    /// Writes until the client is gone, was dropped, or the server ends.
    fn serve(&mut self, head: &Answer, seat: &Seat, after: Option<Option<Cursor>>) -> io::Result<()> {
        self.writer.begin(head)?;
        self.writer.text(RETRY)?;
        match after {
            Some(Some(cursor)) => self.catch_up(cursor)?,
            // Something was seen, but nobody knows what.
            Some(None) => self.catch_up(Cursor { epoch: "00000000".to_owned(), number: 0 })?,
            None => {
                self.seen.clone_from(&seat.at);
                let place = self.seen.as_ref().map(Frame::place);
                place.iter().try_for_each(|place| self.writer.text(&place.text))?;
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
                Err(RecvTimeoutError::Timeout) => self.writer.text(HEARTBEAT)?,
                Err(RecvTimeoutError::Disconnected) => return self.writer.end(),
            }
            self.writer.flush()?;
        }
    }

    fn tell(&mut self, frame: &Frame) -> io::Result<()> {
        if frame.is_known(self.seen.as_ref()) {
            return Ok(());
        }
        // Between what the client has and the stream's beginning there may be something that only the store knows.
        if let Some(seen) = self.seen.take_if(|_| frame.is_place()) {
            return self.catch_up(seen);
        }
        if frame.at.is_some() {
            self.seen.clone_from(&frame.at);
        }
        self.writer.text(&frame.text)
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
                        self.writer.text(HEARTBEAT)?;
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
