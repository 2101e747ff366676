//! A proxy between the clients and their store or server, which can be told to misbehave. It moves bytes and understands
//! none of them.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How it treats connections that come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Manner {
    /// Lets everything through.
    Honest,
    /// Accepts, and never answers.
    BlackHole,
    /// Ends the connection by a reset as soon as a word was said.
    Reset,
    /// Lets the request through and says at once that no answer will come.
    HalfClose,
    /// Lets a byte at a time through.
    Dribble,
    /// Lets an answer through two seconds late.
    Slow,
    /// Lets the request through, waits for the answer, and ends the connection instead of telling it.
    CutAfterRequest,
}

const MANNERS: [Manner; 7] = [
    Manner::Honest,
    Manner::BlackHole,
    Manner::Reset,
    Manner::HalfClose,
    Manner::Dribble,
    Manner::Slow,
    Manner::CutAfterRequest,
];

/// How often a connection looks whether the proxy is still there.
const GLANCE: Duration = Duration::from_millis(50);

/// A proxy that runs; gone when dropped.
pub(crate) struct Proxy {
    port: u16,
    manner: Arc<AtomicU8>,
    over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Proxy {
    /// One in front of this loopback port.
    pub(crate) fn to(target: u16) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (manner, over) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicBool::new(false)));
        let accepting = std::thread::spawn({
            let (manner, over) = (Arc::clone(&manner), Arc::clone(&over));
            move || {
                for client in listener.incoming().flatten() {
                    if over.load(Ordering::SeqCst) {
                        return;
                    }
                    let manner = MANNERS[usize::from(manner.load(Ordering::SeqCst))];
                    let over = Arc::clone(&over);
                    std::thread::spawn(move || treat(client, target, manner, &over));
                }
            }
        });
        Proxy { port, manner, over, accepting: Some(accepting) }
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Treats the connections from now on so.
    pub(crate) fn set(&self, manner: Manner) {
        self.manner.store(manner as u8, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // A last connection makes it look.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().unwrap();
        }
    }
}

/// Treats one connection; whatever fails ends it.
fn treat(client: TcpStream, target: u16, manner: Manner, over: &AtomicBool) {
    if manner == Manner::BlackHole {
        pump(&client, over, |_| true);
        return;
    }
    if manner == Manner::Reset {
        // What was said is left unread, so that the end is a reset.
        let _ = client.set_read_timeout(Some(Duration::from_secs(5)));
        let _ = client.peek(&mut [0]);
        return;
    }
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pump(&client, over, |bytes| {
                let sent = pass(bytes, &server, manner);
                if manner == Manner::HalfClose {
                    let _ = client.shutdown(Shutdown::Write);
                }
                sent
            });
            let _ = server.shutdown(Shutdown::Write);
        });
        pump(&server, over, |bytes| match manner {
            Manner::CutAfterRequest => {
                let _ = client.shutdown(Shutdown::Both);
                false
            }
            // Nobody listens any more.
            Manner::HalfClose => true,
            Manner::Slow => {
                std::thread::sleep(Duration::from_secs(2));
                pass(bytes, &client, manner)
            }
            Manner::Honest | Manner::BlackHole | Manner::Reset | Manner::Dribble => pass(bytes, &client, manner),
        });
        let _ = (client.shutdown(Shutdown::Write), server.shutdown(Shutdown::Both));
    });
}

/// Passes bytes on; false when the other side is gone.
fn pass(bytes: &[u8], mut to: &TcpStream, manner: Manner) -> bool {
    if manner != Manner::Dribble {
        return to.write_all(bytes).is_ok();
    }
    bytes.iter().all(|byte| to.write_all(&[*byte]).is_ok())
}

/// Hands over what comes in, until its end, until that is refused, or until the proxy is gone.
fn pump(mut from: &TcpStream, over: &AtomicBool, mut hand: impl FnMut(&[u8]) -> bool) {
    let _ = from.set_read_timeout(Some(GLANCE));
    let mut buffer = [0; 16_384];
    while !over.load(Ordering::SeqCst) {
        match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) if hand(&buffer[..count]) => {}
            Ok(_) => return,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}
