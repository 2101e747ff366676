//! Live events.

use std::sync::Arc;

use tiny_http::Request;

use super::Site;
use super::answer::Answer;
use crate::error::{Error, Kind};

/// Takes a request for live events over; its guards have passed it, and it has no body.
pub(super) fn open(_site: &Arc<Site>, request: Request) {
    let error = Error::new(Kind::Other, "live events are not there yet");
    // Whether it arrives is the asker's affair.
    let _ = Answer::failure(501, &error, &std::collections::BTreeMap::new()).send(request);
}
