//! The MCP server on stdin and stdout: a tool is an operation. The only part that knows rmcp and tokio.
//!
//! It knows no rule, no environment and no identity: under which name it acts, and in which store, is asked of the `Desk` at
//! every call.

mod answer;
mod arguments;
mod arrivals;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod owed;
mod prompts;
mod queue;
mod resources;
mod server;
mod stdin;
mod tools;
mod wire;

use std::sync::Arc;

use rmcp::transport::async_rw::AsyncRwTransport;

use self::owed::Owed;
use self::server::Server;
use self::wire::Wire;
use crate::error::{Error, Kind, Result};
use crate::model::AgentName;
use crate::ops::{CheckResponse, Ctx};

/// What an operation is done with: a closure that is called again when the store moved or the name was lost and could be followed.
pub type Work<'a> = dyn FnMut(&Ctx<'_>) -> Result<()> + 'a;

/// What the server needs of whoever starts it.
pub trait Desk: Send + Sync + 'static {
    /// Does `work` under the name that this server has now, in the store that it uses now; one at a time.
    fn serve(&self, work: &mut Work<'_>) -> Result<()>;

    /// Notes that this server's session has taken another name.
    fn renamed(&self, name: &AgentName) -> Result<()>;

    /// Keeps the session present, and tells of what arrives; does not return. It may be called once.
    fn attend(&self, tell: &mut dyn FnMut(&CheckResponse));
}

/// Serves until stdin is closed.
pub fn run(desk: Arc<dyn Desk>) -> Result<()> {
    let failed = |error: std::io::Error| Error::new(Kind::Other, "cannot start the MCP server").because(error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
    let done = runtime.block_on(serve(desk));
    // A read of stdin cannot be cut off: it ends with the process.
    runtime.shutdown_background();
    done
}

async fn serve(desk: Arc<dyn Desk>) -> Result<()> {
    let owed = Arc::new(Owed::new(Arc::clone(&desk)));
    let (stdin, stdout) = rmcp::transport::stdio();
    let wire = Wire::new(AsyncRwTransport::new_server(stdin::readable(stdin), stdout), Arc::clone(&owed));
    let server = Server::new(Arc::clone(&desk), owed);
    // A client that goes before it has said what it speaks has asked for nothing.
    let Ok(running) = rmcp::serve_server(server, wire).await else { return Ok(()) };
    arrivals::attend(desk, running.peer().clone(), running.service().arrivals());
    let ended = running.waiting().await;
    ended.map(drop).map_err(|error| Error::new(Kind::Other, "the MCP server broke off").because(error))
}
