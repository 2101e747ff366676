//! What stands in a body or a query, held against the fields that a route takes. Requests are parsed by their own types; only when
//! that fails is each field looked at by itself, to say which one is wrong and why.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::answer::Answer;
use crate::error::{Error, Kind};

/// The fields of a request.
pub(super) type Fields = Map<String, Value>;

/// One field that a route takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// What it is called.
    pub(super) name: &'static str,
    /// Whether it must be there.
    pub(super) needed: bool,
    /// What is wrong with a value.
    check: fn(&Value) -> Option<String>,
    /// What a query's text becomes.
    read: fn(&str) -> Value,
}

impl Field {
    /// A text of this type.
    pub(super) const fn text<T: DeserializeOwned>(name: &'static str) -> Field {
        Field { name, needed: false, check: wrong::<T>, read: |text| Value::from(text) }
    }

    /// A whole number.
    pub(super) const fn whole(name: &'static str) -> Field {
        let read = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
        Field { name, needed: false, check: |value| (!value.is_i64()).then(|| "is no whole number".to_owned()), read }
    }

    /// Yes or no.
    pub(super) const fn flag(name: &'static str) -> Field {
        let read = |text: &str| text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from);
        Field {
            name,
            needed: false,
            check: |value| (!value.is_boolean()).then(|| "is neither true nor false".to_owned()),
            read,
        }
    }

    /// A list of texts of this type.
    pub(super) const fn list<T: DeserializeOwned>(name: &'static str) -> Field {
        let check = |value: &Value| match value {
            Value::Array(items) => items.iter().find_map(wrong::<T>),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                Some("is no list".to_owned())
            }
        };
        Field { name, needed: false, check, read: |text| Value::from(text) }
    }

    /// The same field, which must be there.
    pub(super) const fn needed(self) -> Field {
        Field { needed: true, ..self }
    }
}

/// What keeps a value from being a text of this type.
fn wrong<T: DeserializeOwned>(value: &Value) -> Option<String> {
    if !value.is_string() {
        return Some("is no text".to_owned());
    }
    // The only errors of these types over a text are their own words.
    T::deserialize(value).err().map(|error| error.to_string())
}

/// The fields of a query. An answer when one is there twice.
pub(super) fn of_query(pairs: Vec<(String, String)>, known: &[Field]) -> Result<Fields, Answer> {
    let mut fields = Fields::new();
    for (name, text) in pairs {
        let value = known.iter().find(|field| field.name == name).map_or(Value::Null, |field| (field.read)(&text));
        if fields.insert(name.clone(), value).is_some() {
            return Err(unfit(BTreeMap::from([(name, "stands there twice".to_owned())])));
        }
    }
    Ok(fields)
}

/// The fields of a body: a JSON object, or nothing at all.
pub(super) fn of_body(body: &[u8]) -> Result<Fields, Answer> {
    if body.is_empty() {
        return Ok(Fields::new());
    }
    serde_json::from_slice(body).map_err(|error| {
        let error = Error::new(Kind::Usage, "the request's body is no JSON object").because(error);
        Answer::of(&error.hint("send an object such as {\"to\":\"reviewer\",\"body\":\"Hello\"}"))
    })
}

/// Takes one field out of the others, parsed.
pub(super) fn take<T: DeserializeOwned>(fields: &mut Fields, name: &'static str) -> Result<Option<T>, Answer> {
    let Some(value) = fields.remove(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let fault = |wrong: String| unfit(BTreeMap::from([(name.to_owned(), wrong)]));
    if let Some(wrong) = wrong::<T>(&value) {
        return Err(fault(wrong));
    }
    T::deserialize(value).map(Some).map_err(|error| fault(error.to_string()))
}

/// The request that these fields make.
pub(super) fn parsed<T: DeserializeOwned>(fields: Fields, known: &[Field]) -> Result<T, Answer> {
    let kept = fields.clone();
    T::deserialize(Value::Object(fields)).map_err(|error| {
        let mut found = faults(&kept, known);
        if found.is_empty() {
            // Every field by itself is right, and yet they make no request.
            found.insert(String::new(), error.to_string());
        }
        unfit(found)
    })
}

/// What is wrong with each field.
fn faults(fields: &Fields, known: &[Field]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for field in known {
        let wrong = match fields.get(field.name) {
            None | Some(Value::Null) if field.needed => Some("is missing".to_owned()),
            None | Some(Value::Null) => None,
            Some(value) => (field.check)(value),
        };
        found.extend(wrong.map(|wrong| (field.name.to_owned(), wrong)));
    }
    for name in fields.keys().filter(|name| known.iter().all(|field| field.name != **name)) {
        found.insert(name.clone(), "is not known here".to_owned());
    }
    found
}

fn unfit(faults: BTreeMap<String, String>) -> Answer {
    let first = faults.iter().next().map(|(name, wrong)| format!("{name}: {wrong}")).unwrap_or_default();
    let error = Error::new(Kind::Usage, format!("the request does not fit: {first}"))
        .hint("GET /api/openapi.json says what each request takes");
    Answer::failure(400, &error, &faults)
}
