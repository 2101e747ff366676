//! Where a body comes from: the command line, a pipe or a file. Bytes are kept as they are; only so much is read as a body
//! may have, so that an endless pipe ends at once.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::model::{Body, MAX_BODY_CHARS};

/// The longest body in bytes: four for a character at most.
const MAX_BYTES: u64 = 4 * MAX_BODY_CHARS as u64;

/// The arguments that give a body.
#[derive(Debug, clap::Args)]
pub struct BodyArgs {
    /// What to say; with "-", or nothing here and a pipe, stdin is read to its end
    #[arg(value_name = "BODY")]
    body: Option<String>,
    /// Say what is in this file
    #[arg(long, value_name = "PATH", conflicts_with = "body", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
}

impl BodyArgs {
    /// The body, byte for byte. `Usage` when there is none, or when it is not a legal one.
    pub fn read(self) -> Result<Body> {
        match (self.body, self.file) {
            (Some(body), _) if body != "-" => Body::try_from(body),
            (_, Some(path)) if path != Path::new("-") => {
                let name = path.display().to_string();
                let file = File::open(&path).map_err(|error| unreadable(&name, error))?;
                bounded(file, &name)
            }
            (None, None) if io::stdin().is_terminal() => Err(Error::new(Kind::Usage, "there is nothing to say")
                .hint("give the body as an argument, by a pipe, or with --file PATH")),
            (Some(_), _) | (None, _) => bounded(io::stdin().lock(), "stdin"),
        }
    }
}

fn bounded(source: impl Read, name: &str) -> Result<Body> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name, error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::new(
            Kind::Usage,
            "the body has more than 32,768 characters, which is what is carried at most",
        )
        .hint("put the text in a file or a repository and send where it is"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::new(Kind::Usage, format!("the body from {name} is not valid UTF-8: the first bad byte is number {at}"))
            .hint("send text; put other data in a file and send where it is")
    })?;
    Body::try_from(text)
}

fn unreadable(name: &str, error: io::Error) -> Error {
    Error::new(Kind::Usage, format!("the body cannot be read from {name}: {}", error.kind())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept() {
        assert_eq!(bounded(&b"a\0b\r\n\n"[..], "stdin").unwrap().as_str(), "a\0b\r\n\n");
    }

    #[test]
    fn the_longest_body_passes_and_one_more_does_not() {
        let most = "🚀".repeat(MAX_BODY_CHARS);
        assert_eq!(bounded(most.as_bytes(), "stdin").unwrap().as_str(), most);
        for more in [most + "a", "a".repeat(MAX_BODY_CHARS + 1)] {
            assert_eq!(bounded(more.as_bytes(), "stdin").unwrap_err().kind, Kind::Usage);
        }
        assert_eq!(bounded(io::repeat(b'y'), "stdin").unwrap_err().kind, Kind::Usage);
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let error = bounded(&b"ab\xff"[..], "stdin").unwrap_err();
        assert_eq!((error.kind, error.message.contains("number 2")), (Kind::Usage, true));
        assert_eq!(bounded(&b"\n \n"[..], "stdin").unwrap_err().message, "the body is blank");
    }
}
