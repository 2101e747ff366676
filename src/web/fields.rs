//! What stands in a body or a query, held against the fields that a route takes. Requests are parsed by their own types; only when
//! that fails is each field looked at by itself, to say which one is wrong and why.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::answer::Answer;
use crate::error::{Error, Kind};

/// What is said of a field that a route does not take.
const UNKNOWN: &str = "is not known here";

/// What is said of one that it needs and did not get.
const MISSING: &str = "is missing";

/// The fields of a request.
pub(super) type Fields = Map<String, Value>;

/// What may stand in a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// A text of the schema of this name.
    Text(&'static str),
    /// One of the words of the schema of this name.
    Word(&'static str),
    /// A whole number from one to another.
    Whole(i64, i64),
    /// Yes or no.
    Flag,
    /// At least one text of the schema of this name, and at most so many.
    List(&'static str, u64),
}

/// One field that a route takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// What it is called.
    pub(super) name: &'static str,
    /// Whether it must be there.
    pub(super) needed: bool,
    /// What may stand in it.
    pub(super) shape: Shape,
    /// What is wrong with a value of the right sort.
    check: fn(&Value) -> Option<String>,
}

impl Field {
    /// A text of this type, whose schema has this name.
    pub(super) const fn text<T: DeserializeOwned>(name: &'static str, schema: &'static str) -> Field {
        Field { name, needed: false, shape: Shape::Text(schema), check: wrong::<T> }
    }

    /// A word of this type, whose schema has this name.
    pub(super) const fn word<T: DeserializeOwned>(name: &'static str, schema: &'static str) -> Field {
        let check = |value: &Value| T::deserialize(value).err().map(|_| "is none of the words known here".to_owned());
        Field { name, needed: false, shape: Shape::Word(schema), check }
    }

    /// A whole number.
    pub(super) const fn whole(name: &'static str, least: i64, most: i64) -> Field {
        let check = |value: &Value| (!value.is_i64()).then(|| "is no whole number".to_owned());
        Field { name, needed: false, shape: Shape::Whole(least, most), check }
    }

    /// Yes or no.
    pub(super) const fn flag(name: &'static str) -> Field {
        let check = |value: &Value| (!value.is_boolean()).then(|| "is neither true nor false".to_owned());
        Field { name, needed: false, shape: Shape::Flag, check }
    }

    /// A list of texts of this type, whose schema has this name.
    pub(super) const fn list<T: DeserializeOwned>(name: &'static str, schema: &'static str, most: u64) -> Field {
        let check = |value: &Value| match value.as_array() {
            Some(items) => items.iter().find_map(wrong::<T>),
            None => Some("is no list".to_owned()),
        };
        Field { name, needed: false, shape: Shape::List(schema, most), check }
    }

    /// The same field, which must be there.
    pub(super) const fn needed(self) -> Field {
        Field { needed: true, ..self }
    }

    /// Whether `null` says the same as leaving it out.
    pub(super) fn is_nullable(&self) -> bool {
        !self.needed && !matches!(self.shape, Shape::Flag | Shape::Word(_))
    }

    /// What the text in a query means.
    fn read(&self, text: &str) -> Value {
        let number = |text: &str| text.parse::<i64>().ok().filter(|_| !text.starts_with('+')).map(Value::from);
        let meant = match self.shape {
            Shape::Whole(..) => number(text),
            Shape::Flag => text.parse::<bool>().ok().map(Value::from),
            Shape::Text(_) | Shape::Word(_) | Shape::List(..) => None,
        };
        meant.unwrap_or_else(|| Value::from(text))
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

/// The fields of a query. An answer when one is there twice, or not known.
pub(super) fn of_query(pairs: Vec<(String, String)>, known: &[Field]) -> Result<Fields, Answer> {
    let mut fields = Fields::new();
    for (name, text) in pairs {
        let Some(field) = known.iter().find(|field| field.name == name) else {
            return Err(unfit(&BTreeMap::from([(name, UNKNOWN.to_owned())])));
        };
        if fields.insert(name.clone(), field.read(&text)).is_some() {
            return Err(unfit(&BTreeMap::from([(name, "stands there twice".to_owned())])));
        }
    }
    Ok(fields)
}

/// The fields of a body: a JSON object, or nothing at all.
pub(super) fn of_body(body: &[u8], known: &[Field]) -> Result<Fields, Answer> {
    if body.is_empty() {
        return Ok(Fields::new());
    }
    let mut fields: Fields = serde_json::from_slice(body).map_err(|error| {
        let error = Error::new(Kind::Usage, "the request's body is no JSON object").because(error);
        Answer::of(&error.hint("send an object such as {\"to\":\"reviewer\",\"body\":\"Hello\"}"))
    })?;
    for field in known.iter().filter(|field| matches!(field.shape, Shape::Whole(..))) {
        if let Some(value) = fields.get_mut(field.name)
            && let Some(whole) = whole(value)
        {
            *value = whole.into();
        }
    }
    Ok(fields)
}

/// The whole number that is written as a broken one: JSON does not tell 5 from 5.0.
fn whole(value: &Value) -> Option<i64> {
    let number = value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0 && number.abs() < 9e15)?;
    // Exact: it has no fraction and fits.
    format!("{number:.0}").parse().ok()
}

/// Takes one field out of the others, parsed.
pub(super) fn take<T: DeserializeOwned>(fields: &mut Fields, name: &'static str) -> Result<Option<T>, Answer> {
    let Some(value) = fields.remove(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let fault = |wrong: String| unfit(&BTreeMap::from([(name.to_owned(), wrong)]));
    if let Some(wrong) = wrong::<T>(&value) {
        return Err(fault(wrong));
    }
    T::deserialize(value).map(Some).map_err(|error| fault(error.to_string()))
}

/// The request that these fields make.
pub(super) fn parsed<T: DeserializeOwned>(fields: Fields, known: &[Field]) -> Result<T, Answer> {
    let kept = fields.clone();
    T::deserialize(Value::Object(fields)).map_err(|_| unfit(&faults(&kept, known)))
}

/// What is wrong with each field.
fn faults(fields: &Fields, known: &[Field]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for field in known {
        let wrong = match fields.get(field.name) {
            None | Some(Value::Null) if field.needed => Some(MISSING.to_owned()),
            None | Some(Value::Null) => None,
            Some(value) => (field.check)(value),
        };
        found.extend(wrong.map(|wrong| (field.name.to_owned(), wrong)));
    }
    for name in fields.keys().filter(|name| known.iter().all(|field| field.name != **name)) {
        found.insert(name.clone(), UNKNOWN.to_owned());
    }
    found
}

/// The answer when a field that must be there is not.
pub(super) fn missing(name: &str) -> Answer {
    unfit(&BTreeMap::from([(name.to_owned(), MISSING.to_owned())]))
}

fn unfit(faults: &BTreeMap<String, String>) -> Answer {
    let first = faults.iter().next().map(|(name, wrong)| format!(": {name}: {wrong}")).unwrap_or_default();
    let error = Error::new(Kind::Usage, format!("the request does not fit{first}"))
        .hint("GET /api/openapi.json says what each request takes");
    Answer::failure(400, &error, faults)
}
