//! An answer without a known end, in chunks (RFC 9112 §7.1): the end can be told while the connection stays, which belongs to the
//! HTTP library and cannot be closed from here. A client that stalls is waited for, in its own thread, and not for ever.

use std::io::{self, ErrorKind, Write};
use std::time::{Duration, Instant};

use tiny_http::{HTTPVersion, Request};

use crate::web::answer::Answer;

/// How long a client may take nothing while something waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The way to a client.
pub(super) struct Stream {
    patience: Duration,
    writer: Box<dyn Write + Send>,
    /// A client of HTTP/1.0 knows no chunks; its connection ends with the answer.
    chunked: bool,
}

impl Stream {
    /// The answer to this request.
    pub(super) fn of(request: Request) -> Stream {
        let chunked = *request.http_version() >= HTTPVersion(1, 1);
        Stream { patience: PATIENCE, writer: request.into_writer(), chunked }
    }

    /// Writes the head.
    pub(super) fn begin(&mut self, head: &Answer) -> io::Result<()> {
        self.bytes(&head.head_of_stream(self.chunked))
    }

    /// Writes a piece of text.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        if !self.chunked {
            return self.bytes(text.as_bytes());
        }
        self.bytes(format!("{:x}\r\n", text.len()).as_bytes())?;
        self.bytes(text.as_bytes())?;
        self.bytes(b"\r\n")
    }

    /// Says that nothing follows.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if self.chunked {
            self.bytes(b"0\r\n\r\n")?;
        }
        self.flush()
    }

    /// Sends what was written.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let since = Instant::now();
        loop {
            match self.writer.flush() {
                Err(error) if is_stalled(&error) && since.elapsed() < self.patience => {}
                done => return done,
            }
        }
    }

    fn bytes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut since = Instant::now();
        while !bytes.is_empty() {
            match self.writer.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = bytes.get(written..).unwrap_or_default();
                    since = Instant::now();
                }
                Err(error) if is_stalled(&error) && since.elapsed() < self.patience => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether the client only did not read for a while: the socket gives a write up then, as others cannot wait.
fn is_stalled(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket whose client takes so many bytes, one at a time and with a stall before each, and then no more.
    struct Slow {
        takes: usize,
        stalled: bool,
    }

    impl Write for Slow {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            std::thread::sleep(Duration::from_millis(2));
            self.stalled = !self.stalled;
            if self.stalled || self.takes == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.takes -= 1;
            Ok(1)
        }

        fn flush(&mut self) -> io::Result<()> {
            std::thread::sleep(Duration::from_millis(2));
            if self.takes == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
        }
    }

    fn stream(takes: usize, patience: u64) -> Stream {
        let writer = Box::new(Slow { takes, stalled: false });
        Stream { patience: Duration::from_millis(patience), writer, chunked: false }
    }

    #[test]
    fn who_takes_little_is_waited_for_and_who_takes_nothing_is_let_go() {
        // All of it takes longer than the patience, no byte of it does.
        let text = "x".repeat(600);
        stream(600, 2_000).text(&text).unwrap();
        assert_eq!(stream(10, 50).text(&text).unwrap_err().kind(), ErrorKind::WouldBlock);
        stream(1, 50).flush().unwrap();
        assert_eq!(stream(0, 50).flush().unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}
