//! The way messages go: lines of JSON-RPC, and after each answer that was flushed what is owed for it. It knows no method.

use std::future::Future;
use std::io;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{ClientRequest, JsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::service::RxJsonRpcMessage;
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, AsyncWrite};

use super::owed::Owed;

/// Lines of JSON-RPC on two streams.
pub(super) struct Wire<R: AsyncRead, W: AsyncWrite> {
    lines: AsyncRwTransport<RoleServer, R, W>,
    owed: Arc<Owed>,
    /// Whether the client has asked for something that begins its session.
    begun: bool,
}

impl<R: AsyncRead, W: AsyncWrite> Wire<R, W> {
    /// Lines on these streams; after each answer what is owed for it is settled.
    pub(super) fn new(lines: AsyncRwTransport<RoleServer, R, W>, owed: Arc<Owed>) -> Wire<R, W> {
        Wire { lines, owed, begun: false }
    }
}

impl<R, W> Transport<RoleServer> for Wire<R, W>
where
    R: Send + AsyncRead + Unpin,
    W: Send + AsyncWrite + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, message: ServerJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        // Taken before the answer goes out: a cancellation that comes later finds nothing to give back.
        let debt = answered(&message).and_then(|id| self.owed.take(id));
        let (sent, owed) = (self.lines.send(message), Arc::clone(&self.owed));
        async move {
            let flushed = sent.await;
            if let Some(debt) = debt {
                owed.settle(debt, flushed.is_ok()).await;
            }
            flushed
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let message = self.lines.receive().await?;
            self.begun |= begins(&message);
            // Nobody can be told of something, or answered, before anything was asked.
            if self.begun || matches!(message, JsonRpcMessage::Request(_)) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.lines.close().await
    }
}

/// The request that a message answers.
fn answered(message: &ServerJsonRpcMessage) -> Option<&RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(&response.id),
        JsonRpcMessage::Error(error) => error.id.as_ref(),
        JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
    }
}

/// Whether a message is a request that is more than a look who is there.
fn begins(message: &RxJsonRpcMessage<RoleServer>) -> bool {
    match message {
        JsonRpcMessage::Request(asked) => {
            !matches!(asked.request, ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_))
        }
        JsonRpcMessage::Response(_) | JsonRpcMessage::Notification(_) | JsonRpcMessage::Error(_) => false,
    }
}
