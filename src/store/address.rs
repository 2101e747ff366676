//! Addresses of stores: parsing, showing without secrets, opening. It does not know why an address was chosen.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Store;
use super::embedded::Embedded;
use super::valkey::{self, Valkey};
use crate::error::{Error, Kind, Result};

/// Schemes of a server's address.
const SERVER_SCHEMES: [&str; 15] = [
    "redis",
    "rediss",
    "valkey",
    "valkeys",
    "unix",
    "redis+unix",
    "valkey+unix",
    "redis+cluster",
    "rediss+cluster",
    "valkey+cluster",
    "valkeys+cluster",
    "redis+sentinel",
    "rediss+sentinel",
    "valkey+sentinel",
    "valkeys+sentinel",
];
/// The file scheme of the embedded store.
const EMBEDDED: &str = "sqlite:";

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// The embedded store: an absolute path of its file.
    Embedded(PathBuf),
    /// A Valkey or Redis: its URL, secrets included. Show it with `Display`, which hides them.
    Server(String),
}

impl Address {
    /// Parses `sqlite:PATH` (relative to the current directory) or a server's URL. `Usage` for anything else.
    pub fn parse(text: &str) -> Result<Address> {
        if let Some(path) = text.strip_prefix(EMBEDDED) {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path == "~" || path.starts_with("~/") {
                return Err(Error::new(Kind::Usage, "the shell puts no home directory in the place of this ~")
                    .hint("write the path out, e.g. sqlite:$HOME/postino.db"));
            }
            let absolute =
                std::path::absolute(path).ok().filter(|path| path.file_name().is_some() && !text.ends_with('/'));
            let absolute = absolute.ok_or_else(|| {
                Error::new(Kind::Usage, "the store's address names no file").hint("write sqlite:/path/to/postino.db")
            })?;
            return Address::file(absolute);
        }
        match text.split_once("://") {
            Some((scheme, rest)) if SERVER_SCHEMES.contains(&scheme) && !rest.is_empty() => Ok(Address::Server(text.to_owned())),
            Some(_) | None => Err(Error::new(Kind::Usage, format!("{:?} is not the address of a store", valkey::redacted(text)))
                .hint("write redis://host:6379, rediss://…, valkey://…, unix:///path/to.sock, redis+cluster://h1,h2, redis+sentinel://h1,h2/NAME, or sqlite:/path/to/postino.db")),
        }
    }

    /// The embedded store in this file. `Usage` when the path cannot stand on a line of text: who read it there would find
    /// another store, or none.
    pub fn file(path: PathBuf) -> Result<Address> {
        match path.to_str() {
            Some(text) if !text.contains(['\t', '\n']) => Ok(Address::Embedded(path)),
            Some(_) | None => Err(Error::new(Kind::Usage, format!("the store cannot lie at {path:?}"))
                .hint("choose a path of UTF-8 without tabs and line feeds; POSTINO_HOME moves the default one")),
        }
    }

    /// Whether the address sends a password over a network unencrypted.
    pub fn sends_password_in_clear(&self) -> bool {
        match self {
            Address::Embedded(_) => false,
            Address::Server(url) => valkey::sends_password_in_clear(url),
        }
    }

    /// The address with its secrets, as it is kept in private files.
    pub fn secret(&self) -> String {
        match self {
            Address::Embedded(path) => format!("{EMBEDDED}{}", path.display()),
            Address::Server(url) => url.clone(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Embedded(_) => f.write_str(&self.secret()),
            Address::Server(url) => f.write_str(&valkey::redacted(url)),
        }
    }
}

/// How patient to be with a server.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For one answer.
    pub command: Duration,
    /// For everything this process asks of it; `None` for processes that wait.
    pub deadline: Option<Instant>,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { connect: Duration::from_secs(1), command: Duration::from_secs(5), deadline: None }
    }
}

/// Opens a store. The embedded one is made when it is missing; a server is connected at the first step.
pub fn open(address: &Address, prefix: &str, patience: Patience) -> Result<Box<dyn Store>> {
    match address {
        Address::Embedded(path) => Ok(Box::new(Embedded::open(path)?)),
        Address::Server(url) => {
            let Patience { connect, command, deadline } = patience;
            let options = valkey::Options { prefix: prefix.to_owned(), connect, command, deadline, given_clock: false };
            Ok(Box::new(Valkey::open(url, options)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_and_shown_without_secrets() {
        assert_eq!(Address::parse("sqlite:/a/b.db").unwrap(), Address::Embedded("/a/b.db".into()));
        assert_eq!(Address::parse("sqlite:///a/b.db").unwrap(), Address::Embedded("/a/b.db".into()));
        let url = "rediss://me:secret@db.example:6380/2";
        let address = Address::parse(url).unwrap();
        assert_eq!(address.secret(), url);
        assert!(!address.to_string().contains("secret"), "{address}");
        for bad in [
            "",
            "sqlite:",
            "sqlite:/a/",
            "sqlite:~/b.db",
            "sqlite:///a/\tb.db",
            "sqlite:/a/b\n.db",
            "http://x",
            "redis://",
            "redis",
            "/a/b.db",
        ] {
            assert_eq!(Address::parse(bad).unwrap_err().kind, Kind::Usage, "{bad}");
        }
        assert!(!Address::parse("http://me:secret@x").unwrap_err().message.contains("secret"));
    }
}
