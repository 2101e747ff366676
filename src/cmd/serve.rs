//! `postino serve`: the web server in the foreground.

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use super::Outcome;
use super::app::{Globals, System, follow};
use crate::choice::{self, Chosen};
use crate::config::{Env, Settings};
use crate::error::{Error, Kind, Result};
use crate::identity::process;
use crate::ops::Machine;
use crate::output::Output;
use crate::store::Store;
use crate::store::address::{Patience, open};
use crate::web::{self, Desk, Site, Token};

const EXAMPLES: &str = "\
Examples:
  postino serve
  POSTINO_WEB_PORT=8080 postino serve";

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Serves until it is ended.
pub fn run(globals: Globals, out: &Output, args: Args) -> Outcome {
    let Args {} = args;
    let settings = Settings::read(&Env::of_process()?)?;
    let token = settings.web.token()?.map(|token| Token::new(&token)).transpose()?;
    let listener = listen(&settings, token.as_ref())?;
    let site = site(globals.store, settings, token, &listener)?;
    let link = site.token.as_ref().map(|token| token.link(System.now(), System.random()));
    out.notice(&format!("serving on http://{}{}", site.address, link.as_deref().unwrap_or("/")));
    web::run(&listener, site)?;
    Ok(ExitCode::SUCCESS)
}

fn listen(settings: &Settings, token: Option<&Token>) -> Result<TcpListener> {
    let (host, port) = (settings.web.host.as_str(), settings.web.port);
    let addresses = web::addresses(host, port, token)?;
    TcpListener::bind(&*addresses).map_err(|error| {
        Error::new(Kind::Other, format!("cannot listen on {host}:{port}: {}", error.kind())).because(error)
    })
}

/// What is served on this listener.
fn site(store: Option<String>, settings: Settings, token: Option<Token>, listener: &TcpListener) -> Result<Site> {
    let unusable = |error| Error::new(Kind::Other, "the listening socket has no address").because(error);
    let web = settings.web.clone();
    Ok(Site {
        address: listener.local_addr().map_err(unusable)?,
        token,
        names: web.names,
        cors_origin: web.cors_origin,
        max_body: web.max_body,
        host: process::host_name(),
        policy: settings.policy,
        lease: settings.lease,
        desk: Box::new(Counter { flag: store, settings, open: Mutex::new(None) }),
    })
}

/// The store of the server.
struct Counter {
    flag: Option<String>,
    settings: Settings,
    open: Mutex<Option<(Chosen, Arc<dyn Store>)>>,
}

impl Desk for Counter {
    fn store(&self) -> Result<Arc<dyn Store>> {
        let mut held = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, store)) = &*held {
            return Ok(Arc::clone(store));
        }
        let chosen = choice::choose(self.flag.as_deref(), &self.settings, None, System.now())?;
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
