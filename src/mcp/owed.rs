//! What is owed for answers: mail that was leased for one is acknowledged when it was flushed, and given back when it was not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::RequestId;

use super::Desk;
use crate::error::Result;
use crate::model::Receipt;
use crate::ops::{self, Ctx, SettleAction, SettleRequest};
use crate::store::Actor;

/// Mail that one answer hands over.
#[derive(Debug)]
pub(super) struct Debt {
    /// Who leased it: the name may be another one when the answer is out.
    pub(super) actor: Actor,
    /// The deliveries.
    pub(super) receipts: Vec<Receipt>,
    /// Whether they are acknowledged once the answer is out; else the reader does that.
    pub(super) takes: bool,
}

/// Debts by the request that they are answers to.
pub(super) struct Owed {
    desk: Arc<dyn Desk>,
    debts: Mutex<HashMap<RequestId, Debt>>,
}

impl Owed {
    /// No debts yet.
    pub(super) fn new(desk: Arc<dyn Desk>) -> Owed {
        Owed { desk, debts: Mutex::default() }
    }

    /// Notes a debt until the answer is on its way.
    pub(super) fn note(&self, id: RequestId, debt: Debt) {
        self.debts().insert(id, debt);
    }

    /// The debt of an answer that goes out now, or never will.
    pub(super) fn take(&self, id: &RequestId) -> Option<Debt> {
        self.debts().remove(id)
    }

    /// Settles a debt. A failure is none: the mail comes again when its lease runs out.
    pub(super) async fn settle(&self, debt: Debt, flushed: bool) {
        let desk = Arc::clone(&self.desk);
        let _ = tokio::task::spawn_blocking(move || {
            let _ = desk.serve(&mut |ctx| {
                // Not this name's failure, so nothing that the desk should mend.
                let _ = paid(ctx, &debt, flushed);
                Ok(())
            });
        })
        .await;
    }

    fn debts(&self) -> MutexGuard<'_, HashMap<RequestId, Debt>> {
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn paid(now: &Ctx<'_>, debt: &Debt, flushed: bool) -> Result<()> {
    let Ctx { store, actor: _, via, policy, lease, machine } = now;
    let actor = Actor { sighting: None, ..debt.actor.clone() };
    let ctx = Ctx { store: *store, actor, via: *via, policy: *policy, lease: *lease, machine: *machine };
    if !flushed {
        let receipts = debt.receipts.clone();
        let release = SettleRequest { receipts, action: SettleAction::Release, seconds: None };
        return ops::settle(&ctx, &release).map(drop);
    }
    if debt.takes { ops::ack_read(&ctx, &debt.receipts) } else { Ok(()) }
}
