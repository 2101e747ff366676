//! A server that does as it is told: for what a real one cannot be made to do at the right moment.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread::JoinHandle;

/// What it does when it has read a whole request.
pub(super) enum Act {
    /// Answers with these bytes.
    Answer(&'static str),
    /// Closes the connection without an answer.
    Close,
}

/// A fake server on a port of its own.
pub(super) struct Fake {
    port: u16,
    served: JoinHandle<Vec<String>>,
}

impl Fake {
    /// Serves connections one after the other; each is a list of what to do with its requests, and of the word that
    /// ends a request.
    pub(super) fn start(end: &'static str, connections: Vec<Vec<Act>>) -> Fake {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = std::thread::spawn(move || {
            let mut requests = Vec::new();
            for acts in connections {
                let (mut stream, _) = listener.accept().unwrap();
                for act in acts {
                    let mut request = Vec::new();
                    while !String::from_utf8_lossy(&request).contains(end) {
                        let mut bytes = [0; 4096];
                        let count = stream.read(&mut bytes).unwrap();
                        assert!(count > 0, "the client hung up early");
                        request.extend_from_slice(&bytes[..count]);
                    }
                    requests.push(String::from_utf8_lossy(&request).into_owned());
                    match act {
                        Act::Answer(bytes) => stream.write_all(bytes.as_bytes()).unwrap(),
                        Act::Close => break,
                    }
                }
            }
            requests
        });
        Fake { port, served }
    }

    /// Its address, with credentials if `credentials` names some.
    pub(super) fn url(&self, credentials: &str) -> String {
        format!("redis://{credentials}127.0.0.1:{}", self.port)
    }

    /// The requests that it read, once all of its acts are done.
    pub(super) fn requests(self) -> Vec<String> {
        self.served.join().unwrap()
    }
}
