//! How commands that wait live through an outage of the store: they try again, with a pause that grows to two seconds.

use std::time::{Duration, Instant};

use crate::error::{Error, Kind};
use crate::output::Output;

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

    /// Waits, not beyond `until`, when the store is away; says so the first time. Any other failure comes back.
    pub fn after(&mut self, error: Error, until: Option<Instant>, out: &Output) -> Result<(), Error> {
        let left = until.map_or(self.next, |until| until.saturating_duration_since(Instant::now()));
        if error.kind != Kind::Unreachable || left.is_zero() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Look, When};

    #[test]
    fn only_an_outage_is_waited_for_and_only_in_time() {
        let out = Output::new(false, true, When::Never, Look::default());
        let mut pause = Pause::new();
        let now = Instant::now();
        assert!(pause.after(Error::new(Kind::Unreachable, "away"), None, &out).is_ok());
        assert!(now.elapsed() >= FIRST && pause.next == 2 * FIRST);
        assert!(pause.after(Error::new(Kind::NameLost, "lost"), None, &out).is_err());
        assert!(pause.after(Error::new(Kind::Unreachable, "away"), Some(now), &out).is_err());
        pause.reset();
        assert_eq!(pause.next, FIRST);
    }
}
