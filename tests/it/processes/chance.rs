//! Chance that can be repeated. It knows nothing of what hangs on it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Chance that can be repeated by its seed (xorshift64).
pub(super) struct Chance(u64);

impl Chance {
    /// The chance of this seed.
    pub(super) fn seeded(seed: u64) -> Chance {
        // Small seeds must not begin alike, and zero would stay zero.
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            chance.next();
        }
        chance
    }

    /// Chance of its own for one more thread.
    pub(super) fn fork(&mut self) -> Chance {
        Chance::seeded(self.next())
    }

    /// A number below this one.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    /// In so many of a hundred cases a moment to kill at, within the first milliseconds of a process's life.
    pub(super) fn delay(&mut self, percent: u64) -> Option<Duration> {
        (self.below(100) < percent).then(|| Duration::from_micros(self.below(8_000)))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A new seed, or the one in `POSTINO_SEED`; printed, so that the choices of a failing run can be repeated.
pub(super) fn seed() -> u64 {
    let seed = given_seed().unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("POSTINO_SEED={seed}");
    seed
}

#[expect(clippy::disallowed_methods, reason = "a seed to repeat is told to the tests, not to postino")]
fn given_seed() -> Option<u64> {
    Some(std::env::var("POSTINO_SEED").ok()?.parse().expect("POSTINO_SEED is a number"))
}
