//! What clients write to a hook's stdin: their JSON, in their words. It does not know what becomes of it.
//!
//! Claude Code's shape is also what Codex and Gemini send; Cursor has other words for the same things. Fields that nobody here
//! needs are skipped, whatever their size; all may be missing.

use std::io::Read;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::surrogates;

/// More than this is not read. A tool's answer can be some megabytes.
const MOST: usize = 32 << 20;
/// A longer session id is none: registrations are small files.
const MOST_OF_AN_ID: usize = 256;
/// How much is read at once: what a pipe holds.
const CHUNK: usize = 64 << 10;
/// How much is read at first: most events are smaller, and fresh memory has its cost.
const FIRST: usize = 8 << 10;

/// A client's JSON.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Wire {
    /// The client's name of the event, e.g. `PostToolUse`.
    #[serde(deserialize_with = "text")]
    pub hook_event_name: Option<String>,
    /// The conversation.
    #[serde(deserialize_with = "text")]
    pub session_id: Option<String>,
    /// The conversation, in Cursor.
    #[serde(deserialize_with = "text")]
    pub conversation_id: Option<String>,
    /// The subagent that the event happened in.
    #[serde(deserialize_with = "text")]
    pub agent_id: Option<String>,
    /// Why a session ended: `clear`, `resume`, `logout`, `other`, …
    #[serde(deserialize_with = "text")]
    pub reason: Option<String>,
    /// How a turn ended, in Cursor: `completed`, `aborted` or `error`.
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    /// What the user, or the client itself, said.
    #[serde(deserialize_with = "text")]
    pub prompt: Option<String>,
}

/// A text; one that is something else counts as missing, and silences nothing.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Text(String),
        Other(IgnoredAny),
    }
    Ok(match Given::deserialize(from)? {
        Given::Text(text) => Some(text),
        Given::Other(_) => None,
    })
}

impl Wire {
    /// The conversation's id, of 1 to 256 bytes.
    pub fn session(&self) -> Option<&str> {
        let id = self.session_id.as_deref().or(self.conversation_id.as_deref());
        id.filter(|id| (1..=MOST_OF_AN_ID).contains(&id.len()))
    }
}

/// Reads a client's JSON, and no further than its end: not every client closes the pipe. `None` when it is none.
pub fn read(mut from: impl Read) -> Option<Wire> {
    let mut text = Vec::new();
    loop {
        let start = text.len();
        text.resize(start + if start == 0 { FIRST } else { CHUNK }, 0);
        let n = from.read(&mut text[start..]).ok()?;
        text.truncate(start + n);
        if text.trim_ascii_end().ends_with(b"}")
            && let Some(wire) = parse(&mut text)
        {
            return Some(wire);
        }
        if n == 0 || text.len() > MOST {
            return None;
        }
    }
}

/// The JSON that this is by now. A text that was cut in the middle of a character must not silence the hook.
fn parse(text: &mut [u8]) -> Option<Wire> {
    serde_json::from_slice(text).ok().or_else(|| {
        surrogates::mend(text);
        serde_json::from_slice(text).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its pieces one by one, and then never ends: to read on is a failure.
    struct Pipe<'a>(Vec<&'a [u8]>);

    impl Read for Pipe<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            assert!(!self.0.is_empty(), "read beyond the end of the JSON");
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    fn of(text: &str) -> Wire {
        read(Pipe(vec![text.as_bytes()])).unwrap()
    }

    #[test]
    fn claudes_payloads_are_understood() {
        let start = of(
            r#"{"session_id":"s-1","transcript_path":"/t.jsonl","cwd":"/w","hook_event_name":"SessionStart","source":"startup"}"#,
        );
        assert_eq!((start.session(), start.hook_event_name.as_deref()), (Some("s-1"), Some("SessionStart")));
        let tool = of(
            r#"{"session_id":"s-1","transcript_path":"/t.jsonl","cwd":"/w","permission_mode":"default","agent_id":"a1",
                "agent_type":"Explore","hook_event_name":"PostToolUse","effort":{"level":"high"},"tool_name":"Bash",
                "tool_input":{"command":"echo '}'"},"tool_response":{"stdout":"}\n","agent_id":"not this"},"tool_use_id":"t"}"#,
        );
        assert_eq!(tool.agent_id.as_deref(), Some("a1"));
        let end = of("{\"session_id\":\"s-1\",\"hook_event_name\":\"SessionEnd\",\"reason\":\"clear\"}\n");
        assert_eq!(end.reason.as_deref(), Some("clear"));
    }

    #[test]
    fn cursors_words_are_understood() {
        let wire = of(
            r#"{"conversation_id":"c-1","generation_id":"g","hook_event_name":"stop","status":"completed","loop_count":0}"#,
        );
        assert_eq!((wire.session(), wire.status.as_deref()), (Some("c-1"), Some("completed")));
        assert_eq!(of(r#"{"conversation_id":"c","session_id":"s"}"#).session(), Some("s"));
        assert_eq!(of(&format!(r#"{{"session_id":"{}"}}"#, "s".repeat(257))).session(), None);
    }

    #[test]
    fn pieces_are_put_together_also_where_one_ends_with_a_brace() {
        let pieces: Vec<&[u8]> = vec![br#"{"tool_input":{"a":1}"#, br#","session"#, br#"_id":"s"}"#];
        assert_eq!(read(Pipe(pieces)).unwrap().session(), Some("s"));
        let long = format!(r#"{{"tool_response":"{}","session_id":"s"}}"#, "x".repeat(3 * CHUNK));
        assert_eq!(read(long.as_bytes()).unwrap().session(), Some("s"));
    }

    #[test]
    fn half_a_character_is_no_reason_to_be_silent() {
        let wire = of(r#"{"session_id":"s","tool_response":"\ud83d","prompt":"cut \ud83d"}"#);
        assert_eq!((wire.session(), wire.prompt.as_deref()), (Some("s"), Some("cut \u{fffd}")));
    }

    #[test]
    fn a_field_of_another_type_counts_as_missing() {
        let wire = of(r#"{"session_id":"s","reason":3,"prompt":["a",{"b":"c"}],"status":null,"agent_id":{"a":[]}}"#);
        assert_eq!(wire, Wire { session_id: Some("s".to_owned()), ..Wire::default() });
        assert_eq!(of(r#"{"session_id":7}"#).session(), None);
    }

    #[test]
    fn what_is_no_json_of_a_client_is_nothing() {
        let deep = "[".repeat(100_000);
        for text in ["", " ", "{", "}", "null", "[]", "{\"session_id\":\"s\"}}", "\u{0}", "Hello", &deep] {
            assert_eq!(read(text.as_bytes()), None, "{:?}", &text[..text.len().min(20)]);
        }
        assert_eq!(read(&b"\xff{\"session_id\":\"\xff\"}"[..]), None);
        assert_eq!(read(std::io::repeat(b'}')), None);
    }
}
