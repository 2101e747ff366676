//! The store of a server: opened at the first request, kept, and followed when it moves.

use std::sync::{Arc, Mutex, PoisonError};

use crate::choice::{self, Chosen};
use crate::cmd::app::{System, follow};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::ops::Machine;
use crate::store::Store;
use crate::store::address::{Patience, open};
use crate::web::Desk;

/// The store of the server.
pub struct Counter {
    settings: Settings,
    open: Mutex<Option<(Chosen, Arc<dyn Store>)>>,
}

impl Counter {
    /// The store that these settings lead to; nothing is opened yet.
    pub fn new(settings: Settings) -> Counter {
        Counter { settings, open: Mutex::new(None) }
    }
}

impl Desk for Counter {
    fn store(&self) -> Result<Arc<dyn Store>> {
        let mut held = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, store)) = &*held {
            return Ok(Arc::clone(store));
        }
        let chosen = choice::choose(None, &self.settings, None, System.now())?;
        let store: Arc<dyn Store> = Arc::from(open(&chosen.address, &chosen.prefix, Patience::default())?);
        *held = Some((chosen, Arc::clone(&store)));
        Ok(store)
    }

    fn recover(&self, store: &Arc<dyn Store>, error: Error) -> Result<()> {
        let mut held = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((chosen, current)) = held.take_if(|(_, current)| Arc::ptr_eq(current, store)) else { return Ok(()) };
        match follow(&self.settings, &chosen, &*current, Patience::default(), error) {
            Ok(_) => Ok(()),
            Err(error) => {
                *held = Some((chosen, current));
                Err(error)
            }
        }
    }

    fn machine(&self) -> &(dyn Machine + Send + Sync) {
        &System
    }
}
