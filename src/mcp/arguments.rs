//! Arguments of tools: their schemas, derived from the request types, and what is said about arguments that do not fit.
//!
//! What a caller did wrong is told in words of ours, never in those of a JSON library.

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Kind, Result};

/// How much of a foreign name is told back, in characters.
const MOST_SHOWN: usize = 64;

/// The schema of what a request accepts, without the fields that a tool does not offer.
pub(super) fn accepted<T: JsonSchema>(hidden: &[&str]) -> JsonObject {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.transforms.push(Box::new(without_null as fn(&mut schemars::Schema)));
    });
    let mut schema = plain::<T>(settings);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !hidden.contains(&name.as_str()));
    }
    schema
}

/// The schema of what an answer looks like, without descriptions: models are not shown it.
pub(super) fn answered<T: JsonSchema>() -> JsonObject {
    let bare = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.transforms.push(Box::new(bare as fn(&mut schemars::Schema)));
    });
    plain::<T>(bare)
}

fn plain<T: JsonSchema>(settings: SchemaSettings) -> JsonObject {
    let settings = settings.with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
        settings.transforms.push(Box::new(tidy as fn(&mut schemars::Schema)));
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("description");
    schema.as_object().cloned().unwrap_or_default()
}

/// Leaves out what tells a model nothing, and says an enumeration in the form that every client knows.
fn tidy(schema: &mut schemars::Schema) {
    for noise in ["title", "format"] {
        schema.remove(noise);
    }
    if let Some(choices) = list(schema, "oneOf")
        && let Some(names) = choices.iter().map(|choice| choice.get("const").cloned()).collect::<Option<Vec<_>>>()
    {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), "string".into());
        schema.insert("enum".to_owned(), names.into());
    }
    transform_subschemas(&mut (tidy as fn(&mut schemars::Schema)), schema);
}

fn list(schema: &schemars::Schema, key: &str) -> Option<Vec<Value>> {
    schema.get(key).and_then(Value::as_array).cloned()
}

/// Says nothing of null: an argument that is not given is left out, and some clients know no type that is two.
fn without_null(schema: &mut schemars::Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some([Value::String(kind), Value::String(null)]) = list(schema, "type").as_deref()
        && null == "null"
    {
        schema.insert("type".to_owned(), kind.as_str().into());
    }
    if let Some([inner, null]) = list(schema, "anyOf").as_deref()
        && null.get("type").is_some_and(|kind| kind == "null")
        && let Some(inner) = inner.as_object()
    {
        schema.remove("anyOf");
        for (key, value) in inner {
            schema.insert(key.clone(), value.clone());
        }
    }
    transform_subschemas(&mut (without_null as fn(&mut schemars::Schema)), schema);
}

fn bare(schema: &mut schemars::Schema) {
    schema.remove("description");
    transform_subschemas(&mut (bare as fn(&mut schemars::Schema)), schema);
}

/// Reads a tool's arguments. `Usage` says which one is wrong and what is right.
pub(super) fn read<T: DeserializeOwned>(tool: &str, schema: &JsonObject, arguments: JsonObject) -> Result<T> {
    let usage = |problem: String| Error::new(Kind::Usage, problem).hint(format!("correct it and call {tool} again"));
    let none = JsonObject::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let mut given = arguments;
    // A missing argument and one that is null say the same.
    given.retain(|_, value| !value.is_null());
    if let Some(foreign) = given.keys().find(|name| !properties.contains_key(*name)) {
        let shown: String = foreign.chars().take(MOST_SHOWN).collect();
        return Err(usage(format!("{tool} takes no argument {shown:?}; {}", takes(properties))));
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if !given.contains_key(name) {
            return Err(usage(format!("{tool} needs the argument {name:?}; {}", takes(properties))));
        }
    }
    for (name, value) in &given {
        if let Some(wanted) = properties.get(name).and_then(|property| unfit(property, value)) {
            return Err(usage(format!("the argument {name:?} of {tool} must be {wanted}")));
        }
    }
    // What is left to refuse is refused by the words of the domain, in their own words.
    serde_json::from_value(Value::Object(given)).map_err(|error| usage(error.to_string()))
}

fn takes(properties: &JsonObject) -> String {
    let names: Vec<&str> = properties.keys().map(String::as_str).collect();
    if names.is_empty() { "it takes none".to_owned() } else { format!("it takes {}", names.join(", ")) }
}

/// What a value would have to be to fit; nothing when it fits.
fn unfit(property: &Value, value: &Value) -> Option<String> {
    let choices: Vec<&str> =
        property.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if !choices.is_empty() {
        let fits = value.as_str().is_some_and(|value| choices.contains(&value));
        return (!fits).then(|| format!("one of {}", choices.join(", ")));
    }
    let (fits, wanted) = match property.get("type").and_then(Value::as_str)? {
        "string" => (value.is_string(), "a text"),
        "integer" => (value.is_i64(), "a whole number"),
        "boolean" => (value.is_boolean(), "true or false"),
        "array" => {
            let item = property.get("items");
            let fits = |value: &Value| item.is_none_or(|item| unfit(item, value).is_none());
            (value.as_array().is_some_and(|values| values.iter().all(fits)), "a list of texts")
        }
        _ => return None,
    };
    (!fits).then(|| wanted.to_owned())
}
