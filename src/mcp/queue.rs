//! The order of calls: one after the other, as they came in, off the thread that reads and writes messages.
//!
//! A slow store delays the calls behind it and nothing else. It knows no tool.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Shared, PoisonError};
use std::time::{Duration, Instant};

use rmcp::RoleServer;
use rmcp::service::RequestContext;
use tokio::sync::Mutex;

use super::{Desk, Work};
use crate::error::{Error, Kind, Result};

/// How long a call may take once it is its turn.
const LIMIT: Duration = Duration::from_millis(4_700);

/// The queue of calls.
pub(super) struct Queue {
    desk: Arc<dyn Desk>,
    turn: Mutex<()>,
    /// When a call last found that the store does not answer.
    outage: Shared<Option<Instant>>,
}

impl Queue {
    /// An empty queue in front of this desk.
    pub(super) fn new(desk: Arc<dyn Desk>) -> Queue {
        Queue { desk, turn: Mutex::default(), outage: Shared::default() }
    }

    /// Waits for the call's turn and does `work`. A call that is cancelled before its turn is not carried out, nor is one that
    /// waited behind another which found the store not answering.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        call: &RequestContext<RoleServer>,
        work: impl FnOnce(&Visitor) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let arrived = Instant::now();
        let Some(_turn) = call.ct.run_until_cancelled(self.turn.lock()).await else { return Err(cancelled()) };
        if self.outage().is_some_and(|noticed| noticed > arrived) {
            return Err(waited_in_vain());
        }
        let visitor = Visitor { desk: Arc::clone(&self.desk), given_up: Arc::default() };
        let given_up = Arc::clone(&visitor.given_up);
        let job = tokio::task::spawn_blocking(move || work(&visitor));
        let done = match tokio::time::timeout(LIMIT, job).await {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => Err(Error::new(Kind::Other, "the call broke off").hint("call again").because(panic)),
            Err(_) => {
                given_up.store(true, Ordering::Relaxed);
                Err(too_slow())
            }
        };
        if done.as_ref().is_err_and(|error| error.kind == Kind::Unreachable) {
            *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        done
    }

    fn outage(&self) -> Option<Instant> {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The desk as one call sees it.
pub(super) struct Visitor {
    desk: Arc<dyn Desk>,
    given_up: Arc<AtomicBool>,
}

impl Visitor {
    /// Does `work` under the name of now, and gives what came of it.
    pub(super) fn ask<T>(&self, mut work: impl FnMut(&crate::ops::Ctx<'_>) -> Result<T>) -> Result<T> {
        let mut answer = None;
        let mut once: Box<Work<'_>> = Box::new(|ctx| {
            // The caller has been told that nothing came of it.
            if self.given_up.load(Ordering::Relaxed) {
                return Err(too_slow());
            }
            answer = Some(work(ctx)?);
            Ok(())
        });
        self.desk.serve(&mut *once)?;
        drop(once);
        answer.ok_or_else(too_slow)
    }

    /// Notes that the session has taken another name.
    pub(super) fn renamed(&self, name: &crate::model::AgentName) -> Result<()> {
        self.desk.renamed(name)
    }
}

fn too_slow() -> Error {
    Error::new(Kind::Unreachable, "the store did not answer in time, so it is not known what came of this call")
        .hint("`postino doctor` in a shell tells what is wrong; a send with a key can be repeated without harm")
}

fn waited_in_vain() -> Error {
    Error::new(Kind::Unreachable, "the store did not answer the call before this one, so this one was not carried out")
        .hint("call again in a moment; `postino doctor` in a shell tells what is wrong")
}

fn cancelled() -> Error {
    Error::new(Kind::Other, "the call was cancelled before its turn, and nothing was done")
}
