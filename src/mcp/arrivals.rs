//! Telling the client of what arrives: a log message where clients take any, an update of the own inbox where they asked for it.
//!
//! It knows neither how arrivals are noticed nor what a client makes of them.

#![expect(deprecated, reason = "log messages and subscriptions of the older protocol are what most clients know")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::RoleServer;
use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam, ResourceUpdatedNotificationParam};
use rmcp::service::{Peer, SubscriptionSink};
use serde_json::json;
use tokio::sync::mpsc;

use super::Desk;
use super::resources;
use crate::model::AgentName;
use crate::ops::CheckResponse;

/// Whom to tell, and what.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<Wishes>);

/// What the client has asked for.
struct Wishes {
    /// Whether log messages of this level are wanted.
    logs: bool,
    /// Inboxes by the older protocol.
    subscribed: BTreeSet<AgentName>,
    /// Subscriptions by the newer one.
    listening: Vec<SubscriptionSink>,
}

impl Default for Wishes {
    fn default() -> Wishes {
        Wishes { logs: true, subscribed: BTreeSet::new(), listening: Vec::new() }
    }
}

impl Arrivals {
    /// Tells nothing below this level.
    pub(super) fn set_level(&self, level: LoggingLevel) {
        self.wishes().logs = matches!(level, LoggingLevel::Debug | LoggingLevel::Info);
    }

    /// Tells of an inbox, or does so no more.
    pub(super) fn subscribe(&self, inbox: AgentName, wanted: bool) {
        let mut wishes = self.wishes();
        if wanted {
            wishes.subscribed.insert(inbox)
        } else {
            wishes.subscribed.remove(&inbox)
        };
    }

    /// Tells a listener until `forget`.
    pub(super) fn listen(&self, sink: SubscriptionSink) {
        self.wishes().listening.push(sink);
    }

    /// Tells this listener no more.
    pub(super) fn forget(&self, sink: &SubscriptionSink) {
        self.wishes().listening.retain(|other| other.id() != sink.id());
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of these news, each in the way that was asked for. A client that takes no notice is none of our business.
    async fn tell(&self, peer: &Peer<RoleServer>, news: &CheckResponse) {
        let inbox = resources::inbox(&news.agent);
        let (may_log, subscribed, listening) = {
            let wishes = self.wishes();
            (wishes.logs, wishes.subscribed.contains(&news.agent), wishes.listening.clone())
        };
        // The newer protocol allows log messages only as part of an answer.
        if may_log && peer.peer_info().is_some() {
            let _ = peer.notify_logging_message(message(news)).await;
        }
        if subscribed {
            let _ = peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(inbox.clone())).await;
        }
        for sink in listening {
            let _ = sink.notify_resource_updated(inbox.clone()).await;
        }
    }
}

/// News as a log message: counts and senders, no body.
fn message(news: &CheckResponse) -> LoggingMessageNotificationParam {
    let mut data = json!({ "unreadMessages": news.unread_messages, "unseenBroadcasts": news.unseen_broadcasts });
    for (field, newest) in [("newestMessage", &news.newest_message), ("newestBroadcast", &news.newest_broadcast)] {
        if let Some(newest) = newest {
            data[field] = json!({ "id": newest.id, "from": newest.from });
        }
    }
    LoggingMessageNotificationParam::new(LoggingLevel::Info, data).with_logger("postino")
}

/// Keeps the session present and tells the client of arrivals, until the runtime ends.
pub(super) fn attend(desk: Arc<dyn Desk>, peer: Peer<RoleServer>, arrivals: Arc<Arrivals>) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    // Without the thread nobody is told anything; tools work all the same.
    let _ = std::thread::Builder::new().name("arrivals".to_owned()).spawn(move || {
        desk.attend(&mut |news| {
            let _ = sender.send(news.clone());
        });
    });
    tokio::spawn(async move {
        while let Some(news) = receiver.recv().await {
            arrivals.tell(&peer, &news).await;
        }
    });
}
