//! What a request's head says, read without trust: the path, the query, the headers. It judges nothing.

use std::net::SocketAddr;

use tiny_http::Request;

/// The methods that some route knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Also `HEAD`, whose answer goes without its body.
    Get,
    Post,
    Delete,
}

impl Verb {
    /// The method as it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Verb::Get => "GET, HEAD",
            Verb::Post => "POST",
            Verb::Delete => "DELETE",
        }
    }
}

/// A request's head.
pub(super) struct Head<'r> {
    request: &'r Request,
    path: &'r str,
    query: &'r str,
}

impl<'r> Head<'r> {
    /// The head of a request.
    pub(super) fn of(request: &'r Request) -> Head<'r> {
        let local = split(request.url()).1;
        let (path, query) = local.split_once('?').unwrap_or((local, ""));
        Head { request, path, query }
    }

    /// The request's target as it was sent.
    pub(super) fn target(&self) -> &'r str {
        self.request.url()
    }

    /// The host that the target names, where it is a whole URL.
    pub(super) fn authority(&self) -> Option<&'r str> {
        split(self.request.url()).0
    }

    /// The bytes of all headers, and how many there are.
    pub(super) fn size(&self) -> (usize, usize) {
        let headers = self.request.headers();
        let length = |header: &tiny_http::Header| header.field.as_str().as_str().len() + header.value.len();
        (headers.iter().map(length).sum(), headers.len())
    }

    /// Whether the request announces a body.
    pub(super) fn has_body(&self) -> bool {
        self.header("Content-Length").is_some_and(|length| length.bytes().any(|digit| digit != b'0'))
            || self.headers("Transfer-Encoding").next().is_some()
    }

    /// Where the request comes from.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.request.remote_addr().copied()
    }

    /// The value of a cookie that stands there once.
    pub(super) fn cookie(&self, name: &str) -> Option<&'r str> {
        let cookies = self.headers("Cookie").flat_map(|line| line.split(';'));
        let mut named = cookies.filter_map(|pair| pair.trim().split_once('=')).filter(|(known, _)| *known == name);
        let (_, value) = named.next()?;
        named.next().is_none().then_some(value)
    }

    /// The path, not decoded.
    pub(super) fn path(&self) -> &'r str {
        self.path
    }

    /// The method; `None` for one that no route knows.
    pub(super) fn verb(&self) -> Option<Verb> {
        match self.request.method().as_str() {
            "GET" | "HEAD" => Some(Verb::Get),
            "POST" => Some(Verb::Post),
            "DELETE" => Some(Verb::Delete),
            _ => None,
        }
    }

    /// Whether the method is the one by which a browser asks whether it may ask.
    pub(super) fn is_options(&self) -> bool {
        self.request.method().as_str() == "OPTIONS"
    }

    /// The value of a header that stands there once; `None` when it is missing or there twice.
    pub(super) fn header(&self, name: &'static str) -> Option<&'r str> {
        let mut found = self.headers(name);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Every value of a header.
    pub(super) fn headers(&self, name: &'static str) -> impl Iterator<Item = &'r str> {
        let named = self.request.headers().iter().filter(move |header| header.field.equiv(name));
        named.map(|header| header.value.as_str())
    }

    /// The parts of the path, decoded; `None` when it cannot be decoded.
    pub(super) fn segments(&self) -> Option<Vec<String>> {
        self.path.trim_start_matches('/').split('/').map(decoded).collect()
    }

    /// The parts of the query, decoded, in order; `None` when it cannot be decoded.
    pub(super) fn query(&self) -> Option<Vec<(String, String)>> {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((decoded(name)?, decoded(&value.replace('+', " "))?))
        };
        self.query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
    }
}

/// The host in a target that is a whole URL, and the rest.
fn split(target: &str) -> (Option<&str>, &str) {
    match target.strip_prefix("http://") {
        Some(rest) => {
            let (host, local) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(host), if local.is_empty() { "/" } else { local })
        }
        None => (None, target),
    }
}

/// Percent-decoded UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = tail;
            continue;
        }
        let (hex, tail) = tail.split_at_checked(2)?;
        let digit = |byte: u8| (byte as char).to_digit(16);
        bytes.push(u8::try_from(digit(hex[0])? * 16 + digit(hex[1])?).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn percent_signs_are_decoded_and_broken_ones_refused() {
        assert_eq!(decoded("a%20b%C3%A9").as_deref(), Some("a bé"));
        for bad in ["%", "%2", "%zz", "%+1", "%ff"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}
