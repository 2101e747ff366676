//! When a monitor speaks: soon after an arrival, and seldom while the same mail waits. Pure; the clock is handed in.

use std::time::{Duration, Instant};

use crate::ops::CheckResponse;

/// How long one wait for mail lasts at most.
const WAIT: Duration = Duration::from_secs(2);
/// How long arrivals are gathered before they are told.
const GATHER: Duration = Duration::from_secs(1);
/// The least time between two lines while the same mail waits.
const SPACING: Duration = Duration::from_secs(5);

/// When to speak.
#[derive(Default)]
pub struct Timing {
    /// When what is gathered now is to be told.
    due: Option<Instant>,
    /// When the last line was, and of what.
    last: Option<(Instant, CheckResponse)>,
}

impl Timing {
    /// Whether what is untold is to be told now.
    pub fn is_time(&mut self, untold: &CheckResponse, news: &CheckResponse, now: Instant) -> bool {
        if !untold.is_news() {
            self.due = None;
            return false;
        }
        let due = self.due.unwrap_or(now + GATHER);
        let spaced = self.last.as_ref().filter(|(_, last)| still_waits(last, news)).map(|(at, _)| *at + SPACING);
        let due = due.max(spaced.unwrap_or(due));
        self.due = Some(due);
        now >= due
    }

    /// Notes that these news have been told.
    pub fn told(&mut self, news: &CheckResponse, now: Instant) {
        self.due = None;
        self.last = Some((now, news.clone()));
    }

    /// When to look again.
    pub fn next(&self, now: Instant) -> Instant {
        let soon = now + WAIT;
        self.due.filter(|due| *due > now).map_or(soon, |due| due.min(soon))
    }
}

/// Whether something of what was told last waits still: there is more than has come since, or the newest is the same.
fn still_waits(last: &CheckResponse, news: &CheckResponse) -> bool {
    let mail = last.unread_messages > 0 && news.unread_messages > news.arrivals.saturating_sub(last.arrivals);
    let (before, now) = (last.unseen_broadcasts, news.unseen_broadcasts);
    let same = last.newest_broadcast.as_ref().map(|newest| newest.id)
        == news.newest_broadcast.as_ref().map(|newest| newest.id);
    mail || (before > 0 && now > 0 && (same || now > before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::told;
    use crate::identity::registry::Marks;
    use crate::model::{MessageId, Millis};
    use crate::store::Newest;

    fn news(unread: u64, arrivals: u64) -> CheckResponse {
        let agent = "reviewer".parse().unwrap();
        let (unseen_broadcasts, urgent) = (0, 0);
        let (newest_message, newest_broadcast) = (None, None);
        CheckResponse {
            agent,
            unread_messages: unread,
            unseen_broadcasts,
            urgent,
            newest_message,
            newest_broadcast,
            arrivals,
        }
    }

    /// Looks at these news at these milliseconds; the times at which a line was said.
    fn lines(looks: &[(u64, CheckResponse)]) -> Vec<u64> {
        let (start, mut timing, mut marks) = (Instant::now(), Timing::default(), Marks::default());
        let mut said = Vec::new();
        for (at, news) in looks {
            let now = start + Duration::from_millis(*at);
            if timing.is_time(&told::untold(&marks, news), news, now) {
                marks = told::marked(&marks, news);
                timing.told(news, now);
                said.push(*at);
            }
        }
        said
    }

    #[test]
    fn arrivals_are_gathered_and_told_once() {
        let looks = [(0, news(1, 1)), (500, news(2, 2)), (999, news(3, 3)), (1_000, news(3, 3)), (9_000, news(3, 3))];
        assert_eq!(lines(&looks), [1_000]);
    }

    #[test]
    fn while_the_same_mail_waits_lines_are_five_seconds_apart() {
        let first = [(0, news(1, 1)), (1_000, news(1, 1)), (1_500, news(2, 2))];
        let waits = [(3_000, news(2, 2)), (5_999, news(2, 2)), (6_000, news(2, 2))];
        assert_eq!(lines(&[first.clone(), waits].concat()), [1_000, 6_000]);
        // The first was read at once: nothing of it waits.
        let read = [(1_200, news(0, 1)), (1_500, news(1, 2)), (2_500, news(1, 2))];
        assert_eq!(lines(&[&first[..2], &read[..]].concat()), [1_000, 2_500]);
    }

    #[test]
    fn a_broadcast_that_waits_spaces_a_line_about_mail_too() {
        let with = |news: CheckResponse, ids: &[i64]| CheckResponse {
            unseen_broadcasts: ids.len() as u64,
            newest_broadcast: ids
                .last()
                .map(|id| Newest { id: MessageId::at(Millis(*id), 1), from: "ci-bot".parse().unwrap() }),
            ..news
        };
        let first = [(0, with(news(0, 0), &[1])), (1_000, with(news(0, 0), &[1]))];
        let mail = [1_500, 2_500, 5_999, 6_000].map(|at| (at, with(news(1, 1), &[1])));
        assert_eq!(lines(&[&first[..], &mail[..]].concat()), [1_000, 6_000]);
        // The first was seen, another one came: nothing that was told waits.
        let seen = [(1_200, with(news(0, 0), &[])), (1_500, with(news(0, 0), &[2])), (2_500, with(news(0, 0), &[2]))];
        assert_eq!(lines(&[&first[..], &seen[..]].concat()), [1_000, 2_500]);
    }

    #[test]
    fn the_next_look_is_when_something_is_due() {
        let (now, mut timing) = (Instant::now(), Timing::default());
        assert_eq!(timing.next(now), now + WAIT);
        assert!(!timing.is_time(&news(1, 1), &news(1, 1), now));
        assert_eq!(timing.next(now), now + GATHER);
        assert!(!timing.is_time(&news(0, 1), &news(0, 1), now));
        assert_eq!(timing.next(now), now + WAIT);
    }
}
