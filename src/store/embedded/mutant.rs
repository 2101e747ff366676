//! Ways in which a build for tests can be wrong on purpose, to see that the tests notice. It knows nothing of what it
//! spoils; `just mutants` builds them, and nothing else can be built so.

/// Whether commits are not synced.
pub(super) const FORGETS: bool = cfg!(postino_mutant = "fsync");
/// Whether a receipt works whatever delivery it belongs to.
pub(super) const TRUSTS: bool = cfg!(postino_mutant = "fencing");
/// Whether idempotency keys are not looked up.
pub(super) const REPEATS: bool = cfg!(postino_mutant = "dedupe");

#[cfg(not(debug_assertions))]
const _: () = assert!(!FORGETS && !TRUSTS && !REPEATS, "a mutant is for tests and never released");
