//! Moving everything to another store: mark, copy, verify, switch. A crash before the switch leaves the source whole.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Ctx, Machine};
use crate::error::{Error, Kind, Result};
use crate::store::{Census, MoveToken, Phase, Store};

/// How long the mark on the source lives without being renewed. A page is copied in far less.
const MARK: Duration = Duration::from_secs(5);
/// The pause before looking again whether another mover's mark has run out.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveResponse {
    /// How much of each sort there is, counted on both sides.
    #[serde(flatten)]
    pub moved: Census,
}

/// `Moving`, with the new address, when the store has moved: for whoever asks it about itself, which it answers also then.
/// `Unreachable` when it does not answer; what else is wrong with it is theirs to tell.
pub fn has_stayed(ctx: &Ctx<'_>) -> Result<()> {
    match ctx.store.phase(ctx.machine.now()) {
        Ok(Phase::Moved(_, url)) => {
            Err(Error::new(Kind::Moving, format!("the store has moved to {url}")).hint(format!("use --store {url}")))
        }
        Err(error) if error.kind == Kind::Unreachable => Err(error),
        Ok(Phase::Open | Phase::Moving(_) | Phase::Filling(_)) | Err(_) => Ok(()),
    }
}

/// Copies everything from one store to another, verifies the counts, and closes the source with the new address (`url`, without its
/// password). A move that stopped between closing the source and opening the target is finished. `Conflict` when the target holds
/// something else; `Moving` when another move is under way.
pub fn move_store(machine: &dyn Machine, from: &dyn Store, to: &dyn Store, url: &str) -> Result<MoveResponse> {
    if let Phase::Moved(token, there) = from.phase(machine.now())? {
        if there != url {
            return Err(
                Error::new(Kind::Moving, format!("this store has moved to {there} already")).hint("move that one")
            );
        }
        to.fill_done(&token)?;
        return Ok(MoveResponse { moved: to.census()? });
    }
    let token = MoveToken(format!("{:032x}", machine.random()));
    mark(machine, from, &token)?;
    let copied = copy(machine, from, to, &token).and_then(|moved| {
        from.move_done(machine.now(), &token, url)?;
        Ok(moved)
    });
    if copied.is_err() {
        // The source goes on as if nothing had been tried; if even this fails, the mark runs out by itself.
        let _ = from.move_unmark(&token);
    }
    let moved = copied?;
    to.fill_done(&token)?;
    Ok(MoveResponse { moved })
}

/// Marks the source. The mark of a mover that was killed runs out by itself: one such is waited for.
fn mark(machine: &dyn Machine, from: &dyn Store, token: &MoveToken) -> Result<()> {
    let until = machine.instant() + MARK + LOOK_AGAIN;
    loop {
        match from.move_mark(machine.now(), token, MARK) {
            Err(error) if error.kind == Kind::Moving && machine.instant() < until => std::thread::sleep(LOOK_AGAIN),
            marked => return marked,
        }
    }
}

/// Copies page by page, renewing the mark, and compares the counts.
fn copy(machine: &dyn Machine, from: &dyn Store, to: &dyn Store, token: &MoveToken) -> Result<Census> {
    to.fill_start(token)?;
    let mut page = from.export(None)?;
    loop {
        to.fill(token, &page.parcels)?;
        from.move_mark(machine.now(), token, MARK)?;
        match page.next {
            Some(next) => page = from.export(Some(&next))?,
            None => break,
        }
    }
    let (source, target) = (from.census()?, to.census()?);
    if source != target {
        return Err(Error::new(Kind::Other, format!("the copy is not complete: {source:?} there, {target:?} here"))
            .hint("nothing was switched; run the move again"));
    }
    Ok(target)
}
