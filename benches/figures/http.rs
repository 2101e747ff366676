//! The web server's figures: how many messages it takes from clients that keep their connections, and how long the slowest wait. It
//! knows one request, and nothing of what the server does with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::net::sockopt::set_tcp_nodelay;
use tiny_http::{Response, Server};

/// Clients at once.
const CLIENTS: usize = 8;
/// Requests of each before it counts, and then.
const EACH: (usize, usize) = (50, 500);
/// How long an answer, or a start, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a run.
pub(crate) struct Load {
    /// Requests a second, of all clients together.
    pub rate: f64,
    /// The time within which 99 of 100 were answered.
    pub p99: Duration,
}

/// A web server that runs until dropped.
pub(crate) struct Site {
    process: Child,
    port: u16,
}

impl Site {
    /// Runs a command line that serves on a free port.
    pub(crate) fn start(mut command: Command) -> Result<Site> {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn()?;
        let mut said = BufReader::new(process.stdout.take().context("its stdout")?);
        let mut site = Site { process, port: 0 };
        let mut line = String::new();
        while site.port == 0 {
            line.clear();
            ensure!(said.read_line(&mut line)? > 0, "the server ended at once");
            let host = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
            site.port = host.and_then(|host| host.rsplit(':').next()?.parse().ok()).unwrap_or(0);
        }
        Ok(site)
    }

    /// Has the clients post a message each, again and again.
    pub(crate) fn post(&self, to: &str) -> Result<Load> {
        load(self.port, to)
    }

    /// How many messages wait in a mailbox.
    pub(crate) fn waiting(&self, of: &str) -> Result<u64> {
        let mut stream = BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?);
        let head = format!("GET /api/check/{of} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port);
        stream.get_mut().write_all(head.as_bytes())?;
        let news: serde_json::Value = serde_json::from_slice(&answer(&mut stream)?)?;
        news["unreadMessages"].as_u64().context("no count of unread messages")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The same clients and requests against a server that reads them and answers the same to all.
pub(crate) fn trivial() -> Result<Load> {
    let server = Server::http((Ipv4Addr::LOCALHOST, 0)).map_err(|error| anyhow::anyhow!("{error}"))?;
    let Some(address) = server.server_addr().to_ip() else { bail!("the server has no port") };
    // Copied by every connection that it accepts.
    let server = Arc::new(server);
    for _ in 0..CLIENTS {
        let server = Arc::clone(&server);
        thread::spawn(move || {
            while let Ok(mut request) = server.recv() {
                let mut body = Vec::new();
                let _ = request.as_reader().read_to_end(&mut body);
                let _ = request.respond(Response::from_string(r#"{"ok":true}"#));
            }
        });
    }
    load(address.port(), "nobody")
}

fn load(port: u16, to: &str) -> Result<Load> {
    run(port, to, EACH.0)?;
    let begin = Instant::now();
    let mut times = run(port, to, EACH.1)?;
    let took = begin.elapsed();
    times.sort();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Load { rate: times.len() as f64 / took.as_secs_f64(), p99 })
}

/// The times of all requests.
fn run(port: u16, to: &str, each: usize) -> Result<Vec<Duration>> {
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || client(port, to, number, each))).collect();
        let mut times = Vec::new();
        for client in clients {
            times.extend(client.join().map_err(|_| anyhow::anyhow!("a client panicked"))??);
        }
        Ok(times)
    })
}

/// One client's requests over one connection.
fn client(port: u16, to: &str, number: usize, each: usize) -> Result<Vec<Duration>> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    set_tcp_nodelay(&stream, true)?;
    let mut stream = BufReader::new(stream);
    let body = format!(
        r#"{{"to":"{to}","from":"bench-{number}","body":"The build is green; the image is ready to be rolled out."}}"#
    );
    let request = format!(
        "POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut times = Vec::with_capacity(each);
    for _ in 0..each {
        let begin = Instant::now();
        stream.get_mut().write_all(request.as_bytes())?;
        answer(&mut stream)?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

/// Reads the body of one answer, which must be a good one.
fn answer(stream: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let is_good = line.starts_with("HTTP/1.1 200 ");
    let mut length = 0;
    loop {
        line.clear();
        ensure!(stream.read_line(&mut line)? > 0, "the server closed the connection");
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    ensure!(is_good, "a message was refused: {}", String::from_utf8_lossy(&body));
    Ok(body)
}
