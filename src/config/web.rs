//! The settings of the web server: parsed, not judged. It does not know what is safe to serve, nor to whom.

use std::fmt;
use std::path::PathBuf;

use super::Source;
use crate::error::{Error, Kind, Result};
use crate::private;

/// What the user set for the web server.
#[derive(Clone, Debug)]
pub struct Web {
    /// Where it listens: an address or a name.
    pub host: String,
    /// Its port; 0 for any free one.
    pub port: u16,
    /// Whether sessions start it.
    pub enabled: bool,
    /// Further names that it may be called by, in lower case, with or without a port.
    pub names: Vec<String>,
    /// The origin whose pages may call it.
    pub cors_origin: Option<String>,
    /// The longest request body, in bytes.
    pub max_body: usize,
    token: Option<Secret>,
    token_file: Option<PathBuf>,
}

/// A text that is never shown.
#[derive(Clone)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Web {
    pub(super) fn read(source: &Source<'_>) -> Result<Web> {
        let host = source.parse("web_host", "an address or a name", parse_host)?;
        let file = source.parse("api_token_file", "the path of a file", parse_path)?;
        Ok(Web {
            host: host.unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: source.number("web_port", 3_333, 0, u16::MAX)?,
            enabled: source.parse("web_enabled", "true or false", parse_flag)?.unwrap_or(true),
            names: source.parse("web_names", "names with commas between them", parse_names)?.unwrap_or_default(),
            cors_origin: source.parse("cors_origin", "an origin such as https://tools.example", parse_origin)?,
            // The least still takes the longest legal message, each character written as two escapes.
            max_body: source.number("max_body_bytes", 524_288, 400_000, 16 << 20)?,
            token: source.parse("api_token", "a text of visible ASCII characters", parse_token)?,
            token_file: file,
        })
    }

    /// What callers must know: from the setting, else from the file that was named. `Denied` when that file cannot be read.
    pub fn token(&self) -> Result<Option<String>> {
        if let Some(Secret(token)) = &self.token {
            return Ok(Some(token.clone()));
        }
        let Some(path) = &self.token_file else { return Ok(None) };
        let failed = |why: &str| {
            Error::new(Kind::Denied, format!("cannot read the API token from {}: {why}", path.display()))
                .hint("put the token into that file, on one line, readable by you alone")
        };
        let text = private::read_kept(path)?.ok_or_else(|| failed("it is not there"))?;
        match parse_token(text.trim()) {
            Some(Secret(token)) => Ok(Some(token)),
            None => Err(failed("it holds no text of visible ASCII characters")),
        }
    }
}

impl Web {
    /// The file that the token is read from, where one was named.
    pub fn token_file(&self) -> Option<&std::path::Path> {
        self.token_file.as_deref()
    }
}

fn parse_host(text: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '%');
    (text.len() <= 255 && text.chars().all(legal)).then(|| text.to_owned())
}

fn parse_path(text: &str) -> Option<PathBuf> {
    (!text.chars().any(char::is_control)).then(|| PathBuf::from(text))
}

fn parse_flag(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn parse_names(text: &str) -> Option<Vec<String>> {
    let name = |name: &str| parse_host(name.trim()).map(|name| name.to_ascii_lowercase());
    text.split(',').filter(|name| !name.trim().is_empty()).map(name).collect()
}

fn parse_origin(text: &str) -> Option<String> {
    let (scheme, host) = text.split_once("://")?;
    (matches!(scheme, "http" | "https") && !host.is_empty() && parse_host(host).is_some()).then(|| text.to_owned())
}

fn parse_token(text: &str) -> Option<Secret> {
    let legal = !text.is_empty() && text.len() <= 1_024 && text.bytes().all(|byte| byte.is_ascii_graphic());
    // A cookie cannot carry these, and a header's value could be cut at them.
    (legal && !text.contains([';', ','])).then(|| Secret(text.to_owned()))
}
