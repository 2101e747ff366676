//! The contract of the API as a document, made from the routes.

use super::answer::Answer;

/// The document.
pub(super) fn document() -> Answer {
    Answer::empty(501)
}
