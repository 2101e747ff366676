//! The words of the domain from any text: what is taken is legal, and says the same when it is written and read again.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{AgentName, Body, Broadcast, Cursor, Event, Key, Message, MessageId, Millis, Receipt};
use crate::store::Record;

/// Any text as each of the words, and as each of the records that are made of them.
pub fn words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    names(text);
    exact::<MessageId>(text);
    exact::<Receipt>(text);
    exact::<Body>(text);
    exact::<Key>(text);
    stable::<Millis>(text);
    stable::<Cursor>(text);
    if let Ok(body) = text.parse::<Body>() {
        assert!((1..=32_768).contains(&body.as_str().chars().count()) && !body.as_str().trim().is_empty());
    }
    if let Ok(key) = text.parse::<Key>() {
        assert!((1..=128).contains(&key.as_str().chars().count()) && !key.as_str().chars().any(char::is_control));
    }
    json::<Message>(text);
    json::<Broadcast>(text);
    json::<Event>(text);
    json::<Record>(text);
}

fn names(text: &str) {
    exact::<AgentName>(text);
    let parsed = text.parse::<AgentName>().ok();
    assert!(parsed.is_none() || is_name(text), "{text:?}");
    let made = AgentName::from_any_text(text);
    assert_eq!(made.is_some(), text.chars().any(|c| c.is_ascii_alphanumeric()), "{text:?}");
    for name in parsed.into_iter().chain(made) {
        for name in [name.spare(2), name.spare(u32::MAX), name] {
            assert!(is_name(name.as_str()), "{name:?}");
        }
    }
}

/// A legal name, told by its bytes: nothing that a key, a path, a header or a page would read as anything else.
fn is_name(text: &str) -> bool {
    let (letters, marks) = (|byte: u8| byte.is_ascii_alphanumeric(), b"._-");
    text.bytes().next().is_some_and(letters)
        && text.len() <= 64
        && text.bytes().all(|byte| letters(byte) || marks.contains(&byte))
}

/// Taken only as it is written.
fn exact<T: FromStr + Display + Debug + PartialEq + Serialize + DeserializeOwned>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
    stable::<T>(text);
}

/// The same when it is written and read again, as text and as JSON; and JSON takes no more than text does.
fn stable<T: FromStr + Display + Debug + PartialEq + Serialize + DeserializeOwned>(text: &str) {
    let quoted = serde_json::Value::String(text.to_owned());
    let (parsed, from_json) = (text.parse::<T>().ok(), serde_json::from_value::<T>(quoted).ok());
    assert_eq!(parsed, from_json, "{text:?}");
    if let Some(value) = parsed {
        assert_eq!(value.to_string().parse::<T>().ok().as_ref(), Some(&value));
    }
}

/// JSON that is taken is the same when it is written and read again.
fn json<T: Serialize + DeserializeOwned + Debug + PartialEq>(text: &str) {
    let Ok(value) = serde_json::from_str::<T>(text) else { return };
    let written = serde_json::to_string(&value).unwrap_or_default();
    assert_eq!(serde_json::from_str::<T>(&written).ok(), Some(value), "{written}");
}
