//! The web server: a route is an operation. It answers requests on a listener that it is given, from a store that it is
//! given; which store that is, where the listener came from and who else serves is not known here.

mod answer;
mod assets;
mod bind;
mod call;
mod fields;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod guard;
mod head;
mod lane;
mod openapi;
mod peer;
mod routes;
mod serving;
mod sse;
pub mod supervise;
mod token;
mod way;
mod working;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use self::bind::addresses;
pub use self::token::Token;
pub use self::working::work;
use crate::error::{Error, Result};
use crate::ops::Machine;
use crate::store::{Policy, Store};

/// The store of a server, opened late and kept.
pub trait Desk: Send + Sync {
    /// The store in use; it is opened at the first call, and anew after `recover`.
    fn store(&self) -> Result<Arc<dyn Store>>;

    /// What can be done about a failure of a step on this store: `Ok` when the step may be tried once more on what `store` gives
    /// then, else the failure, told in full.
    fn recover(&self, store: &Arc<dyn Store>, error: Error) -> Result<()>;

    /// The clock, random bits and processes.
    fn machine(&self) -> &(dyn Machine + Send + Sync);
}

/// What a server serves, and to whom.
pub struct Site {
    /// The store.
    pub desk: Box<dyn Desk>,
    /// The listener's own address; callers must name its port.
    pub address: SocketAddr,
    /// Further names that it may be called by, in lower case, with or without a port.
    pub names: Vec<String>,
    /// What callers must know.
    pub token: Option<Token>,
    /// The origin whose pages may call it.
    pub cors_origin: Option<String>,
    /// The longest request body, in bytes.
    pub max_body: usize,
    /// This host's name.
    pub host: String,
    /// The limits in force.
    pub policy: Policy,
    /// How long a lease is when nothing is said.
    pub lease: Duration,
}
