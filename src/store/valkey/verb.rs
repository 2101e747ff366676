//! Running one script: its arguments, the trip, and what its answer says. It knows no verb's meaning.

use std::time::Duration;

use redis::Value;

use super::Valkey;
use super::link::Request;
use super::reply::{self, Row};
use super::script::Script;
use super::trouble;
use crate::error::Result;
use crate::model::Millis;
use crate::store::{Standing, Step};

/// One step on its way: a script with its arguments.
pub(super) struct Verb<'a> {
    store: &'a Valkey,
    script: &'static Script,
    args: Vec<Vec<u8>>,
    doubt: Option<&'static str>,
}

impl<'a> Verb<'a> {
    /// A step of an actor.
    pub(super) fn step(store: &'a Valkey, script: &'static Script, step: &Step<'_>) -> Verb<'a> {
        let (standing, generation) = match step.by.standing {
            Standing::Session(generation) => ("s", generation.0.to_string()),
            Standing::Named => ("n", String::new()),
            Standing::Guessed { gone } => ("g", gone.map(|gone| gone.0.to_string()).unwrap_or_default()),
        };
        let sighting = step.by.sighting.as_ref();
        let state = sighting.and_then(|sighting| sighting.state).map(reply::spelled).unwrap_or_default();
        let words = sighting.and_then(|sighting| serde_json::to_string(sighting).ok()).unwrap_or_default();
        Verb { store, script, args: Vec::with_capacity(20), doubt: None }
            .arg(store.given_time(Some(step.now)))
            .arg(step.by.name.as_str())
            .arg(standing)
            .arg(generation)
            .arg(words)
            .arg(state)
            .arg(step.policy.ttl.as_millis().to_string())
            .arg(step.policy.max_inbox.to_string())
            .arg(step.policy.max_broadcasts.to_string())
            .arg(step.policy.max_deliveries.to_string())
    }

    /// A step of nobody in particular.
    pub(super) fn plain(store: &'a Valkey, script: &'static Script, now: Option<Millis>) -> Verb<'a> {
        let mut verb = Verb { store, script, args: Vec::with_capacity(20), doubt: None }.arg(store.given_time(now));
        verb.args.resize(10, Vec::new());
        verb
    }

    /// One argument more.
    pub(super) fn arg(mut self, value: impl Into<Vec<u8>>) -> Verb<'a> {
        self.args.push(value.into());
        self
    }

    /// One argument more: a number.
    pub(super) fn number(self, value: impl ToString) -> Verb<'a> {
        self.arg(value.to_string())
    }

    /// One argument more: milliseconds.
    pub(super) fn span(self, span: Duration) -> Verb<'a> {
        self.number(span.as_millis())
    }

    /// One argument more: a text, or nothing.
    pub(super) fn maybe(self, value: Option<impl ToString>) -> Verb<'a> {
        self.arg(value.map(|value| value.to_string()).unwrap_or_default())
    }

    /// What may or may not have happened when the answer is lost; without it a repetition does no harm.
    pub(super) fn doubt(mut self, doubt: &'static str) -> Verb<'a> {
        self.doubt = Some(doubt);
        self
    }

    /// The same step, harmless to repeat if `harmless`.
    pub(super) fn harmless_if(mut self, harmless: bool) -> Verb<'a> {
        if harmless {
            self.doubt = None;
        }
        self
    }

    /// Runs the script and gives its answer back.
    pub(super) fn run(self) -> Result<Value> {
        let mut value = self.trip("EVALSHA", self.script.digest())?;
        // What the server does not know it did not run, so the text may follow whatever the step is.
        if trouble::error_of(&value).is_some_and(|error| error.code() == Some("NOSCRIPT")) {
            value = self.trip("EVAL", self.script.source())?;
        }
        if let Some(error) = trouble::error_of(&value) {
            return Err(trouble::refused(&self.store.address, &error));
        }
        let mut answer = Row::of(value)?;
        let kind = answer.text()?;
        if kind == "ok" { answer.value() } else { Err(trouble::refusal(&kind, &answer.details())) }
    }

    /// Runs the script and gives its answer back, which is a list.
    pub(super) fn row(self) -> Result<Row> {
        Row::of(self.run()?)
    }

    /// Runs the script and gives its answer back, which is a number.
    pub(super) fn count(self) -> Result<u64> {
        reply::text(self.run()?)?
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| reply::strange("a number is missing"))
    }

    fn trip(&self, command: &str, script: &str) -> Result<Value> {
        let mut packed = Vec::new();
        redis::cmd(command)
            .arg(script)
            .arg(1)
            .arg(&self.store.meta_key)
            .arg(&self.args)
            .write_packed_command(&mut packed);
        let request = Request { packed: &packed, replies: 1, doubt: self.doubt, patience: Duration::ZERO };
        let replies = self.store.ask(&request)?;
        replies.into_iter().next().ok_or_else(|| reply::strange("there is none"))
    }
}
