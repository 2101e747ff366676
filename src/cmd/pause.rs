//! How commands that wait live through an outage or a move of the store: they try again, with a pause that grows to two
//! seconds.

use std::time::{Duration, Instant};

use super::app::App;
use super::now;
use crate::error::{Error, Kind, Result};
use crate::output::Output;
use crate::store::Phase;

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(2);

/// The pause before the next attempt.
pub struct Pause {
    next: Duration,
}

impl Pause {
    /// No attempt has failed yet.
    pub fn new() -> Pause {
        Pause { next: FIRST }
    }

    /// An attempt worked: the next outage is a new one.
    pub fn reset(&mut self) {
        self.next = FIRST;
    }

    /// `Ok` when it is worth trying again: at once in the store that the old one moved to, after a pause when the store is
    /// away or being moved. Anything else comes back, and everything does from `until` on.
    pub fn outlive(&mut self, app: &mut App, error: Error, until: Option<Instant>, out: &Output) -> Result<()> {
        if error.kind == Kind::Unreachable {
            return self.after(error, until, out);
        }
        match app.recover(error) {
            Err(error) if error.kind == Kind::Moving && is_moving(app) => self.after(error, until, out),
            recovered => recovered,
        }
    }

    /// Waits, not beyond `until`; says why the first time.
    fn after(&mut self, error: Error, until: Option<Instant>, out: &Output) -> Result<()> {
        let left = until.map_or(self.next, |until| until.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(error);
        }
        if self.next == FIRST {
            out.notice(&format!("{}; trying again", error.message));
        }
        std::thread::sleep(self.next.min(left));
        self.next = (self.next * 2).min(LONGEST);
        Ok(())
    }
}

/// Whether a move is under way that will end; a store that has moved for good is none.
fn is_moving(app: &App) -> bool {
    match app.store().and_then(|store| store.phase(now())) {
        Ok(Phase::Open | Phase::Moving(_) | Phase::Filling(_)) => true,
        Ok(Phase::Moved(..)) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Look, When};

    #[test]
    fn pauses_grow_and_end_in_time() {
        let out = Output::new(false, true, When::Never, Look::default());
        let mut pause = Pause::new();
        let now = Instant::now();
        assert!(pause.after(Error::new(Kind::Unreachable, "away"), None, &out).is_ok());
        assert!(now.elapsed() >= FIRST && pause.next == 2 * FIRST);
        assert!(pause.after(Error::new(Kind::Unreachable, "away"), Some(now), &out).is_err());
        pause.reset();
        assert_eq!(pause.next, FIRST);
    }
}
