//! A Valkey or Redis address as text and as parts: which servers, how to reach them, with which credentials and
//! database. It opens nothing and resolves nothing.

use crate::error::{Error, Kind, Result};

const DEFAULT_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where one server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// A host (a name or an address without brackets) and a port.
    Tcp(String, u16),
    /// The path of a socket.
    Unix(String),
}

/// How the named servers belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One server.
    Single,
    /// Some nodes of a cluster, from which the others are learnt.
    Cluster,
    /// Sentinels, which know the primary that goes by this name.
    Sentinel(String),
}

/// Everything an address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The address as it may be shown: without its password.
    pub(super) shown: String,
    pub(super) nodes: Vec<Node>,
    pub(super) shape: Shape,
    pub(super) tls: bool,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
}

impl Address {
    /// Takes an address apart; `Usage` when it is none.
    pub(super) fn parse(url: &str) -> Result<Address> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong(url, "it has no scheme"))?;
        let (transport, shape) = scheme_of(scheme).ok_or_else(|| wrong(url, "its scheme is not known"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let mut address = Address {
            shown: redacted(url),
            nodes: Vec::new(),
            shape: Shape::Single,
            tls: transport == Transport::Tls,
            user: decoded(user).ok_or_else(|| wrong(url, "its user is not legal text"))?,
            password: decoded(password).ok_or_else(|| wrong(url, "its password is not legal text"))?,
            database: 0,
        };
        if transport == Transport::Unix {
            address.take_socket(url, path, query)?;
        } else {
            address.take_hosts(url, hosts, &shape)?;
            address.take_path(url, path.trim_matches('/'), shape)?;
        }
        if address.user.is_some() && address.password.is_none() {
            return Err(wrong(url, "it has a user but no password"));
        }
        Ok(address)
    }

    fn take_socket(&mut self, url: &str, path: &str, query: &str) -> Result<()> {
        let path = decoded(path).flatten().filter(|path| path.len() > 1);
        self.nodes = vec![Node::Unix(path.ok_or_else(|| wrong(url, "it names no socket"))?)];
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = decoded(value).ok_or_else(|| wrong(url, "its query is not legal text"))?;
            match name {
                "db" => self.database = number(url, value.as_deref().unwrap_or(""))?,
                "user" => self.user = value,
                "pass" | "password" => self.password = value,
                _ => return Err(wrong(url, "its query is not known")),
            }
        }
        Ok(())
    }

    fn take_hosts(&mut self, url: &str, hosts: &str, shape: &Shape) -> Result<()> {
        let port = if matches!(shape, Shape::Sentinel(_)) { SENTINEL_PORT } else { DEFAULT_PORT };
        for host in hosts.split(',') {
            self.nodes.push(node(host, port).ok_or_else(|| wrong(url, "its host or port is not legal"))?);
        }
        let many = self.nodes.len() > 1;
        if many && *shape == Shape::Single {
            return Err(wrong(url, "it names several hosts, which only redis+cluster:// and redis+sentinel:// take"));
        }
        Ok(())
    }

    /// What follows the hosts: a database, or with Sentinel the primary's name and perhaps a database.
    fn take_path(&mut self, url: &str, path: &str, shape: Shape) -> Result<()> {
        let database = match &shape {
            Shape::Single | Shape::Cluster => path,
            Shape::Sentinel(_) => {
                let (name, database) = path.split_once('/').unwrap_or((path, ""));
                let name = decoded(name).flatten().ok_or_else(|| wrong(url, "it does not name the primary"))?;
                self.shape = Shape::Sentinel(name);
                database
            }
        };
        if shape == Shape::Cluster {
            self.shape = shape;
        }
        if !database.is_empty() {
            self.database = number(url, database)?;
        }
        if self.shape == Shape::Cluster && self.database != 0 {
            return Err(wrong(url, "a cluster has database 0 alone"));
        }
        Ok(())
    }

    /// Whether `password` goes over the network unencrypted.
    pub(super) fn sends_password_in_clear(&self) -> bool {
        let is_far = |node: &Node| match node {
            Node::Tcp(host, _) => {
                host != "localhost" && !host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
            Node::Unix(_) => false,
        };
        self.password.is_some() && !self.tls && self.nodes.iter().any(is_far)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Plain,
    Tls,
    Unix,
}

fn scheme_of(scheme: &str) -> Option<(Transport, Shape)> {
    let (base, extra) = scheme.split_once('+').unwrap_or((scheme, ""));
    let transport = match base {
        "redis" | "valkey" => Transport::Plain,
        "rediss" | "valkeys" => Transport::Tls,
        "unix" => Transport::Unix,
        _ => return None,
    };
    match (extra, transport) {
        ("", _) => Some((transport, Shape::Single)),
        ("unix", Transport::Plain) => Some((Transport::Unix, Shape::Single)),
        ("cluster", Transport::Plain | Transport::Tls) => Some((transport, Shape::Cluster)),
        ("sentinel", Transport::Plain | Transport::Tls) => Some((transport, Shape::Sentinel(String::new()))),
        _ => None,
    }
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(super) fn node(text: &str, default_port: u16) -> Option<Node> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':').or(port.is_empty().then_some(""))?)
        }
        None => text.rsplit_once(':').unwrap_or((text, "")),
    };
    let bracketed = text.starts_with('[');
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') || (bracketed && c == ':');
    if host.is_empty() || !host.chars().all(legal) {
        return None;
    }
    let port = if port.is_empty() { default_port } else { port.parse().ok().filter(|port| *port != 0)? };
    Some(Node::Tcp(host.to_owned(), port))
}

fn number(url: &str, text: &str) -> Result<u32> {
    text.parse().map_err(|_| wrong(url, "its database is not a number"))
}

/// Undoes percent-encoding: `Some(None)` for nothing, `None` for what is not UTF-8 or a bad escape.
fn decoded(text: &str) -> Option<Option<String>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let value = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    Some((!text.is_empty()).then_some(text))
}

fn wrong(url: &str, why: &str) -> Error {
    Error::new(Kind::Usage, format!("{:?} is not a Valkey or Redis address: {why}", redacted(url)))
        .hint("write it like redis://127.0.0.1:6379, rediss://user:password@host:6380/0 or unix:///path/to/socket")
}

/// The address with its password shown as `***`; also of text that is no address.
pub fn redacted(url: &str) -> String {
    let (start, rest) = match url.find("://") {
        Some(at) => url.split_at(at + 3),
        None => ("", url),
    };
    let (credentials, rest) = match rest.rfind('@') {
        Some(at) => (&rest[..at], &rest[at..]),
        None => ("", rest),
    };
    let credentials = match credentials.split_once(':') {
        Some((user, _)) => format!("{user}:***"),
        None if credentials.is_empty() => String::new(),
        None => "***".to_owned(),
    };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let query = query.map(|query| {
        let hide = |pair: &str| match pair.split_once('=') {
            Some((name, _)) if name.starts_with("pass") => format!("{name}=***"),
            Some(_) | None => pair.to_owned(),
        };
        format!("?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&"))
    });
    format!("{start}{credentials}{rest}{}", query.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Node {
        Node::Tcp(host.to_owned(), port)
    }

    #[test]
    fn addresses_are_taken_apart() {
        let plain = Address::parse("redis://127.0.0.1").unwrap();
        assert_eq!((plain.nodes, plain.tls, plain.database), (vec![tcp("127.0.0.1", 6379)], false, 0));
        let full = Address::parse("valkeys://me:p%40ss%2f@host.example:6380/3").unwrap();
        assert_eq!((full.nodes, full.tls, full.database), (vec![tcp("host.example", 6380)], true, 3));
        assert_eq!((full.user.as_deref(), full.password.as_deref()), (Some("me"), Some("p@ss/")));
        let only = Address::parse("redis://:secret@[::1]:7000").unwrap();
        assert_eq!((only.nodes, only.user, only.password.as_deref()), (vec![tcp("::1", 7000)], None, Some("secret")));
        let socket = Address::parse("unix://u:p@/run/valkey.sock?db=2").unwrap();
        assert_eq!((socket.nodes, socket.database), (vec![Node::Unix("/run/valkey.sock".to_owned())], 2));
        assert_eq!((socket.user.as_deref(), socket.password.as_deref()), (Some("u"), Some("p")));
        let cluster = Address::parse("rediss+cluster://a:1,b").unwrap();
        assert_eq!((cluster.nodes, cluster.shape), (vec![tcp("a", 1), tcp("b", 6379)], Shape::Cluster));
        let sentinel = Address::parse("valkey+sentinel://a,b:2/main/5").unwrap();
        assert_eq!(sentinel.nodes, [tcp("a", 26379), tcp("b", 2)]);
        assert_eq!((sentinel.shape, sentinel.database), (Shape::Sentinel("main".to_owned()), 5));
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for url in [
            "",
            "redis",
            "http://host",
            "redis://",
            "redis://host:0",
            "redis://host:70000",
            "redis://ho st",
            "redis://host/x",
            "redis://a,b",
            "redis://me@host",
            "redis://:%ff@host",
            "redis://:%4@host",
            "redis+cluster://a/1",
            "redis+sentinel://a",
            "unix://",
            "unix:///s?db=x",
            "redis://u:hidden/word@host",
            "redis://[::1",
            "unix+cluster:///s",
            "unix:///s?pass=hidden&x=1",
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.kind, Kind::Usage, "{url}");
            assert!(!error.message.contains("hidden"), "{}", error.message);
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("redis://u:p:q@h/1", "redis://u:***@h/1"),
            ("redis://:p@q@h", "redis://:***@h"),
            ("redis://token@h", "redis://***@h"),
            ("unix:///s?user=u&pass=x&db=1", "unix:///s?user=u&pass=***&db=1"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }

    #[test]
    fn a_password_in_clear_is_noticed() {
        for (url, clear) in [
            ("redis://:p@far.example", true),
            ("rediss://:p@far.example", false),
            ("redis://far.example", false),
            ("redis://:p@127.0.0.1", false),
            ("redis://:p@localhost", false),
            ("unix:///s?pass=p", false),
        ] {
            assert_eq!(Address::parse(url).unwrap().sends_password_in_clear(), clear, "{url}");
        }
    }
}
