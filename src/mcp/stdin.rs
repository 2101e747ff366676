//! What the client writes, made readable for whoever parses it: to a request that cannot be parsed nobody answers, and the client
//! waits. It knows lines and no protocol.

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};

use crate::surrogates;

/// As much of a line is mended at once: more than any legal request.
const PIECE: u64 = 4 << 20;
/// How much may be on the way, in bytes.
const ON_THE_WAY: usize = 64 << 10;

/// The same lines, with no half of a character in them.
pub(super) fn readable(stdin: impl AsyncRead + Send + Unpin + 'static) -> DuplexStream {
    let (mut into, out) = tokio::io::duplex(ON_THE_WAY);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdin);
        let mut line = Vec::new();
        while (&mut lines).take(PIECE).read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            surrogates::mend(&mut line);
            if into.write_all(&line).await.is_err() {
                break;
            }
            line.clear();
        }
    });
    out
}
