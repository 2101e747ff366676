//! One request of a connection at a time, in their order: what a client asks before it was answered waits for its turn, and takes no
//! thread meanwhile. So a client holds up others no longer than one answer does, however much it asks.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use tiny_http::Request;

/// The connections that are being served, by the client's address, and what waits for its turn there.
static LANES: LazyLock<Mutex<HashMap<SocketAddr, VecDeque<Request>>>> = LazyLock::new(Mutex::default);

fn lanes() -> MutexGuard<'static, HashMap<SocketAddr, VecDeque<Request>>> {
    LANES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection while one of its requests is answered. When it is dropped, what waits there is dropped too.
pub(super) struct Lane(Option<SocketAddr>);

/// A request whose turn it is, with its connection; nothing when it waits in the row behind another one. The request comes first,
/// and is dropped first: what is behind it in the row is not answered before it.
pub(super) type Turn = Option<(Request, Lane)>;

impl Lane {
    /// The turn of a request that came. Those of one connection enter in the order in which they were sent.
    pub(super) fn enter(request: Request) -> Turn {
        let Some(from) = request.remote_addr().copied() else { return Some((request, Lane(None))) };
        match lanes().entry(from) {
            Entry::Occupied(mut row) => {
                row.get_mut().push_back(request);
                None
            }
            Entry::Vacant(place) => {
                place.insert(VecDeque::new());
                Some((request, Lane(Some(from))))
            }
        }
    }

    /// The request whose turn it is now; without one the connection is left.
    pub(super) fn next(mut self) -> Turn {
        let from = self.0?;
        let mut lanes = lanes();
        let next = lanes.get_mut(&from).and_then(VecDeque::pop_front);
        if next.is_none() {
            lanes.remove(&from);
            self.0 = None;
        }
        drop(lanes);
        next.map(|request| (request, self))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let row = self.0.and_then(|from| lanes().remove(&from));
        // It is answered with a failure, which may take its time.
        drop(row);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::mpsc;
    use std::time::Duration;

    use tiny_http::Server;

    use super::*;

    #[test]
    fn a_turn_that_is_given_up_answers_all_of_its_row() {
        let server = Server::http("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(server.server_addr().to_ip().unwrap()).unwrap();
        stream.write_all("GET / HTTP/1.1\r\nHost: here\r\n\r\n".repeat(3).as_bytes()).unwrap();
        let turn = Lane::enter(server.recv().unwrap());
        assert!(Lane::enter(server.recv().unwrap()).is_none() && Lane::enter(server.recv().unwrap()).is_none());
        let (done, told) = mpsc::channel();
        std::thread::spawn(move || {
            drop(turn);
            done.send(()).unwrap();
        });
        told.recv_timeout(Duration::from_secs(20)).expect("it waits for itself");
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        assert_eq!(answers.matches("HTTP/1.1 500").count(), 3, "{answers}");
        assert!(!lanes().contains_key(&stream.local_addr().unwrap()));
    }
}
