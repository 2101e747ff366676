//! Any values in a row of the embedded store.

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::{broadcasts, entry, presence};
use crate::fuzz::input::Input;
use crate::model::Millis;
use crate::store::Policy;

/// How many columns a message has.
const COLUMNS: usize = 22;
const POLICY: Policy = Policy { ttl: Duration::from_secs(60), max_inbox: 10, max_broadcasts: 10, max_deliveries: 3 };

thread_local! {
    static SQL: Connection = match Connection::open_in_memory() {
        Ok(sql) => sql,
        Err(error) => panic!("{error}"),
    };
}

/// A row is a message or says why not; never both, never a panic.
pub fn row(input: &mut Input<'_>) {
    let values: Vec<Value> = (0..COLUMNS).map(|_| value(input)).collect();
    let now = Millis(input.number());
    let marks = (1..=COLUMNS).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
    SQL.with(|sql| {
        let Ok(mut query) = sql.prepare_cached(&format!("SELECT {marks}")) else { panic!("the query is not legal") };
        let read = query.query_row(rusqlite::params_from_iter(values.iter()), |row| {
            let _ = broadcasts::read(row);
            entry::Entry::read(row)
        });
        let Ok(entry) = read else { return };
        assert!(entry.message.is_ok() == entry.unreadable().is_none());
        let record = entry.record(now, &POLICY);
        assert!(record.is_none() || entry.message.is_ok());
        let _ = (entry.fate(now, &POLICY), entry.receipt(), entry.ends(), entry.cause());
    });
    if let Some(name) = presence::decode(&input.text()) {
        assert_eq!(presence::decode(&presence::encode(&name)), Some(name));
    }
}

fn value(input: &mut Input<'_>) -> Value {
    match input.byte() % 8 {
        0 => Value::Null,
        1 | 2 => Value::Integer(input.number()),
        3 => Value::Integer(i64::from(input.byte())),
        4 => Value::Real(f64::from_bits(input.number().cast_unsigned())),
        5 => Value::Blob(input.bytes().to_vec()),
        6 => Value::Blob((0..16).map(|_| input.byte()).collect()),
        _ => Value::Text(input.text()),
    }
}
