//! Any settings, from variables and from a file, and the addresses and the choice among them.

use std::path::Path;

use super::{CONFIG_KEYS, Env, Settings, parse_config};
use crate::error::Error;
use crate::fuzz::input::Input;
use crate::store::address::Address;
use crate::store::valkey;

/// What every token begins with here, and nothing else has.
const SECRET: &str = "geheim";

/// Settings are read or refused with a word of what to do, and no secret is in that word.
pub fn settings(bytes: &[u8]) {
    if String::from_utf8_lossy(bytes).contains(SECRET) {
        return;
    }
    let mut input = Input::new(bytes);
    let mut env = vec![("POSTINO_HOME".to_owned(), "/nowhere".to_owned())];
    for _ in 0..input.byte() % 4 {
        let (key, value) = (input.one_of(&CONFIG_KEYS), input.text());
        let value = if key == "api_token" { format!("{SECRET}{value}") } else { value };
        env.push((format!("POSTINO_{}", key.to_ascii_uppercase()), value));
    }
    address(&input.text());
    let text = String::from_utf8_lossy(input.rest());
    let file = parse_config(Path::new("/nowhere/config.toml"), &text);
    let read = file.and_then(|file| Settings::from(&Env(env.into_iter().collect()), &file));
    match read {
        Err(error) => judge(&error),
        Ok(settings) => {
            assert!(settings.policy.ttl.as_secs() > 0 && settings.policy.max_inbox > 0);
            let prefix = settings.key_prefix.unwrap_or_default();
            assert!(prefix.len() <= 64 && !prefix.contains(['{', '}', '\n', '\0']), "{prefix:?}");
        }
    }
}

/// An address that is taken can be shown, and parsed again as it is kept.
fn address(text: &str) {
    valkey::fuzz::address(text);
    match Address::parse(text) {
        Ok(address) => {
            let kept = Address::parse(&address.secret()).ok();
            assert!(kept.as_ref() == Some(&address), "{text:?}: {address:?} {kept:?}");
        }
        Err(error) => judge(&error),
    }
}

fn judge(error: &Error) {
    assert!(!error.message.is_empty());
    let hint = error.hint.as_deref().unwrap_or_default();
    assert!(!error.message.contains(SECRET) && !hint.contains(SECRET), "{error:?}");
}
