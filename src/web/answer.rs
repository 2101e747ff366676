//! An answer and the way it leaves: status, headers, body. Every answer carries the headers that keep a browser from
//! doing more with it than to show it. It does not know what was asked.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use tiny_http::{Header, Request, Response, StatusCode};

use crate::error::{Error, Failure, Kind};

/// What goes with everything.
const HEADERS: [(&str, &str); 6] = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
];
/// What a document that is no page may do: nothing.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// The longest announced body that is read and let go after a refusal, in bytes.
const LET_GO: usize = 64 << 20;
/// After how many seconds a refused sender may try again.
const RETRY_AFTER: &str = "5";

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    kind: &'static str,
    policy: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// A success as it stands in the answer.
#[derive(Serialize)]
struct Success<'a, T> {
    ok: bool,
    #[serde(flatten)]
    response: &'a T,
}

impl Answer {
    /// An operation's response.
    pub(super) fn json<T: Serialize>(response: &T) -> Answer {
        match serde_json::to_vec(&Success { ok: true, response }) {
            Ok(body) => Answer::new(200, "application/json", body),
            Err(error) => {
                Answer::of(&Error::new(Kind::Other, "the answer could not be written as JSON").because(error))
            }
        }
    }

    /// The page, under its own policy.
    pub(super) fn page(html: &'static str, policy: &'static str) -> Answer {
        Answer { policy, ..Answer::document("text/html; charset=utf-8", html) }
    }

    /// A document that is always the same.
    pub(super) fn document(kind: &'static str, text: &'static str) -> Answer {
        Answer::new(200, kind, text.into())
    }

    /// A document without a body.
    pub(super) fn empty(status: u16) -> Answer {
        Answer::new(status, "text/plain; charset=utf-8", Vec::new())
    }

    /// A failure of an operation.
    pub(super) fn of(error: &Error) -> Answer {
        let answer = Answer::failure(error.kind.status(), error, &BTreeMap::new());
        match error.kind {
            Kind::Full | Kind::Unreachable | Kind::Moving => answer.header("Retry-After", RETRY_AFTER.to_owned()),
            Kind::Usage
            | Kind::NotFound
            | Kind::TimedOut
            | Kind::Conflict
            | Kind::Stale
            | Kind::NameHeld
            | Kind::NameLost
            | Kind::Denied
            | Kind::Other => answer,
        }
    }

    /// A failure with a status of its own, and what is wrong with which field.
    pub(super) fn failure(status: u16, error: &Error, fields: &BTreeMap<String, String>) -> Answer {
        let body = serde_json::to_vec(&Failure::of(error, fields)).unwrap_or_default();
        Answer::new(status, "application/json", body)
    }

    /// Status, headers and body.
    #[cfg(any(test, fuzzing))]
    pub(super) fn parts(&self) -> (u16, Vec<(&str, &str)>, &[u8]) {
        (self.status, self.all_headers().collect(), &self.body)
    }

    fn new(status: u16, kind: &'static str, body: Vec<u8>) -> Answer {
        Answer { status, kind, policy: NOTHING, headers: Vec::new(), body }
    }

    /// The same answer with one header more.
    pub(super) fn header(mut self, name: &'static str, value: String) -> Answer {
        self.headers.push((name, value));
        self
    }

    /// Sends it as the answer to a request whose body was read to its end. An error when it cannot have arrived.
    pub(super) fn send(self, request: Request) -> io::Result<()> {
        let is_head = request.method().as_str() == "HEAD";
        let mut bytes = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)).into_bytes();
        for (name, value) in self.all_headers() {
            write!(bytes, "{name}: {value}\r\n")?;
        }
        write!(bytes, "Content-Length: {}\r\n\r\n", self.body.len())?;
        if !is_head {
            bytes.extend_from_slice(&self.body);
        }
        let mut writer = request.into_writer();
        writer.write_all(&bytes)?;
        writer.flush()
    }

    /// Sends it as the answer to a request that may have more to say: the answer leaves first, then the rest is read and let go.
    pub(super) fn send_early(self, request: Request) {
        if request.body_length().is_some_and(|length| length > LET_GO) {
            return self.send_and_keep(request);
        }
        // Who does not listen to a refusal has got it all the same.
        let _ = request.respond(self.response(&[]));
    }

    /// Sends it as the answer to a request whose body is longer than can be let go: tiny_http would set aside memory for all of what
    /// was announced, and end the process when there is not so much. So the request is never dropped: its descriptors stay
    /// open until the process ends, which is the smaller harm.
    fn send_and_keep(self, request: Request) {
        // To begin an upgrade is the one way to write without dropping; that leaves length and body out, so the length stands in
        // another header's place, and the body follows.
        let length = format!("postino\r\nContent-Length: {}", self.body.len());
        let mut stream = request.upgrade("HTTP/1.1", self.response(&[("X-Served-By", &length)]));
        let _ = stream.write_all(&self.body).and_then(|()| stream.flush());
        std::mem::forget(stream);
    }

    fn response(&self, more: &[(&str, &str)]) -> Response<&[u8]> {
        let headers = self.all_headers().chain(more.iter().copied());
        let headers = headers.filter_map(|(name, value)| Header::from_bytes(name, value).ok()).collect();
        let length = Some(self.body.len());
        let response = Response::new(StatusCode(self.status), headers, self.body.as_slice(), length, None);
        response.with_chunked_threshold(usize::MAX)
    }

    /// An answer that goes on for as long as somebody listens: live events.
    pub(super) fn stream() -> Answer {
        Answer::new(200, "text/event-stream", Vec::new())
    }

    /// The head of such a one, which comes in chunks or until the connection ends.
    pub(super) fn head_of_stream(&self, chunked: bool) -> Vec<u8> {
        let headers: String = self.all_headers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let framing = if chunked { "Transfer-Encoding: chunked" } else { "Connection: close" };
        format!("HTTP/1.1 200 OK\r\n{headers}{framing}\r\n\r\n").into_bytes()
    }

    fn all_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = [("Content-Type", self.kind), ("Content-Security-Policy", self.policy), ("Server", "postino")];
        let more = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        own.into_iter().chain(HEADERS).chain(more)
    }
}

/// What a status is called (RFC 9110 §15).
fn reason(status: u16) -> &'static str {
    StatusCode(status).default_reason_phrase()
}
