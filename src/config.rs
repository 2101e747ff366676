//! Environment, clock and random bits. (To be replaced by main's.)

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::error::Result;
use crate::model::Millis;
use crate::ops::Machine;
use crate::store::Holder;

#[derive(Clone, Debug, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    pub fn of_process() -> Result<Env> {
        Ok(Env(std::env::vars().collect()))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

pub fn current_dir() -> std::path::PathBuf {
    std::env::current_dir().unwrap_or_else(|_| "/".into())
}

pub fn args() -> Vec<OsString> {
    std::env::args_os().collect()
}

pub struct System;

impl Machine for System {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn random(&self) -> u128 {
        let mut bytes = [0u8; 16];
        let _ = getrandom::fill(&mut bytes);
        u128::from_be_bytes(bytes)
    }

    fn is_gone(&self, _holder: &Holder) -> bool {
        false
    }
}
