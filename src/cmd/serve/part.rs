//! The parts of a server: the parent that was started, the one that takes over from an older version, and the child that answers.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use rustix::stdio;
use serde_json::json;

use super::counter::Counter;
use super::detach::{pack, unpack};
use super::place::Lock;
use super::{LOOK, PATIENCE, Record, Server, VERSION, end, is_older, told};
use crate::cmd::Outcome;
use crate::cmd::app::System;
use crate::config::{self, Env};
use crate::error::{Error, Kind, Result};
use crate::identity::process;
use crate::ops::Machine;
use crate::output::Output;
use crate::web::supervise::Parent;
use crate::web::supervise::child::Post;
use crate::web::{self, Site, Token};

/// How many ports are tried, from the one that was set.
const PORTS: u16 = 10;
/// How long an older version may take to hand over before it is ended.
const HAND_OVER: Duration = Duration::from_secs(6);
/// The longest text that is handed over, in bytes.
const HANDED: u64 = 64 << 10;

/// What who wants to serve finds.
pub enum Entered {
    /// It is served already.
    Running(Record),
    /// It may.
    Free(Lock),
}

/// Takes the right to serve, or finds who has it. An older version makes room: it becomes this program.
pub fn enter(server: &Server) -> Result<Entered> {
    let until = Instant::now() + PATIENCE;
    let mut called = None;
    while Instant::now() < until {
        if let Some(lock) = server.place.lock()? {
            return Ok(Entered::Free(lock));
        }
        match (server.place.running(), called) {
            (Some(record), _) if !is_older(&record.version) => return Ok(Entered::Running(record)),
            (Some(_), None) => {
                let this = config::executable().unwrap_or_else(|| "postino".into());
                called = Some(server.place.call(&format!("heir {}", this.display())).then(Instant::now));
            }
            // It does not listen, or does not do what it was told.
            (Some(record), Some(when)) if when.is_none_or(|when: Instant| when.elapsed() > HAND_OVER) => {
                end(server, &record)?;
            }
            (Some(_) | None, _) => {}
        }
        std::thread::sleep(LOOK);
    }
    Err(Error::new(Kind::Conflict, "another process is about to serve, and does not say where")
        .hint("postino serve status"))
}

/// Becomes the parent of a server in the foreground.
pub fn serve(server: &Server, lock: Lock, out: &Output) -> Outcome {
    let listener = listen(server)?;
    let announce = |record: &Record| {
        // Nobody may be looking.
        let _ = told(server, out, record);
    };
    reign(server, lock, listener, &announce)?;
    Ok(ExitCode::SUCCESS)
}

/// The parent in the background: what it needs to know is on its stdin.
pub fn parent() -> Outcome {
    let mut handed = String::new();
    // Its starter may be gone before it has written anything: then there is nothing to do.
    let _ = std::io::stdin().take(HANDED).read_to_string(&mut handed);
    let env = Env::of_process()?.with(unpack(&handed)?);
    // Out of the terminal's session: closing it ends no server.
    let _ = rustix::process::setsid();
    let server = Server::new(None, env)?;
    if let Entered::Free(lock) = enter(&server).inspect_err(|error| fail(&server, error))? {
        let ended = listen(&server).and_then(|listener| reign(&server, lock, listener, &|_| ()));
        ended.inspect_err(|error| fail(&server, error))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The parent that an older one has become: it has the socket, the lock, and what was handed over as its streams.
pub fn heir() -> Outcome {
    let doing = |error: std::io::Error| Error::new(Kind::Other, "cannot take over from an older server").because(error);
    let taken = || {
        let [listener, lock, handed] =
            [stdio::stdin(), stdio::stdout(), stdio::stderr()].map(|fd| fd.try_clone_to_owned());
        let nothing = std::fs::File::options().read(true).write(true).open("/dev/null")?;
        stdio::dup2_stdin(&nothing)?;
        stdio::dup2_stdout(&nothing)?;
        stdio::dup2_stderr(&nothing)?;
        Ok((TcpListener::from(listener?), std::fs::File::from(lock?), std::fs::File::from(handed?)))
    };
    let (listener, lock, handed) = taken().map_err(doing)?;
    let mut text = String::new();
    handed.take(HANDED).read_to_string(&mut text).map_err(doing)?;
    let server = Server::new(None, Env::of_process()?.with(unpack(&text)?))?;
    reign(&server, Lock::of(lock), listener, &|_| ()).inspect_err(|error| fail(&server, error))?;
    Ok(ExitCode::SUCCESS)
}

fn fail(server: &Server, error: &Error) {
    server.say("failed", json!({ "why": error.message }));
}

/// Is the parent, until a newer version takes over. Only its own end or a failure to start ends it otherwise.
fn reign(server: &Server, lock: Lock, listener: TcpListener, announce: &dyn Fn(&Record)) -> Result<()> {
    let record = record(&listener)?;
    let (plain, secret) = server.variables();
    let this = config::executable().unwrap_or_else(|| "postino".into());
    let command = || {
        let mut command = Command::new(&this);
        command.args(["serve", "--part", "child"]).env_clear().envs(plain.iter().cloned()).current_dir("/");
        command
    };
    let parent = Parent {
        listener,
        command: &command,
        handed: pack(&secret),
        calls: server.place.calls()?,
        log: &|event, details| server.say(event, details),
        ready: &|| {
            // The record is what others go by: it stands once requests are answered.
            if let Err(error) = server.place.write(&record) {
                fail(server, &error);
            }
            server.say("serving", json!({ "url": record.url, "version": record.version }));
            announce(&record);
        },
    };
    let lock = lock.into_file();
    loop {
        let heir = parent.run()?;
        server.say("handing over", json!({ "to": heir }));
        let error = hand_over(&heir, &parent.listener, &lock, &parent.handed);
        // It cannot be started: this version goes on.
        server.say("hand-over failed", json!({ "why": error.kind().to_string() }));
    }
}

/// Becomes another program that gets the socket, the lock, and what this one was handed. It returns only when that fails.
fn hand_over(heir: &Path, listener: &TcpListener, lock: &std::fs::File, handed: &str) -> std::io::Error {
    let prepared = || {
        let (reader, mut writer) = std::io::pipe()?;
        writer.write_all(handed.as_bytes())?;
        Ok((OwnedFd::from(listener.try_clone()?), lock.try_clone()?, reader))
    };
    match prepared() {
        Ok((listener, lock, reader)) => {
            let mut command = Command::new(heir);
            command.args(["serve", "--part", "heir"]).stdin(listener).stdout(lock).stderr(reader);
            command.exec()
        }
        Err(error) => error,
    }
}

fn record(listener: &TcpListener) -> Result<Record> {
    let unusable = |error| Error::new(Kind::Other, "the listening socket has no address").because(error);
    let pid = std::process::id();
    let started = process::look(pid).map_or(0, |process| process.started);
    let url = url(listener.local_addr().map_err(unusable)?);
    Ok(Record { url, pid, started, version: VERSION.to_owned(), since: System.now() })
}

/// Where a browser on this machine reaches an address.
fn url(address: SocketAddr) -> String {
    let ip = match address {
        _ if !address.ip().is_unspecified() => address.ip(),
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    format!("http://{}/", SocketAddr::new(ip, address.port()))
}

/// Where to listen at this port; `Denied` where that needs a token that is not set, `Usage` where nobody could ask: a request must
/// name this machine as the guard knows it.
pub fn addresses(server: &Server, port: u16) -> Result<Vec<SocketAddr>> {
    let web = &server.settings.web;
    let found = web::addresses(&web.host, port, token(server)?.as_ref())?;
    let is_known = |ip: IpAddr| ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST;
    if web.names.is_empty() && !found.iter().any(|address| is_known(address.ip())) {
        let problem =
            format!("requests to {} would be refused, for nothing says that this server is called so", web.host);
        return Err(Error::new(Kind::Usage, problem).hint(format!("set POSTINO_WEB_NAMES, e.g. to {}", web.host)));
    }
    Ok(found)
}

/// The listening socket: at the port that was set, or the next of ten that no stranger has.
pub fn listen(server: &Server) -> Result<TcpListener> {
    let (host, first) = (server.settings.web.host.as_str(), server.settings.web.port);
    let fail = |port: u16, error: std::io::Error| {
        Error::new(Kind::Other, format!("cannot listen on {host}:{port}: {}", error.kind()))
            .hint("set POSTINO_WEB_PORT to a port that is free")
            .because(error)
    };
    let ports = if first == 0 { 0..=0 } else { first..=first.saturating_add(PORTS - 1) };
    let mut taken = None;
    for port in ports {
        match TcpListener::bind(&*addresses(server, port)?) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => taken = Some(error),
            Err(error) => return Err(fail(port, error)),
        }
    }
    Err(taken.map_or_else(|| Error::new(Kind::Other, format!("cannot listen on {host}")), |error| fail(first, error)))
}

/// The child: it answers until its parent wants an end, or is gone.
pub fn child() -> Outcome {
    let post = Post::take()?;
    let env = Env::of_process()?.with(unpack(&post.handed)?);
    let server = Server::new(None, env)?;
    let address = post
        .listener
        .local_addr()
        .map_err(|error| Error::new(Kind::Other, "the listening socket has no address").because(error))?;
    let site = site(&server, address)?;
    web::work(post, site, |why| server.say("child ends", json!({ "why": why })))?;
    Ok(ExitCode::SUCCESS)
}

/// What callers must know, if they must.
pub fn token(server: &Server) -> Result<Option<Token>> {
    server.settings.web.token()?.map(|token| Token::new(&token)).transpose()
}

/// What is served.
fn site(server: &Server, address: SocketAddr) -> Result<Site> {
    let web = server.settings.web.clone();
    Ok(Site {
        address,
        token: token(server)?,
        names: web.names,
        cors_origin: web.cors_origin,
        max_body: web.max_body,
        host: process::host_name(),
        policy: server.settings.policy,
        lease: server.settings.lease,
        desk: Box::new(Counter::new(server.settings.clone())),
    })
}
