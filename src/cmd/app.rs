//! What a command needs. (To be replaced by main's.)

use std::time::Duration;

use crate::config::{Env, System};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Via};
use crate::ops::Ctx;
use crate::store::{Actor, Policy, Standing, Store};

pub struct Globals {
    pub agent: Option<AgentName>,
    pub store: Option<String>,
    pub json: bool,
    pub quiet: bool,
}

pub struct App {
    pub globals: Globals,
    store: Option<Box<dyn Store>>,
}

impl App {
    pub fn new(globals: Globals) -> Result<App> {
        let _ = (Env::of_process()?, globals.json, globals.quiet, &globals.store);
        Ok(App { globals, store: None })
    }

    pub fn ctx(&self) -> Result<Ctx<'_>> {
        let name = self.globals.agent.clone().ok_or_else(|| Error::new(Kind::Usage, "no --agent"))?;
        let store = self.store.as_deref().ok_or_else(|| Error::new(Kind::Other, "no store yet"))?;
        Ok(Ctx {
            store,
            actor: Actor { name, standing: Standing::Named, sighting: None },
            via: Via::Cli,
            policy: Policy {
                ttl: Duration::from_secs(86_400),
                max_inbox: 1_000,
                max_broadcasts: 500,
                max_deliveries: 5,
            },
            lease: Duration::from_secs(300),
            machine: &System,
        })
    }

    pub fn notice(&self) -> Option<String> {
        None
    }

    pub fn waiting(&self) {}
}
