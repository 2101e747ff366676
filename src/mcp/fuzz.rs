//! Any bytes on the MCP server's stdin: the lines, the requests in them, and the arguments of every tool.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use rmcp::transport::async_rw::AsyncRwTransport;
use serde_json::{Value, json};
use tokio::io::AsyncWrite;

use super::owed::Owed;
use super::server::Server;
use super::tools::{TOOLS, Tool};
use super::wire::Wire;
use super::{Desk, Work};
use crate::error::{Error, Kind, Result};
use crate::fuzz::input::Input;
use crate::model::AgentName;
use crate::ops::CheckResponse;

/// A desk without a store.
struct Bare;

impl Desk for Bare {
    fn serve(&self, _: &mut Work<'_>) -> Result<()> {
        Err(Error::new(Kind::Denied, "there is no store here"))
    }

    fn renamed(&self, _: &AgentName) -> Result<()> {
        Ok(())
    }

    fn attend(&self, _: &mut dyn FnMut(&CheckResponse)) {}
}

/// Everything that was written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl AsyncWrite for Written {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What a client says first.
const HELLO: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"#,
    r#""clientInfo":{"name":"x","version":"1"}}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n"
);

/// The server ends with its input, and what it wrote is lines of JSON-RPC.
pub fn mcp(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let how = input.byte();
    let mut said = if how & 1 == 0 { HELLO.as_bytes().to_vec() } else { Vec::new() };
    if how & 2 == 0 {
        said.extend_from_slice(input.rest());
    } else {
        while !input.is_empty() {
            let tool = input.one_of(&TOOLS);
            let arguments: Value = serde_json::from_slice(input.bytes()).unwrap_or_default();
            let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool.name(), "arguments": arguments}});
            said.extend_from_slice(format!("{call}\n").as_bytes());
        }
    }
    let written = Written::default();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else { return };
    runtime.block_on(serve(said, written.clone()));
    let written = written.0.lock().unwrap_or_else(PoisonError::into_inner);
    for line in written.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap_or_default();
        assert!(line["jsonrpc"] == "2.0", "{line}");
        assert!(line.get("result").is_some() || line.get("error").is_some() || line.get("method").is_some(), "{line}");
        // Nothing can have come of a call without a store, and the model is told what to do about that.
        if let Some(content) = line["result"]["content"].as_array() {
            assert!(line["result"]["isError"] == true, "{line}");
            assert!(content.iter().all(|said| said["text"].as_str().is_some_and(|text| !text.is_empty())), "{line}");
        }
    }
    assert!(
        Tool::named(&String::from_utf8_lossy(bytes)).is_err()
            || TOOLS.iter().any(|tool| tool.name().as_bytes() == bytes)
    );
}

async fn serve(said: Vec<u8>, written: Written) {
    let desk: Arc<dyn Desk> = Arc::new(Bare);
    let owed = Arc::new(Owed::new(Arc::clone(&desk)));
    let lines = AsyncRwTransport::new_server(std::io::Cursor::new(said), written);
    let Ok(running) = rmcp::serve_server(Server::new(desk, Arc::clone(&owed)), Wire::new(lines, owed)).await else {
        return;
    };
    let _ = running.waiting().await;
}
