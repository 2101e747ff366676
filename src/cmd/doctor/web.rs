//! Checks of the web server: whether one runs and answers, and whether one could.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::{Exam, Finding, Patient};
use crate::cmd::serve;

/// How long a server may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// This version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The server that runs answers, and is of this version.
pub(super) fn server(patient: &Patient<'_>) -> Exam {
    let server = serve::Server::of_app(patient.app).map_err(|error| Finding::failed(&error))?;
    let Some(record) = server.running() else {
        let wanted = patient.app.settings.web.enabled;
        let who = if wanted { "a session starts it" } else { "sessions do not start it (POSTINO_WEB_ENABLED)" };
        return Ok(Finding::ok(format!("none runs; {who}")));
    };
    if !answers(&record.url) {
        let what = format!("{} does not answer (process {})", record.url, record.pid);
        return Ok(Finding::broken(what, "postino serve stop; postino serve --detach"));
    }
    if record.version != VERSION {
        let what = format!("{} is served by version {}; this is {VERSION}", record.url, record.version);
        return Ok(Finding::warning(what, "postino serve --detach"));
    }
    Ok(Finding::ok(format!("{} (process {})", record.url, record.pid)))
}

/// A server that is started could listen.
pub(super) fn port(patient: &Patient<'_>) -> Exam {
    let server = serve::Server::of_app(patient.app).map_err(|error| Finding::failed(&error))?;
    if server.running().is_some() {
        return Ok(Finding::skipped("the web server has it"));
    }
    Ok(match server.free_port() {
        Ok(port) => Finding::ok(format!("{port} is free")),
        Err(error) => Finding::warning(error.message, "export POSTINO_WEB_PORT=0"),
    })
}

/// Whether a server answers anything at all: what it says of its store is another check's affair.
fn answers(url: &str) -> bool {
    let authority = url.trim_start_matches("http://").trim_end_matches('/');
    let asked = || -> std::io::Result<bool> {
        let address: SocketAddr = authority.parse().map_err(|_| std::io::ErrorKind::InvalidInput)?;
        let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.write_all(format!("GET / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"HTTP/")
    };
    asked().unwrap_or(false)
}
