//! Reading a JSON document: its tree with the places of everything in the text. It knows no settings.

use std::ops::Range;

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value as Json;

use super::place::Container;
use crate::cmd::install::edit::Flaw;

/// What a document may hold beyond JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Nothing.
    Strict,
    /// Comments and trailing commas.
    Comments,
}

/// The tree of a document. A flaw when it is not valid, or empty.
pub fn parse(text: &str, dialect: Dialect) -> Result<Value<'_>, Flaw> {
    if dialect == Dialect::Strict {
        serde_json::from_str::<serde::de::IgnoredAny>(text)
            .map_err(|error| Flaw { line: error.line().max(1), what: "is not valid JSON".into() })?;
    }
    let lenient = dialect == Dialect::Comments;
    let options = ParseOptions {
        allow_comments: lenient,
        allow_trailing_commas: lenient,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options)
        .map_err(|error| Flaw { line: error.line_display(), what: "is not valid JSON".into() })?;
    parsed.value.ok_or_else(|| Flaw { line: 1, what: "is empty".into() })
}

/// The value as an object. A flaw when it is something else; `name` is what it is called in the document.
pub fn object<'v, 'a>(text: &str, value: &'v Value<'a>, name: &str) -> Result<&'v Object<'a>, Flaw> {
    value.as_object().ok_or_else(|| other_than(text, value, name, "an object"))
}

/// The value as an array. A flaw when it is something else; `name` is what it is called in the document.
pub fn array<'v, 'a>(text: &str, value: &'v Value<'a>, name: &str) -> Result<&'v Array<'a>, Flaw> {
    value.as_array().ok_or_else(|| other_than(text, value, name, "an array"))
}

fn other_than(text: &str, value: &Value<'_>, name: &str, wanted: &str) -> Flaw {
    Flaw { line: line_at(text, range(value).start), what: format!("has {name} as something other than {wanted}") }
}

/// An object's place in the text, and its members'.
pub fn members<'a>(text: &'a str, object: &Object<'_>) -> Container<'a> {
    let items = object.properties.iter().map(|member| member.range.start..member.range.end).collect();
    Container { text, open: object.range.start, items }
}

/// An array's place in the text, and its elements'.
pub fn elements<'a>(text: &'a str, array: &Array<'_>) -> Container<'a> {
    Container { text, open: array.range.start, items: array.elements.iter().map(range).collect() }
}

/// The values of an array's elements.
pub fn values(array: &Array<'_>) -> Vec<Json> {
    array.elements.iter().cloned().map(Json::from).collect()
}

/// Where a key's member stands. Of several with one name the last counts, as it does for whoever reads the document.
pub fn find(object: &Object<'_>, key: &str) -> Option<usize> {
    object.properties.iter().rposition(|member| member.name.as_str() == key)
}

/// The object that holds the last key of a path, and where it does.
pub fn walk<'v, 'a>(root: &'v Value<'a>, path: &[String]) -> Option<(&'v Object<'a>, usize)> {
    let (last, before) = path.split_last()?;
    let mut object = root.as_object()?;
    for key in before {
        object = object.properties[find(object, key)?].value.as_object()?;
    }
    Some((object, find(object, last)?))
}

/// Where a value stands in the text.
pub fn range(value: &Value<'_>) -> Range<usize> {
    let range = match value {
        Value::StringLit(node) => node.range,
        Value::NumberLit(node) => node.range,
        Value::BooleanLit(node) => node.range,
        Value::Object(node) => node.range,
        Value::Array(node) => node.range,
        Value::NullKeyword(node) => node.range,
    };
    range.start..range.end
}

/// The line of an offset, from 1.
pub fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
