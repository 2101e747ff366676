//! Any answer of a Valkey server, and any address of one.

use redis::Value;

use super::address::Address;
use super::record::Stored;
use super::reply::Row;
use super::{feed, health, mail, parcels, people, redacted, trouble};
use crate::fuzz::input::Input;
use crate::model::{Generation, Millis};

/// Lists in lists are read so deep; no script answers with more.
const DEPTH: usize = 4;

/// An answer is read, or refused as one that cannot be understood.
pub fn answer(input: &mut Input<'_>) {
    let what = input.byte();
    let value = value(input, DEPTH);
    if let Some(error) = trouble::error_of(&value) {
        let _ = trouble::code_of(&error);
    }
    if let Value::Array(replies) = &value {
        let _ = health::read(replies.clone(), Millis(0));
    }
    let Ok(mut row) = Row::of(value) else { return };
    match what % 10 {
        0 => {
            let sorts = ["mailboxes", "names", "mail", "announcements", "notices", "keys", "counters"];
            let Ok(parcel) = parcels::read(input.one_of(&sorts), row) else { return };
            let (_, values) = parcels::packed(&parcel);
            assert!(!values.is_empty());
        }
        1 => {
            let Ok(stored) = Stored::read(row) else { return };
            let message = stored.message();
            assert!(stored.record().is_err() || message.is_ok());
            let _ = (stored.leased(), stored.receipt(), stored.death(), stored.mailbox(), stored.rank());
        }
        2 => drop(mail::batch(&mut row, Stored::leased)),
        3 => drop(mail::dead_letter(row)),
        4 => drop((mail::newest(&mut row), mail::missing(row))),
        5 => drop(feed::item(row)),
        6 => drop(feed::event("01234567", row)),
        7 => drop(people::agent(row)),
        8 => drop(people::live(row)),
        _ => {
            let (word, details) = (row.text().unwrap_or_default(), row.details());
            assert!(!trouble::refusal(&word, &details).message.is_empty());
            let _ = people::holder_of(Generation(1), &word);
        }
    }
}

fn value(input: &mut Input<'_>, depth: usize) -> Value {
    match input.byte() % 8 {
        0 => Value::Nil,
        1 => Value::Int(input.number()),
        2 | 3 if depth > 0 => {
            let n = usize::from(input.byte() % 32);
            Value::Array((0..n).map_while(|_| (!input.is_empty()).then(|| value(input, depth - 1))).collect())
        }
        4 => Value::SimpleString(input.text()),
        5 => Value::Okay,
        _ => Value::BulkString(input.bytes().to_vec()),
    }
}

/// An address is taken apart or refused; in neither case is its password shown.
pub fn address(url: &str) {
    let shown = redacted(url);
    let Some((_, rest)) = url.split_once("://") else { return };
    let Ok(address) = Address::parse(url) else { return };
    assert_eq!(address.shown, shown);
    assert!(!address.nodes.is_empty());
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let raw = authority.rsplit_once('@').and_then(|(credentials, _)| credentials.split_once(':'));
    if let Some((user, password)) = raw.filter(|(_, password)| !password.is_empty()) {
        assert!(address.password.is_some());
        let others = url.replacen(&format!("{user}:{password}@"), &format!("{user}@"), 1);
        // What stands in a password's place may look like one, together with what is beside it.
        let bare = shown.replacen(&format!("{user}:***@"), &format!("{user}@"), 1);
        assert!(others.contains(password) || !bare.contains(password), "{url} {shown}");
    }
}
