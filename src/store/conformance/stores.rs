//! Opens a fresh world on each sort of store. Servers are shared by the tests that run at the same time, and end
//! with the last of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use super::world::{Makers, World};
use crate::store::embedded::Embedded;
use crate::store::server::{Flavor, Server, available};
use crate::store::valkey::{Options, Valkey};

/// A world on the embedded store, in a directory of its own.
pub(super) fn embedded() -> Option<World> {
    let home = tempfile::tempdir().unwrap();
    let opener = Arc::new(move || Box::new(Embedded::open(&home.path().join("data").join("postino.db")).unwrap()) as _);
    Some(World::new(opener, Makers { same: embedded, others: &[redis, valkey] }))
}

/// A world on Redis, when it is there.
pub(super) fn redis() -> Option<World> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    on_server(&SHARED, Flavor::Redis, Makers { same: redis, others: &[embedded] })
}

/// A world on Valkey, when it is there.
pub(super) fn valkey() -> Option<World> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    on_server(&SHARED, Flavor::Valkey, Makers { same: valkey, others: &[embedded] })
}

/// A world under a prefix of its own on the server that others use too.
fn on_server(shared: &Mutex<Weak<Server>>, flavor: Flavor, makers: Makers) -> Option<World> {
    static PREFIXES: AtomicU64 = AtomicU64::new(0);
    if !available().contains(&flavor) {
        return None;
    }
    let server = running(shared, flavor);
    let prefix = format!("test-{}:", PREFIXES.fetch_add(1, Ordering::SeqCst));
    let opener = Arc::new(move || {
        let options = Options {
            prefix: prefix.clone(),
            connect: Duration::from_secs(5),
            command: Duration::from_secs(20),
            deadline: None,
            given_clock: true,
        };
        Box::new(Valkey::open(&server.url(), options).unwrap()) as _
    });
    Some(World::new(opener, makers))
}

/// The shared server; starts it when no test holds one.
fn running(shared: &Mutex<Weak<Server>>, flavor: Flavor) -> Arc<Server> {
    let mut known = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    known.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Server::start(flavor, &[]));
        *known = Arc::downgrade(&server);
        server
    })
}
