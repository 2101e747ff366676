//! The rules of not nagging: what a session is told at an event, and what is noted of that. Pure; it knows no store and no file.

use super::event::Event;
use crate::cmd::told;
use crate::identity::registry::Registration;
use crate::model::State;
use crate::ops::CheckResponse;

/// What the session does after an event; `None` when that stays what it was.
pub fn state_at(event: Event) -> Option<State> {
    match event {
        Event::Prompt { .. } | Event::Tool => Some(State::Working),
        Event::Stop { .. } => Some(State::Idle),
        Event::Start | Event::End => None,
    }
}

/// What a session is told at an event, and what is noted of that.
pub struct Telling {
    /// The event.
    pub event: Event,
    /// All the news there are.
    all: CheckResponse,
    /// The news that are told.
    pub news: Option<CheckResponse>,
    /// Whether it is told its name.
    pub name: bool,
}

impl Telling {
    /// Decides what this session is told of these news.
    pub fn at(event: Event, session: &Registration, news: &CheckResponse) -> Telling {
        let untold = || told::untold(&session.marks, news);
        let may_go_on = session.continued < told::MOST_CONTINUATIONS;
        let (news_told, name) = match event {
            Event::Start => (Some(news.clone()), true),
            Event::Prompt { by_user: true } => (Some(news.clone()), session.announced != session.name),
            Event::Prompt { by_user: false } | Event::Tool => (Some(untold()), false),
            Event::Stop { by_itself } => ((by_itself && may_go_on).then(untold), false),
            Event::End => (None, false),
        };
        Telling { event, all: news.clone(), news: news_told.filter(CheckResponse::is_news), name }
    }

    /// The registration after this.
    pub fn applied(&self, session: &Registration) -> Registration {
        let mut after = session.clone();
        let is_told = self.news.is_some();
        after.hooked = true;
        if is_told {
            after.marks = told::marked(&session.marks, &self.all);
        }
        if self.name {
            after.announced = session.name.clone();
        }
        match self.event {
            Event::Prompt { by_user: true } => after.continued = 0,
            Event::Stop { .. } if is_told => after.continued += 1,
            Event::Stop { .. } if !self.all.is_news() => after.continued = 0,
            Event::Prompt { by_user: false } | Event::Start | Event::Tool | Event::Stop { .. } | Event::End => {}
        }
        let goes_on = matches!(self.event, Event::Stop { .. }) && is_told;
        after.state = state_at(self.event).filter(|_| !goes_on).unwrap_or(session.state);
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MessageId, Millis};
    use crate::store::Newest;

    const USER: Event = Event::Prompt { by_user: true };
    const STOP: Event = Event::Stop { by_itself: true };
    const OWN: Event = Event::Prompt { by_user: false };

    fn session() -> Registration {
        serde_json::from_str(
            r#"{"client":"claude","pid":7,"started":7,"name":"reviewer","hooked":true,"announced":"reviewer"}"#,
        )
        .unwrap()
    }

    fn news(unread: u64, arrivals: u64) -> CheckResponse {
        let newest = Newest { id: MessageId::at(Millis(1), 1), from: "alice".parse().unwrap() };
        CheckResponse {
            agent: "reviewer".parse().unwrap(),
            unread_messages: unread,
            unseen_broadcasts: 0,
            urgent: 0,
            newest_message: (unread > 0).then_some(newest),
            newest_broadcast: None,
            arrivals,
        }
    }

    /// Plays events with the news there are then; which of them tell the session something, and where it ends.
    fn played(script: &[(Event, CheckResponse)]) -> (Vec<bool>, Registration) {
        let mut session = session();
        let mut told = Vec::new();
        for (event, news) in script {
            let telling = Telling::at(*event, &session, news);
            told.push(telling.news.is_some());
            session = telling.applied(&session);
        }
        (told, session)
    }

    #[test]
    fn the_same_mail_is_repeated_at_the_users_prompt_only() {
        let waiting = news(1, 1);
        let script = [Event::Tool, Event::Tool, OWN, STOP, USER, Event::Tool, STOP, USER];
        let (told, _) = played(&script.map(|event| (event, waiting.clone())));
        assert_eq!(told, [true, false, false, false, true, false, false, true]);
    }

    #[test]
    fn nothing_new_changes_nothing_but_the_state() {
        let none = news(0, 3);
        let (told, after) = played(&[(USER, none.clone()), (Event::Tool, none.clone()), (OWN, none.clone())]);
        assert_eq!((told, after.clone()), (vec![false; 3], Registration { state: State::Working, ..session() }));
        assert_eq!(Telling::at(Event::Tool, &after, &none).applied(&after), after);
        assert_eq!(Telling::at(STOP, &after, &none).applied(&after), session());
    }

    #[test]
    fn a_turn_goes_on_three_times_in_a_row_at_most() {
        let stops: Vec<_> = (1..=5).map(|n| (STOP, news(n, n))).collect();
        let (told, after) = played(&stops);
        assert_eq!(told, [true, true, true, false, false]);
        assert_eq!(after.state, State::Idle);
        let (told, _) = played(&[&stops[..], &[(USER, news(5, 5)), (STOP, news(6, 6))]].concat());
        assert_eq!(told[5..], [true, true]);
        // What the client says to itself, a monitor's line among it, begins no new row.
        let (told, _) = played(&[&stops[..3], &[(OWN, news(4, 4)), (STOP, news(5, 5))]].concat());
        assert_eq!(told[3..], [true, false]);
        let (told, _) = played(&[&stops[..3], &[(STOP, news(0, 3)), (STOP, news(1, 4))]].concat());
        assert_eq!(told[3..], [false, true]);
    }

    #[test]
    fn a_turn_that_was_broken_off_does_not_go_on() {
        let (told, after) = played(&[(Event::Stop { by_itself: false }, news(1, 1)), (Event::Tool, news(1, 1))]);
        assert_eq!((told, after.continued), (vec![false, true], 0));
    }

    #[test]
    fn a_turn_that_goes_on_stays_work() {
        let (_, after) = played(&[(USER, news(0, 0)), (STOP, news(1, 1))]);
        assert_eq!((after.state, after.continued), (State::Working, 1));
    }

    #[test]
    fn mail_that_came_back_counts_as_new() {
        let (told, _) = played(&[(Event::Tool, news(1, 1)), (Event::Tool, news(0, 1)), (Event::Tool, news(1, 2))]);
        assert_eq!(told, [true, false, true]);
    }

    #[test]
    fn a_new_name_is_told_at_the_next_prompt_of_the_user() {
        let renamed = Registration { name: Some("writer".parse().unwrap()), ..session() };
        let names = |event: Event| Telling::at(event, &renamed, &news(0, 0)).name;
        assert_eq!([names(Event::Tool), names(STOP), names(OWN), names(USER)], [false, false, false, true]);
        let told = Telling::at(USER, &renamed, &news(0, 0)).applied(&renamed);
        assert!(!Telling::at(USER, &told, &news(0, 0)).name);
    }
}
