//! What is asked of a server in one trip, and what is known when the answer to it is lost. It knows no connection and no
//! script.

use std::time::Duration;

use redis::Value;

use super::trouble;
use crate::error::Error;

/// A request: commands, packed one after the other.
pub(super) struct Request<'a> {
    /// The bytes to write.
    pub(super) packed: &'a [u8],
    /// How many replies they bring.
    pub(super) replies: usize,
    /// What may or may not have happened when the reply is lost; `None` when that is nothing to speak of.
    pub(super) doubt: Option<&'a str>,
    /// Whether a repetition does no harm.
    pub(super) harmless: bool,
    /// Whether an earlier request of the same step was lost, so that the step may have happened already.
    pub(super) doubtful: bool,
    /// How much longer than usual the answer may take.
    pub(super) patience: Duration,
}

/// The replies to a request.
pub(super) struct Answer {
    /// One reply for each of its commands.
    pub(super) values: Vec<Value>,
    /// Whether a try before this one was lost, so that a refusal does not mean that nothing happened.
    pub(super) doubtful: bool,
}

impl<'a> Request<'a> {
    /// One that changes nothing.
    pub(super) fn looking(packed: &'a [u8], replies: usize, patience: Duration) -> Request<'a> {
        Request { packed, replies, doubt: None, harmless: true, doubtful: false, patience }
    }

    /// A failure after a try of the same step was lost, if one was: that try may have worked.
    pub(super) fn in_doubt(&self, error: Error, doubtful: bool) -> Error {
        match self.doubt {
            Some(doubt) if doubtful => trouble::in_doubt(error, doubt, self.harmless),
            Some(_) | None => error,
        }
    }
}
