//! From a client's event to the few that matter here. Pure; it knows neither stores nor registrations.

use super::wire::Wire;
use crate::identity::client::{Client, Form};

/// How a prompt begins that the client wrote itself: news of a monitor or of a background task, or another session's message.
const CLIENTS_OWN: [&str; 2] = ["<task-notification>", "<cross-session-message "];

/// What happened in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It starts, also again: after a clear, a resume, a compaction.
    Start,
    /// A prompt; by the user, or by the client itself.
    Prompt {
        /// Whether the user said it.
        by_user: bool,
    },
    /// A tool has run.
    Tool,
    /// A turn ends.
    Stop {
        /// Whether it came to its end; one that was broken off is not to go on.
        by_itself: bool,
    },
    /// It ends for good.
    End,
}

impl Event {
    /// The event that a hook was called for. `None` for the unknown, for a subagent's, and for the end of a conversation whose
    /// session goes on.
    pub fn of(called: &str, wire: &Wire) -> Option<Event> {
        if wire.agent_id.as_deref().is_some_and(|id| !id.is_empty()) {
            return None;
        }
        match called {
            "session-start" => Some(Event::Start),
            "user-prompt-submit" => Some(Event::Prompt { by_user: !is_clients_own(wire.prompt.as_deref()) }),
            "post-tool-use" => Some(Event::Tool),
            "stop" => {
                Some(Event::Stop { by_itself: wire.status.as_deref().is_none_or(|status| status == "completed") })
            }
            "session-end" => (!matches!(wire.reason.as_deref(), Some("clear" | "resume"))).then_some(Event::End),
            _ => None,
        }
    }

    /// How this client takes what is to be said at this event.
    pub fn form(self, client: &Client) -> Form {
        match self {
            Event::Start => client.hears.start,
            Event::Prompt { .. } => client.hears.prompt,
            Event::Tool => client.hears.tool,
            Event::Stop { .. } => client.hears.stop,
            Event::End => Form::Nothing,
        }
    }

    /// What Claude Code calls it.
    pub fn usual_name(self) -> &'static str {
        match self {
            Event::Start => "SessionStart",
            Event::Prompt { .. } => "UserPromptSubmit",
            Event::Tool => "PostToolUse",
            Event::Stop { .. } => "Stop",
            Event::End => "SessionEnd",
        }
    }
}

fn is_clients_own(prompt: Option<&str>) -> bool {
    prompt.is_some_and(|prompt| CLIENTS_OWN.iter().any(|start| prompt.trim_start().starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_events_are_told_apart() {
        let of = |called: &str| Event::of(called, &Wire::default());
        assert_eq!(of("session-start"), Some(Event::Start));
        assert_eq!(of("user-prompt-submit"), Some(Event::Prompt { by_user: true }));
        assert_eq!(of("post-tool-use"), Some(Event::Tool));
        assert_eq!(of("stop"), Some(Event::Stop { by_itself: true }));
        assert_eq!(of("session-end"), Some(Event::End));
        for unknown in ["pre-compact", "subagent-stop", "", "Stop", "stop ", "--help", "\u{202e}"] {
            assert_eq!(of(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn a_subagents_events_are_nobodys() {
        let wire = Wire { agent_id: Some("a1".into()), ..Wire::default() };
        for called in ["session-start", "user-prompt-submit", "post-tool-use", "stop", "session-end"] {
            assert_eq!(Event::of(called, &wire), None);
        }
    }

    #[test]
    fn a_cleared_or_changed_conversation_is_no_end() {
        let of = |reason: &str| Event::of("session-end", &Wire { reason: Some(reason.into()), ..Wire::default() });
        assert_eq!([of("clear"), of("resume")], [None; 2]);
        assert_eq!([of("other"), of("logout"), of("prompt_input_exit")], [Some(Event::End); 3]);
    }

    #[test]
    fn a_turn_that_was_broken_off_is_told_apart() {
        let of = |status: &str| Event::of("stop", &Wire { status: Some(status.into()), ..Wire::default() });
        assert_eq!(of("completed"), Some(Event::Stop { by_itself: true }));
        assert_eq!([of("aborted"), of("error")], [Some(Event::Stop { by_itself: false }); 2]);
    }

    #[test]
    fn the_clients_own_prompts_are_not_the_users() {
        let of =
            |prompt: &str| Event::of("user-prompt-submit", &Wire { prompt: Some(prompt.into()), ..Wire::default() });
        for own in ["<task-notification>\n<summary>…", "\n<task-notification>", "<cross-session-message from=\"x\">"]
        {
            assert_eq!(of(own), Some(Event::Prompt { by_user: false }), "{own:?}");
        }
        for users in ["fix it", "what is <task-notification>?", "<cross-session-messages>"] {
            assert_eq!(of(users), Some(Event::Prompt { by_user: true }), "{users:?}");
        }
    }
}
