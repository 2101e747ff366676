//! How a reply is worded: Anthropic's Messages API and OpenAI's Responses API, as far as their clients listen.
//! It knows neither HTTP nor what was asked.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::Reply;

/// An id that no other answer has: clients match results to calls by it.
fn id(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{prefix}_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A whole answer of the Messages API.
pub fn message(reply: &Reply) -> Value {
    let (block, stop) = match reply {
        Reply::Text(text) => (json!({"type": "text", "text": text}), "end_turn"),
        Reply::Shell(command) => {
            let input = json!({"command": command, "description": "as the script says"});
            (json!({"type": "tool_use", "id": id("toolu"), "name": "Bash", "input": input}), "tool_use")
        }
        Reply::Tool(name, given) => {
            (json!({"type": "tool_use", "id": id("toolu"), "name": name, "input": given}), "tool_use")
        }
    };
    json!({
        "id": id("msg"), "type": "message", "role": "assistant", "model": "mock", "content": [block],
        "stop_reason": stop, "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1},
    })
}

/// The same as a stream of events.
pub fn messages_stream(reply: &Reply) -> String {
    let mut message = message(reply);
    let mut block = message["content"][0].take();
    message["content"] = json!([]);
    let stop = message["stop_reason"].take();
    let delta = match reply {
        Reply::Text(text) => {
            block["text"] = json!("");
            json!({"type": "text_delta", "text": text})
        }
        Reply::Shell(_) | Reply::Tool(..) => {
            json!({"type": "input_json_delta", "partial_json": std::mem::replace(&mut block["input"], json!({})).to_string()})
        }
    };
    stream(&[
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 1}}),
        json!({"type": "message_stop"}),
    ])
}

/// A stream of the Responses API.
pub fn responses_stream(reply: &Reply) -> String {
    let item = match reply {
        Reply::Text(text) => json!({
            "type": "message", "role": "assistant", "id": id("msg"), "content": [{"type": "output_text", "text": text}],
        }),
        Reply::Shell(command) => json!({
            "type": "function_call", "id": id("fc"), "call_id": id("call"), "name": "exec_command",
            "arguments": json!({"cmd": command}).to_string(),
        }),
        Reply::Tool(name, given) => {
            // Tools of one server share a namespace, which the other API writes before their names.
            let (namespace, name) = name.rsplit_once("__").unwrap_or(("", name));
            json!({
                "type": "function_call", "id": id("fc"), "call_id": id("call"), "namespace": namespace, "name": name,
                "arguments": given.to_string(),
            })
        }
    };
    let response = id("resp");
    let usage = json!({
        "input_tokens": 1, "input_tokens_details": null, "output_tokens": 1, "output_tokens_details": null, "total_tokens": 2,
    });
    stream(&[
        json!({"type": "response.created", "response": {"id": response}}),
        json!({"type": "response.output_item.done", "item": item}),
        json!({"type": "response.completed", "response": {"id": response, "usage": usage}}),
    ])
}

/// Server-sent events, each named by its type.
fn stream(events: &[Value]) -> String {
    events.iter().fold(String::new(), |mut text, event| {
        let kind = event["type"].as_str().unwrap_or_default();
        let _ = write!(text, "event: {kind}\ndata: {event}\n\n");
        text
    })
}
