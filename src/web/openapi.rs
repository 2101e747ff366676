//! The contract of the API as an OpenAPI document, made from the very table that requests are routed by and the schemas beside it.
//! It knows no operation.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::fields::{Field, Shape};
use super::head::Verb;
use super::routes::{ROUTES, Route};

/// What the answers look like, by name.
const SCHEMAS: &str = include_str!("schemas.json");
/// How any request can fail.
const ALWAYS: &[&str] = &["400", "401", "403", "409", "431"];
/// How one with a body can fail besides.
const WITH_BODY: &[&str] = &["408", "413", "415"];

/// The document; the server's own words do not change while it runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| contract().to_string());

/// The document.
pub(super) fn document() -> Answer {
    Answer::document("application/json", &DOCUMENT)
}

fn contract() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(template(route.path)).or_insert_with(|| json!({}));
        path[method(route.verb)] = operation(route);
    }
    paths.insert("/api/events".to_owned(), json!({ "get": events() }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "postino",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Carries messages between agents that share nothing else.",
        },
        "security": [{}, { "bearer": [] }, { "header": [] }, { "cookie": [] }],
        "paths": paths,
        "components": {
            "schemas": serde_json::from_str::<Value>(SCHEMAS).unwrap_or_default(),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "header": { "type": "apiKey", "in": "header", "name": "X-Postino-Token" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "postino-3333", "description": "Set by a one-time link; named by the server's port." },
            },
            "responses": {
                "Failure": failure("It failed"),
                "Busy": busy(),
            },
        },
    })
}

fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::Post => "post",
        Verb::Delete => "delete",
    }
}

/// The variable parts of a path.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix(':'))
}

/// A path with its variable parts in braces.
fn template(path: &str) -> String {
    let part = |part: &str| part.strip_prefix(':').map_or_else(|| part.to_owned(), |name| format!("{{{name}}}"));
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn reference(sort: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{sort}/{name}") })
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = parts(route.path).map(path_parameter).collect();
    let mut operation = json!({ "operationId": route.id, "summary": route.does, "responses": responses(route) });
    match route.verb {
        Verb::Post => operation["requestBody"] = body(route),
        Verb::Get | Verb::Delete => parameters.extend(route.fields.iter().map(query_parameter)),
    }
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    operation
}

fn path_parameter(name: &str) -> Value {
    let schema = if name == "id" { "MessageId" } else { "AgentName" };
    json!({ "name": name, "in": "path", "required": true, "schema": reference("schemas", schema) })
}

fn query_parameter(field: &Field) -> Value {
    json!({ "name": field.name, "in": "query", "required": field.needed, "schema": schema(field) })
}

/// What may stand in a field.
fn schema(field: &Field) -> Value {
    match field.shape {
        Shape::Text(name) | Shape::Word(name) => reference("schemas", name),
        Shape::Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::List(name, most) => {
            json!({ "type": "array", "items": reference("schemas", name), "minItems": 1, "maxItems": most })
        }
    }
}

fn body(route: &Route) -> Value {
    let nullable = |field: &Field| match field.is_nullable() {
        true => json!({ "anyOf": [schema(field), { "type": "null" }] }),
        false => schema(field),
    };
    let properties: Map<_, _> = route.fields.iter().map(|field| (field.name.to_owned(), nullable(field))).collect();
    let required: Vec<_> = route.fields.iter().filter(|field| field.needed).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if route.id == "read" {
        // A peek consumes nothing, so it cannot lease.
        let both = json!({ "peek": { "const": true }, "lease": { "type": "integer" } });
        schema["not"] = json!({ "properties": both, "required": ["peek", "lease"] });
    }
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    json!({ "required": true, "content": { "application/json": { "schema": schema } } })
}

fn responses(route: &Route) -> Value {
    let gives = json!({ "schema": reference("schemas", route.gives) });
    let mut done = json!({ "description": route.does, "content": { "application/json": gives } });
    if let Some(links) = links(route.id) {
        done["links"] = links;
    }
    let mut responses =
        json!({ "200": done, "429": reference("responses", "Busy"), "503": reference("responses", "Busy") });
    let more = if route.verb == Verb::Post { WITH_BODY } else { &[] };
    let names_message = route.path.contains(":id") || route.fields.iter().any(|field| field.name == "after");
    let missing: &[&str] = if names_message { &["404"] } else { &[] };
    for status in ALWAYS.iter().chain(more).chain(missing) {
        responses[*status] = reference("responses", "Failure");
    }
    responses
}

/// What can be done next with an answer.
fn links(id: &str) -> Option<Value> {
    let sent = json!({
        "show": { "operationId": "show", "parameters": { "id": "$response.body#/id" } },
        "read": { "operationId": "read", "parameters": { "agent": "$request.body#/to" } },
        "delete": {
            "operationId": "delete",
            "parameters": { "agent": "$request.body#/to", "id": "$response.body#/id" },
        },
    });
    (id == "send").then_some(sent)
}

fn failure(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/json": { "schema": reference("schemas", "Error") } },
    })
}

fn busy() -> Value {
    let mut busy = failure("The mailbox is full, or the store does not answer: try again later");
    busy["headers"] =
        json!({ "Retry-After": { "schema": { "type": "integer", "minimum": 1 }, "description": "Seconds" } });
    busy
}

fn events() -> Value {
    json!({
        "operationId": "events",
        "summary": "Live events as server-sent events; `Last-Event-ID` resumes without a gap",
        "parameters": [{ "name": "Last-Event-ID", "in": "header", "required": false, "schema": { "type": "string" } }],
        "responses": {
            "200": { "description": "Events until the caller leaves", "content": { "text/event-stream": {} } },
            "403": reference("responses", "Failure"),
            "503": reference("responses", "Busy"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference of a document.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_route_is_there() {
        let document = contract();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
        let operations: usize =
            document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(operations, ROUTES.len() + 1);
    }
}
