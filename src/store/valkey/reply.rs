//! Answers of scripts, read value by value. It knows no verb; a value of another sort than expected is an error, never
//! a panic.

use std::fmt::Display;
use std::str::FromStr;
use std::vec::IntoIter;

use redis::Value;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as WordError, StrDeserializer};

use crate::error::{Error, Kind, Result};

/// The values of one list, taken from the front.
pub(super) struct Row(IntoIter<Value>);

impl Row {
    /// The values of a list.
    pub(super) fn of(value: Value) -> Result<Row> {
        let Value::Array(values) = value else { return Err(strange("a list is missing")) };
        Ok(Row(values.into_iter()))
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// Everything that is left.
    pub(super) fn values(self) -> impl Iterator<Item = Value> {
        self.0
    }

    /// The next value, whatever it is.
    pub(super) fn value(&mut self) -> Result<Value> {
        self.take()
    }

    fn take(&mut self) -> Result<Value> {
        self.0.next().ok_or_else(|| strange("it is too short"))
    }

    /// A list inside the list.
    pub(super) fn row(&mut self) -> Result<Row> {
        Row::of(self.take()?)
    }

    /// A list of lists.
    pub(super) fn rows(&mut self) -> Result<Vec<Row>> {
        self.row()?.0.map(Row::of).collect()
    }

    /// A text, or nothing.
    pub(super) fn maybe_text(&mut self) -> Result<Option<String>> {
        text(self.take()?)
    }

    /// A text.
    pub(super) fn text(&mut self) -> Result<String> {
        self.maybe_text()?.ok_or_else(|| strange("a text is missing"))
    }

    /// All that is left, as texts; what is none becomes empty.
    pub(super) fn details(self) -> Vec<String> {
        self.0.map(|value| text(value).ok().flatten().unwrap_or_default()).collect()
    }

    /// A number, or nothing.
    pub(super) fn maybe_number<N: FromStr>(&mut self) -> Result<Option<N>> {
        let Some(text) = self.maybe_text()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| strange("a number is not legal"))
    }

    /// A number.
    pub(super) fn number<N: FromStr>(&mut self) -> Result<N> {
        self.maybe_number()?.ok_or_else(|| strange("a number is missing"))
    }

    /// Whether a number is not zero.
    pub(super) fn flag(&mut self) -> Result<bool> {
        Ok(self.number::<i64>()? != 0)
    }

    /// A text of the domain: a name, an id.
    pub(super) fn parsed<T: FromStr>(&mut self) -> Result<T> {
        self.text()?.parse().map_err(|_| strange("a text is not legal"))
    }

    /// A text of the domain, or nothing; an empty text counts as nothing.
    pub(super) fn maybe_parsed<T: FromStr>(&mut self) -> Result<Option<T>> {
        match self.maybe_text()?.filter(|text| !text.is_empty()) {
            Some(text) => text.parse().map(Some).map_err(|_| strange("a text is not legal")),
            None => Ok(None),
        }
    }

    /// A word of one of the domain's enums.
    pub(super) fn word<T: DeserializeOwned>(&mut self) -> Result<T> {
        word(&self.text()?).ok_or_else(|| strange("a word is not known"))
    }
}

/// A value as text; numbers too.
pub(super) fn text(value: Value) -> Result<Option<String>> {
    redis::from_redis_value(value).map_err(|error| strange("a text is missing").because(error))
}

/// The value of an enum that serde writes as this word.
pub(super) fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    T::deserialize(StrDeserializer::<WordError>::new(text)).ok()
}

/// The word that serde writes for a value of an enum.
pub(super) fn spelled<T: serde::Serialize>(value: T) -> String {
    serde_json::to_value(value).ok().as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

/// An answer that postino's own scripts do not give.
pub(super) fn strange(why: impl Display) -> Error {
    Error::new(Kind::Other, format!("the store's answer cannot be understood: {why}"))
        .hint("another version of postino may share this store; `postino doctor` looks for the reason")
}
