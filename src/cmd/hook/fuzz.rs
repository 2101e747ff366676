//! Any bytes on a hook's stdin, in pieces of any size, for any event and client.

use std::io::Read;

use super::event::Event;
use super::{answer, wire};
use crate::fuzz::input::Input;
use crate::identity::client::CLIENTS;

const CALLED: [&str; 6] = ["session-start", "user-prompt-submit", "post-tool-use", "stop", "session-end", "unknown"];
/// What postino says is a fact in a line; here it also has what JSON must escape.
const SAID: &str = "[postino] \"1\" unread\\\n\u{1f680}";

/// Gives at most so many bytes at once, as a pipe does.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.len().min(self.1).min(buffer.len());
        let (piece, rest) = self.0.split_at(n);
        buffer[..n].copy_from_slice(piece);
        self.0 = rest;
        Ok(n)
    }
}

/// A client's JSON is understood however it arrives; the answer to it is one line of JSON, or plain text.
pub fn hook(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (called, client, size) = (input.one_of(&CALLED), input.one_of(&CLIENTS), usize::from(input.byte()) + 16);
    let stdin = input.rest();
    let Some(whole) = wire::read(stdin) else { return };
    assert_eq!(wire::read(Pieces(stdin, size)).as_ref(), Some(&whole));
    assert!(whole.session().is_none_or(|id| (1..=256).contains(&id.len())));
    let Some(event) = Event::of(called, &whole) else { return };
    assert!(whole.agent_id.as_deref().is_none_or(str::is_empty), "what subagents do is told to nobody");
    let name = whole.hook_event_name.as_deref().unwrap_or(event.usual_name());
    let Some(said) = answer(event.form(client), name, SAID) else { return };
    if said == format!("{SAID}\n") {
        return;
    }
    assert!(said.find('\n') == Some(said.len() - 1), "one line: {said:?}");
    assert!(serde_json::from_str::<serde_json::Value>(&said).is_ok_and(|json| json.is_object()), "{said:?}");
}
