//! An answer without a known end, in chunks (RFC 9112 §7.1): the end can be told while the connection stays, which belongs to the
//! HTTP library and cannot be closed from here. A client that stalls is waited for, in its own thread.

use std::io::{self, ErrorKind, Write};

use tiny_http::{HTTPVersion, Request};

use crate::web::answer::Answer;

/// The way to a client.
pub(super) struct Stream {
    writer: Box<dyn Write + Send>,
    /// A client of HTTP/1.0 knows no chunks; its connection ends with the answer.
    chunked: bool,
}

impl Stream {
    /// The answer to this request.
    pub(super) fn of(request: Request) -> Stream {
        let chunked = *request.http_version() >= HTTPVersion(1, 1);
        Stream { writer: request.into_writer(), chunked }
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
        loop {
            match self.writer.flush() {
                Err(error) if is_stalled(&error) => {}
                done => return done,
            }
        }
    }

    fn bytes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.writer.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if is_stalled(&error) => {}
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
