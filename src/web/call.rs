//! One request on its way through an operation: who asks, which store, and once more when the store has moved. It does
//! not know the route.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Site;
use super::answer::Answer;
use super::fields::{self, Field, Fields};
use crate::error::{Error, Kind, Result};
use crate::model::{AgentName, Receipt, Via};
use crate::ops::{self, Ctx};
use crate::store::{Actor, Sighting, Standing};

/// Who asks when a request does not say.
pub(super) const PERSON: &str = "web-ui";

/// A request whose route is known.
pub(super) struct Call<'a> {
    /// What it is asked of.
    pub(super) site: &'a Site,
    /// The front end.
    pub(super) via: Via,
    /// The variable parts of the path, in order.
    pub(super) parts: Vec<String>,
    /// The fields of the query or the body.
    pub(super) fields: Fields,
    /// The fields that the route takes.
    pub(super) known: &'static [Field],
}

/// An answer, and what is owed once it has left.
pub(super) struct Done {
    /// The answer.
    pub(super) answer: Answer,
    /// Deliveries of this agent to acknowledge then.
    pub(super) owed: Option<(AgentName, Vec<Receipt>)>,
}

/// How a route ends: with an answer either way.
pub(super) type Outcome = std::result::Result<Done, Answer>;

impl From<Error> for Answer {
    fn from(error: Error) -> Answer {
        Answer::of(&error)
    }
}

impl Call<'_> {
    /// The n-th variable part of the path, parsed.
    pub(super) fn part<T: std::str::FromStr<Err = Error>>(&self, n: usize) -> Result<T> {
        self.parts.get(n).map_or("", String::as_str).parse()
    }

    /// Takes a name out of the fields, or `web-ui`.
    pub(super) fn name(&mut self, field: &'static str) -> std::result::Result<AgentName, Answer> {
        match fields::take(&mut self.fields, field)? {
            Some(name) => Ok(name),
            None => Ok(PERSON.parse::<AgentName>()?),
        }
    }

    /// Takes a name out of the fields.
    pub(super) fn needed_name(&mut self, field: &'static str) -> std::result::Result<AgentName, Answer> {
        fields::take(&mut self.fields, field)?.ok_or_else(|| fields::missing(field))
    }

    /// The request that the fields make.
    pub(super) fn request<T: DeserializeOwned>(&mut self) -> std::result::Result<T, Answer> {
        fields::parsed(std::mem::take(&mut self.fields), self.known)
    }

    /// Performs an operation in this name without a sign of life.
    pub(super) fn look<T>(&self, name: AgentName, operation: impl Fn(&Ctx<'_>) -> Result<T>) -> Result<T> {
        let actor = Actor { name, standing: Standing::Named, sighting: None };
        self.site.perform(&actor, self.via, operation)
    }

    /// Performs an operation in this name, which shows that there is somebody.
    pub(super) fn act<T>(&self, name: AgentName, operation: impl Fn(&Ctx<'_>) -> Result<T>) -> Result<T> {
        let client = if self.via == Via::Gui { "page" } else { "http" };
        let sighting =
            Sighting { state: None, client: client.to_owned(), host: self.site.host.clone(), project: String::new() };
        let actor = Actor { name, standing: Standing::Named, sighting: Some(sighting) };
        self.site.perform(&actor, self.via, operation)
    }
}

impl Site {
    /// Performs an operation as this actor; once more when the store turns out to have moved and could be followed.
    pub(super) fn perform<T>(&self, actor: &Actor, via: Via, operation: impl Fn(&Ctx<'_>) -> Result<T>) -> Result<T> {
        let run = |store: &dyn crate::store::Store| {
            let (policy, lease, machine) = (self.policy, self.lease, self.desk.machine());
            operation(&Ctx { store, actor: actor.clone(), via, policy, lease, machine })
        };
        let store = self.desk.store()?;
        match run(&*store) {
            Err(error) if error.kind == Kind::Moving => {
                self.desk.recover(&store, error)?;
                run(&*self.desk.store()?)
            }
            done => done,
        }
    }

    /// Acknowledges what a plain read handed over, once its answer has left. When that fails the mail comes again.
    pub(super) fn settle(&self, owed: (AgentName, Vec<Receipt>), via: Via) -> Result<()> {
        let actor = Actor { name: owed.0, standing: Standing::Named, sighting: None };
        self.perform(&actor, via, |ctx| ops::ack_read(ctx, &owed.1))
    }
}

/// An operation's response as an answer with nothing owed.
pub(super) fn done<T: Serialize>(response: &T) -> Outcome {
    Ok(Done { answer: Answer::json(response), owed: None })
}
