//! How live events look on the wire: server-sent events (WHATWG HTML §9.2). A frame is formatted once and shared by all clients.
//! It knows neither clients nor the store.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use crate::model::{Cursor, Event};
use crate::ops::WatchResponse;
use crate::store::AgentInfo;

/// What a client may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The place in the stream that the client has reached with it; `None` for what is not part of the stream.
    pub(super) at: Option<Cursor>,
    /// Its text.
    pub(super) text: Arc<str>,
    /// Whether it tells a client that it missed something, which it must hear wherever it believes to be.
    urgent: bool,
}

/// A comment: keeps proxies and clients from taking silence for death.
pub(super) const HEARTBEAT: &str = ": still here\n\n";
/// How long a browser waits before it comes again, in milliseconds.
pub(super) const RETRY: &str = "retry: 1000\n\n";

impl Frame {
    /// Tells the client where it stands, and nothing else: a block without data sets the id alone.
    pub(super) fn place(cursor: &Cursor) -> Frame {
        Frame { at: Some(cursor.clone()), text: format!("id: {cursor}\n\n").into(), urgent: false }
    }

    /// An agent whose presence changed; it is not part of the stream, so it has no id.
    pub(super) fn agent(agent: &AgentInfo) -> Option<Frame> {
        let data = serde_json::to_string(agent).ok()?;
        Some(Frame { at: None, text: format!("event: agent.state\ndata: {data}\n\n").into(), urgent: false })
    }

    fn numbered<T: Serialize>(cursor: &Cursor, kind: &str, data: &T) -> Option<Frame> {
        // JSON has no line breaks of its own, so that the data is one line.
        let data = serde_json::to_string(data).ok()?;
        let text = format!("id: {cursor}\nevent: {kind}\ndata: {data}\n\n").into();
        Some(Frame { at: Some(cursor.clone()), text, urgent: false })
    }

    fn event(event: &Event) -> Option<Frame> {
        Frame::numbered(&event.cursor, event.kind.as_str(), event)
    }

    /// What was before is not known; `cursor` is where the client is now.
    fn reset(cursor: &Cursor) -> Option<Frame> {
        let frame = Frame::numbered(cursor, "reset", &json!({ "type": "reset", "cursor": cursor }));
        frame.map(|frame| Frame { urgent: true, ..frame })
    }

    /// The frames of a page of the stream.
    pub(super) fn page(page: &WatchResponse) -> Vec<Frame> {
        let reset = page.reset.then(|| {
            // If this is the last that gets through, the client goes on before the first event told.
            let number = page.events.first().map_or(page.cursor.number, |event| event.cursor.number.saturating_sub(1));
            Frame::reset(&Cursor { epoch: page.cursor.epoch.clone(), number })
        });
        reset.flatten().into_iter().chain(page.events.iter().filter_map(Frame::event)).collect()
    }

    /// Whether a client that has reached `seen` has this already.
    pub(super) fn is_known(&self, seen: Option<&Cursor>) -> bool {
        match (&self.at, seen) {
            (Some(at), Some(seen)) => !self.urgent && at.epoch == seen.epoch && at.number <= seen.number,
            (_, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EventType, Millis};

    fn cursor(number: u64) -> Cursor {
        Cursor { epoch: "0123abcd".into(), number }
    }

    fn event(number: u64) -> Event {
        let (id, agent, from, to) = (None, None, None, Some("ci".parse().unwrap()));
        Event { cursor: cursor(number), kind: EventType::Sent, at: Millis(0), id, agent, from, to }
    }

    #[test]
    fn an_event_is_an_id_a_name_and_one_line_of_json() {
        let page = WatchResponse { events: vec![event(7)], cursor: cursor(7), reset: false };
        let frames = Frame::page(&page);
        let wanted = "id: 0123abcd-7\nevent: message.sent\ndata: {\"cursor\":\"0123abcd-7\",\"type\":\"message.sent\",\
                      \"at\":\"1970-01-01T00:00:00.000Z\",\"to\":\"ci\"}\n\n";
        assert_eq!((frames.len(), &*frames[0].text), (1, wanted));
    }

    #[test]
    fn a_reset_comes_first_and_stands_before_what_follows() {
        let page = WatchResponse { events: vec![event(7), event(8)], cursor: cursor(8), reset: true };
        let frames = Frame::page(&page);
        assert_eq!(frames.iter().map(|frame| frame.at.as_ref().unwrap().number).collect::<Vec<_>>(), [6, 7, 8]);
        assert!(frames[0].text.contains("event: reset\n") && !frames[0].is_known(Some(&cursor(9))));
    }

    #[test]
    fn what_a_client_has_is_not_sent_again() {
        let frame = Frame::place(&cursor(7));
        assert!(frame.is_known(Some(&cursor(7))) && frame.is_known(Some(&cursor(8))));
        assert!(!frame.is_known(Some(&cursor(6))) && !frame.is_known(None));
        assert!(!frame.is_known(Some(&Cursor { epoch: "ffffffff".into(), number: 9 })));
    }
}
