//! What a session is told, and what it has been told already: the texts of hooks and the marks that keep them from nagging.
//!
//! Texts are facts without bodies or orders; names are legal names and need no escaping. Pure: no store, no file.

use super::{check, text};
use crate::identity::registry::{Marks, Registration};
use crate::model::MessageId;
use crate::ops::CheckResponse;
use crate::store::Newest;

/// How often in a row the end of a turn may go on because of mail.
pub const MOST_CONTINUATIONS: u32 = 3;

/// The part of the news that the session has not been told yet. Mail that was delivered again counts as new.
pub fn untold(marks: &Marks, news: &CheckResponse) -> CheckResponse {
    let mut rest = news.clone();
    // Not "more than": a store that took over from another one counts from the start.
    if news.arrivals == marks.arrivals {
        (rest.unread_messages, rest.urgent, rest.newest_message) = (0, 0, None);
    }
    if newest_broadcast(news) == marks.broadcast {
        (rest.unseen_broadcasts, rest.newest_broadcast) = (0, None);
    }
    rest
}

/// The marks of a session that has just been told these news.
pub fn marked(marks: &Marks, news: &CheckResponse) -> Marks {
    let broadcast = newest_broadcast(news).or(marks.broadcast);
    Marks { hints: marks.hints + 1, arrivals: news.arrivals, broadcast }
}

fn newest_broadcast(news: &CheckResponse) -> Option<MessageId> {
    news.newest_broadcast.as_ref().map(|newest| newest.id)
}

/// The one line about news; `None` when there are none.
pub fn hint(news: &CheckResponse) -> Option<String> {
    check::hint(news, "msg_read", "msg_broadcasts")
}

/// Who the session is, and how many others are online; with the reason when it did not get the name that somebody gave it.
pub fn name(session: &Registration, others: u64) -> Option<String> {
    let name = session.name.as_ref()?;
    let wish = session.wish.as_ref().filter(|wish| session.explicit && *wish != name);
    let held = wish.map(|wish| format!(" ({wish} was held by another live session)")).unwrap_or_default();
    let others = if others > 0 { format!(" {others} other agent(s) online.") } else { String::new() };
    Some(format!("[postino] You are \"{name}\"{held}.{others}"))
}

/// What there is to send and read with.
pub const TOOLS: &str = "[postino] Mail goes by the tools msg_send, msg_read, msg_check, msg_broadcast, msg_broadcasts, \
                         msg_list_agents, msg_rename, or by the shell commands postino send, read, check, broadcast, \
                         broadcasts, agents, rename.";

/// What a session start says after the store could not be reached for a while.
pub const UNREACHABLE: &str = "[postino] store unreachable; run postino doctor";

/// A monitor's line: at most some 300 characters, with a number that grows so that no two lines are the same.
pub fn line(news: &CheckResponse, number: u64) -> Option<String> {
    let part = |n: u64, what: &str, urgent: u64, newest: &Option<Newest>| {
        let urgent = if urgent > 0 { format!("{urgent} urgent, ") } else { String::new() };
        let newest = newest.as_ref().map(|newest| format!("newest from {}, ", newest.from)).unwrap_or_default();
        (n > 0).then(|| format!("{} ({urgent}{newest}#{number})", text::count(n, what)))
    };
    let mail = part(news.unread_messages, "unread message", news.urgent, &news.newest_message);
    let feed = part(news.unseen_broadcasts, "new broadcast", 0, &news.newest_broadcast);
    let shows = match (&mail, &feed) {
        (Some(_), Some(_)) => "msg_read and msg_broadcasts show them.",
        (Some(_), None) => "msg_read shows them.",
        (None, Some(_)) => "msg_broadcasts shows them.",
        (None, None) => return None,
    };
    Some(format!("postino: {}. {shows}", mail.into_iter().chain(feed).collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Millis;

    fn news(unread: u64, arrivals: u64, broadcasts: &[i64]) -> CheckResponse {
        let newest = |n: i64, from: &str| Newest { id: MessageId::at(Millis(n), 1), from: from.parse().unwrap() };
        CheckResponse {
            agent: "reviewer".parse().unwrap(),
            unread_messages: unread,
            unseen_broadcasts: broadcasts.len() as u64,
            urgent: 0,
            newest_message: (unread > 0).then(|| newest(1, "alice")),
            newest_broadcast: broadcasts.last().map(|n| newest(*n, "ci-bot")),
            arrivals,
        }
    }

    #[test]
    fn what_was_told_is_told_no_more() {
        let first = news(2, 2, &[5]);
        assert_eq!(untold(&Marks::default(), &first), first);
        let marks = marked(&Marks::default(), &first);
        assert!(!untold(&marks, &first).is_news());
        // One of them is read, one more arrives.
        let more = untold(&marks, &news(2, 3, &[5]));
        assert_eq!((more.unread_messages, more.unseen_broadcasts), (2, 0));
        // The broadcast is seen, another comes.
        let more = untold(&marks, &news(2, 2, &[6]));
        assert_eq!((more.unread_messages, more.unseen_broadcasts), (0, 1));
        // All is read; the last broadcast stays marked.
        assert!(!untold(&marked(&marks, &news(0, 2, &[])), &first).is_news());
    }

    #[test]
    fn mail_that_came_back_is_new_and_so_is_a_new_stores() {
        let marks = marked(&Marks::default(), &news(1, 4, &[]));
        assert!(untold(&marks, &news(1, 5, &[])).is_news());
        assert!(untold(&marks, &news(1, 1, &[])).is_news());
    }

    #[test]
    fn a_monitors_line_is_short_and_never_the_same() {
        let one = line(&news(1, 1, &[]), 41).unwrap();
        assert_eq!(one, "postino: 1 unread message (newest from alice, #41). msg_read shows them.");
        let mut both = news(1_000_000, 1, &[1]);
        both.urgent = 1_000_000;
        both.newest_message = Some(Newest { id: MessageId::at(Millis(1), 1), from: "a".repeat(64).parse().unwrap() });
        both.newest_broadcast = both.newest_message.clone();
        assert!(line(&both, u64::MAX).unwrap().len() < 500);
        assert_ne!(line(&both, 1), line(&both, 2));
        assert_eq!(line(&news(0, 1, &[]), 1), None);
    }
}
